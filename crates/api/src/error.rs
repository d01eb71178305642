//! The one place that turns refusals into statuses and bodies. The families of bodies differ by endpoint, and their
//! texts are a contract: byte for byte, slips of the pen included.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use selvedge_control::oauth::ExchangeProblem;
use selvedge_control::{ControlError, FormProblem};
use selvedge_types::SourceId;
use serde_json::{Value, json};

use crate::json::respond;
use crate::type_cards::PrepareError;

/// Everything but success.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No valid access token for what was asked.
    #[error("invalid or missing access token")]
    Unauthorized,
    /// Unknown route, method or malformed id.
    #[error("not found")]
    NotFound,
    #[error("body too large")]
    TooLarge,
    /// The body was not there in the time that the server waits.
    #[error("body took too long")]
    BodyTimeout,
    #[error("too many requests")]
    RateLimited { retry_after_seconds: i64 },
    #[error("not a valid idempotency key")]
    IdempotencyKey,
    #[error("idempotency key was used with another body")]
    IdempotencyMismatch,
    /// The one refusal of an id that is 404 with a text of its own.
    #[error("no such source")]
    UnknownSource(SourceId),
    /// The list of destinations was asked with other parameters than it has.
    #[error("unknown query parameter")]
    DestinationQuery,
    /// A kept answer has a status that is none.
    #[error("a kept answer has the status {0}")]
    KeptAnswer(u16),
    /// A handler panicked.
    #[error("internal error")]
    Panicked,
    #[error("answer could not be serialised")]
    Serialize(#[from] serde_json::Error),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Control(#[from] ControlError),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let ApiError::Control(ControlError::InvalidDisabledAt(Some(sent))) = &self {
            // A parsed value could not be written as it was sent.
            let echo = BTreeMap::from([("disabled_at", sent)]);
            return respond(StatusCode::BAD_REQUEST, &echo);
        }
        let (status, body) = self.answer();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            let error: &dyn std::error::Error = &self;
            tracing::error!(error, "request failed");
        }
        let mut response = respond(status, &body);
        if let ApiError::RateLimited {
            retry_after_seconds,
        } = self
        {
            let seconds = HeaderValue::from(retry_after_seconds);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl ApiError {
    pub(crate) fn status(&self) -> StatusCode {
        self.answer().0
    }

    pub(crate) fn body(&self) -> Value {
        self.answer().1
    }

    fn answer(&self) -> (StatusCode, Value) {
        match self {
            ApiError::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                error_data("Unauthorized", "invalid or missing access token"),
            ),
            ApiError::NotFound => not_found(),
            ApiError::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                error_data("TooLarge", "body too large"),
            ),
            ApiError::BodyTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                error_data("RequestTimeout", "body took too long"),
            ),
            ApiError::IdempotencyKey => (
                StatusCode::BAD_REQUEST,
                error_data(
                    "InvalidIdempotencyKey",
                    "idempotency key must be given once, as 1 to 255 printable ASCII characters",
                ),
            ),
            ApiError::IdempotencyMismatch => (
                StatusCode::UNPROCESSABLE_ENTITY,
                error_data(
                    "IdempotencyMismatch",
                    "idempotency key was used with another body",
                ),
            ),
            ApiError::RateLimited { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                error_data("RateLimited", "too many requests"),
            ),
            ApiError::DestinationQuery => (
                StatusCode::BAD_REQUEST,
                json!("GET may only include the params: source_id and/or destination_id"),
            ),
            ApiError::UnknownSource(id) => (
                StatusCode::NOT_FOUND,
                error_data("InvalidId", &format!("source not found ({id})")),
            ),
            ApiError::KeptAnswer(_)
            | ApiError::Panicked
            | ApiError::Serialize(_)
            | ApiError::Prepare(_) => internal(),
            ApiError::Control(error) => control_answer(error),
        }
    }
}

