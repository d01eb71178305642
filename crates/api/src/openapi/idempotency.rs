//! The `Idempotency-Key` header of the operations that honour it.

use utoipa::ToSchema as _;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{
    Content, ContentBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};

use super::errors::NamedError;
use crate::ApiError;
use crate::idempotency::ROUTES;

const DESCRIPTION: &str = "A text of the caller's choice, 1 to 255 printable ASCII characters. For 24 hours a request with the same key and the same body gets the first answer again, and nothing is done twice. While the first request runs, the repeat waits for it.";

/// Describes the header, and what a caller can do wrong with it.
pub(super) fn describe(document: &mut OpenApi) {
    for route in ROUTES {
        let item = document.paths.paths.get_mut(route);
        let Some(operation) = item.and_then(|item| item.post.as_mut()) else {
            continue;
        };
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .build();
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(DESCRIPTION))
            .schema(Some(text))
            .build();
        operation
            .parameters
            .get_or_insert_default()
            .push(key.into());
        let responses = &mut operation.responses.responses;
        responses.insert("422".to_owned(), RefOr::T(mismatch()));
        match responses.get_mut("400") {
            Some(RefOr::T(refusal)) => refusal.content.values_mut().for_each(|content| {
                if let RefOr::T(content) = content {
                    or_bad_key(content)
                }
            }),
            Some(RefOr::Ref(_)) => {}
            None => {
                responses.insert("400".to_owned(), RefOr::T(bad_key()));
            }
        }
    }
}

fn mismatch() -> Response {
    response(
        "`Idempotency-Key` was used with another body in the last 24 hours.",
        &ApiError::IdempotencyMismatch,
    )
}

fn bad_key() -> Response {
    response(
        "`Idempotency-Key` is not 1 to 255 printable ASCII characters.",
        &ApiError::IdempotencyKey,
    )
}

fn response(description: &str, error: &ApiError) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(NamedError::name())))
        .example(Some(error.body()))
        .build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build()
}

/// A bad key is refused in its own shape, whatever the operation's is.
fn or_bad_key(content: &mut Content) {
    let named: RefOr<Schema> = Ref::from_schema_name(NamedError::name()).into();
    match content.schema.take() {
        Some(own) if own != named => {
            let either = AnyOfBuilder::new().item(own).item(named).build();
            content.schema = Some(Schema::AnyOf(either).into());
        }
        _ => content.schema = Some(named),
    }
}
