//! Refusals that many operations share: written once, referred to by the operations that they apply to.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::errors::NamedError;
use crate::ApiError;

/// A refusal, and where it can come from.
struct Refusal {
    name: &'static str,
    description: &'static str,
    /// What the server answers then; the example is taken from it.
    error: ApiError,
    applies: fn(&str, &Operation) -> bool,
}

const REFUSALS: [Refusal; 6] = [
    Refusal {
        name: "Unauthorized",
        description: "No access token, or one that is unknown, revoked or not for this account.",
        error: ApiError::Unauthorized,
        applies: |_, operation| takes_token(operation),
    },
    Refusal {
        name: "NotFound",
        description: "What the address names does not exist, or an id in it is no number.",
        error: ApiError::NotFound,
        applies: |address, _| address.contains('{'),
    },
    Refusal {
        name: "TooLarge",
        description: "The body is larger than the operator allows: 20 MiB unless set otherwise.",
        error: ApiError::TooLarge,
        applies: |_, operation| operation.request_body.is_some(),
    },
    Refusal {
        name: "BodyTimeout",
        description: "The body did not arrive in the time that the operator allows: a minute unless set otherwise.",
        error: ApiError::BodyTimeout,
        applies: |_, operation| operation.request_body.is_some(),
    },
    Refusal {
        name: "RateLimited",
        description: "Too many requests, where the operator enforces a limit. `Retry-After` says after how many seconds to come again.",
        error: ApiError::RateLimited {
            retry_after_seconds: 1,
        },
        applies: |_, operation| takes_token(operation),
    },
    Refusal {
        name: "InternalError",
        description: "The server has a problem; it is in its log. Try again later.",
        error: ApiError::Panicked,
        applies: |_, _| true,
    },
];

/// Describes the refusals and lets the operations refer to them. An operation's own description of a status stays.
pub(super) fn describe(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let mut schemas = vec![(NamedError::name().into_owned(), NamedError::schema())];
    NamedError::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for refusal in REFUSALS {
        let response = RefOr::T(refusal.response());
        components
            .responses
            .insert(refusal.name.to_owned(), response);
    }
    for (address, item) in &mut document.paths.paths {
        for operation in operations(item) {
            for refusal in REFUSALS {
                if (refusal.applies)(address, operation) {
                    let reference = Ref::from_response_name(refusal.name);
                    let responses = &mut operation.responses.responses;
                    responses
                        .entry(refusal.error.status().as_str().to_owned())
                        .or_insert(RefOr::Ref(reference));
                }
            }
        }
    }
}

impl Refusal {
    fn response(&self) -> Response {
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name(NamedError::name())))
            .example(Some(self.error.body()))
            .build();
        ResponseBuilder::new()
            .description(self.description)
            .content("application/json", content)
            .build()
    }
}

/// All but those that say `security(())`.
fn takes_token(operation: &Operation) -> bool {
    operation.security.is_none()
}

/// The operations of an address, by any method.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}