fn control_answer(error: &ControlError) -> (StatusCode, Value) {
    use ControlError::*;
    let body = match error {
        ExistingUser => json!({
            "code": "ExistingUser",
            "message": "This email address is already associated with an active user.",
        }),
        InvalidForm(fields) => {
            let errors: serde_json::Map<String, Value> = fields
                .iter()
                .map(|(field, problem)| ((*field).to_owned(), form_problem(*problem).into()))
                .collect();
            json!({"code": "BadRequest", "message": "Invalid form data.", "errors": errors})
        }

        Exchange(problem) => json!({"error": exchange_problem(*problem)}),
        Authorization(problem) => error_data("InvalidAuthorization", &problem.to_string()),

        DestinationLimit => json!("you are at your destination limit"),
        NewDestinationBody => json!(
            "POST body may only include a type, a name, a description, map of properties, and boolean for unmapped sources"
        ),
        DestinationChangeBody => {
            json!("PUT body may only include a name, a description, and map of properties")
        }
        DestinationV3Body => json!(
            "body must be a map with type = redshift, postgres, or snowflake. required-keys = type, connection"
        ),
        DestinationTypeFixed => {
            json!("this API endpoint does not support modifying destination type")
        }
        UnknownConnection => json!("invalid connection id"),
        NoDestinationToDelete(account, id) => json!(format!(
            "Unable to locate dest ({id}) for client ({account}) to delete"
        )),
        UnknownDestinationType(name) => {
            error_data("InvalidType", &format!("invalid destination type ({name})"))
        }
        NoAccessToDestinationType(name) => error_data(
            "AccessDenied",
            &format!("you do not have access to destination type ({name})"),
        ),

        NewSourceBody => error_data(
            "InvalidBody",
            "POST body may only include a non-empty type, a non-empty display_name and map of string properties",
        ),
        SourceChangeBody => error_data(
            "InvalidBody",
            "PUT body many only include the keys: display_name, properties, and paused_at",
        ),
        UnknownSourceType(name) => {
            error_data("InvalidType", &format!("invalid source type ({name})"))
        }
        NoAccessToSourceType(name) => error_data(
            "AccessDenied",
            &format!("you do not have access to source type ({name})"),
        ),
        InvalidName => error_data(
            "InvalidName",
            "The name field must be under 50 characters, and can only contain lowercase letters, numbers, underscores, or dollar signs. It must begin with a letter or an underscore.",
        ),
        NameTaken(name) => error_data("InvalidName", &format!("non-unique name ({name})")),
        DerivedNameTaken { display_name, name } => error_data(
            "InvalidName",
            &format!(
                "non-unique name after deriving it from display_name ({display_name} -> {name})"
            ),
        ),
        InvalidDerivedName { display_name, name } => error_data(
            "InvalidDisplayName",
            &format!("invalid name after deriving it from display_name ({display_name} -> {name})"),
        ),
        InvalidDisplayName(text) => error_data(
            "InvalidDisplayName",
            &format!("invalid display_name ({text})"),
        ),
        NoAccessToCron => error_data(
            "AccessDenied",
            "access to cron_expression based scheduling is not permitted",
        ),
        InvalidCronExpression { expression, reason } => error_data(
            "InvalidCronExpression",
            &format!("cron_expression \"{expression}\" is invalid: {reason}"),
        ),
        SourceNotFound(id) => error_data("InvalidId", &format!("source not found ({id})")),
        DestinationNotFound(id) => {
            error_data("InvalidId", &format!("destination not found ({id})"))
        }

        NoImportTokens(id) | NoWebhooks(id) => error_data(
            "InvalidType",
            &format!("source ({id}) does not support access tokens"),
        ),
        ImportTokenLimit(id) => error_data(
            "TokenLimit",
            &format!("source ({id}) already has 2 active access tokens"),
        ),
        ImportTokenNotFound(id) => error_data("InvalidId", &format!("token not found ({id})")),

        BadProperties { names, card } => json!({
            "error": "InvalidProperties",
            "data": {
                "message": "properties do not match schema",
                "bad_properties": names,
                "report_card": card,
            },
        }),
        UnavailableProperty {
            name,
            sentence,
            card,
        } => json!({
            "error": "InvalidProperties",
            "data": {"message": sentence, "bad_properties": [name], "report_card": card},
        }),

        StreamNotFound(id) => json!(format!("invalid stream-id: {id}")),
        MalformedMetadata => {
            json!(
                "body must contain a 'streams' property with a list of metadatas by tap_stream_id"
            )
        }
        UnknownTapStreams(ids) => {
            let ids: Vec<&str> = ids
                .iter()
                .map(|id| id.as_deref().unwrap_or("nil"))
                .collect();
            invalid_fields(&format!("invalid tap-stream-ids:  [{}]", ids.join(" ")))
        }
        UnknownBreadcrumb(path) => {
            invalid_fields(&format!("invalid breadcrumb: [{}]", path.join(" ")))
        }
        ReadOnlyMetadata(keys) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
            invalid_fields(&format!(
                "only non-discoverable metadata can be produced by the UI: #{{{}}}",
                keys.join(" ")
            ))
        }
        InvalidMetadataValue(key) => invalid_fields(&format!("invalid metadata value: {key}")),
        UnsupportedFieldSelected => {
            invalid_fields("Unsupported fields cannot be selected by default")
        }

        // The one refusal with status 200.
        AlreadyRunning(account, source) => {
            let message = format!(
                "Did not create job for client-id: {account}; connection-id: {source} because one already exists"
            );
            return (StatusCode::OK, typed_error("already_running", &message));
        }
        NoSourceToRun(account, source) => typed_error(
            "invalid_source",
            &format!("Unable to locate source({source}) for client ({account})"),
        ),
        SourceDeleted => typed_error("invalid_source", "Integration is deleted."),
        NotReadyForJob(account, source) => typed_error(
            "generic",
            &format!("Could not create job for client-id: {account}; connection-id: {source}"),
        ),

        NoAccessToCustomEmails => error_message(json!(
            "Account not authorized to create custom notification email addresses."
        )),
        InvalidEmailAddress => error_message(json!({
            "email_address": "Required. Must be valid email address format.",
        })),
        CustomEmailLimit => error_message(json!(
            "Account not authorized to create additional custom notification email addresses."
        )),
        CustomEmailNotFound => {
            return (StatusCode::NOT_FOUND, json!({"status": "NOT FOUND"}));
        }
        InvalidDisabledAt(_) => json!({"disabled_at": "missing"}),
        NoAccessToHooks => error_message(json!("Client does not have access to hooks.")),
        NewHookBody => data_error("InvalidBody", "Invalid POST body"),
        HookLimit(limit) => error_message(json!(format!(
            "You have exceeded the limit of {limit} hooks."
        ))),
        HookChangeBody => data_error(
            "InvalidBody",
            "PUT body must only contain boolean 'enable' key",
        ),
        HookNotFound => json!({"error": "NotFound"}),

        NotFound => return not_found(),
        FirstRunUnfinished
        | Store(_)
        | Log(_)
        | UnknownPlan(_)
        | MissingType(_)
        | Card(_)
        | StoredStream { .. } => {
            return internal();
        }
    };
    (StatusCode::BAD_REQUEST, body)
}

fn not_found() -> (StatusCode, Value) {
    (StatusCode::NOT_FOUND, error_data("NotFound", "not found"))
}

fn internal() -> (StatusCode, Value) {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        error_data("InternalError", "internal error"),
    )
}

fn error_data(error: &str, message: &str) -> Value {
    json!({"error": error, "data": {"message": message}})
}

/// The same in the order that the answers about hooks have.
fn data_error(error: &str, message: &str) -> Value {
    json!({"data": {"message": message}, "error": error})
}

fn error_message(message: Value) -> Value {
    json!({"error": {"message": message}})
}

fn typed_error(kind: &str, message: &str) -> Value {
    json!({"error": {"type": kind, "message": message}})
}

fn invalid_fields(text: &str) -> Value {
    json!({"invalid_fields": text})
}

/// The names of RFC 6749, section 5.2. All of them come with status 400.
fn exchange_problem(problem: ExchangeProblem) -> &'static str {
    match problem {
        ExchangeProblem::InvalidRequest => "invalid_request",
        ExchangeProblem::InvalidClient => "invalid_client",
        ExchangeProblem::InvalidGrant => "invalid_grant",
        ExchangeProblem::UnsupportedGrantType => "unsupported_grant_type",
    }
}

fn form_problem(problem: FormProblem) -> &'static str {
    match problem {
        FormProblem::Required => "required",
        FormProblem::Invalid => "invalid",
    }
}
