//! The gate's answers: statuses and bodies, byte for byte as documented.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use selvedge_intake::Refusal;
use serde_json::{Value, json};

/// Everything that the gate says.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    /// Records are durable. Senders of webhooks expect 200, the Import API answers 201.
    Accepted(StatusCode),
    /// Everything was looked at, nothing kept.
    Valid,
    NotFound,
    MethodNotAllowed,
    NotAuthorized,
    /// The source is paused or deleted.
    Inactive,
    /// Of the batch endpoint, in plain text.
    BatchContentType,
    ContentType(String),
    ContentEncoding(String),
    TooLarge {
        bytes: u64,
    },
    /// The body did not arrive whole.
    Incomplete,
    /// The body is not what its encoding says.
    BadEncoding,
    Refused(Refusal),
    /// Try again later.
    Unavailable(&'static str),
    /// Too slow, somewhere; try again later.
    TimedOut,
}

/// What the gate says when it cannot keep records now.
pub(crate) const CANNOT_KEEP: &str = "The data could not be stored durably. Nothing of this request was accepted; send it again later.";

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ACCEPTED: &str = r#"{"status":"OK","message":"Batch Accepted!"}"#;
const VALID: &str = r#"{"status":"OK","message":"Batch is valid!"}"#;

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let error = |message: String| json!({"status": "ERROR", "message": message});
        let (status, body) = match self {
            // Said so often that it is written down.
            Answer::Accepted(status) => return ready(status, ACCEPTED),
            Answer::Valid => return ready(StatusCode::OK, VALID),
            Answer::NotFound => (StatusCode::NOT_FOUND, json!({"message": "Not Found"})),
            Answer::MethodNotAllowed => {
                return plain(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.");
            }
            Answer::NotAuthorized => (
                StatusCode::UNAUTHORIZED,
                json!({"message": "Not Authorized"}),
            ),
            Answer::Inactive => (
                StatusCode::UNAUTHORIZED,
                json!({"error": "Forbidden", "errors": {"error": "Connection is not active."}}),
            ),
            Answer::BatchContentType => {
                return plain(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "Content-Type must be application/json",
                );
            }
            Answer::ContentType(sent) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                error(format!(
                    "Unsupported content-type {sent}. Please send application/json or application/transit+json"
                )),
            ),
            Answer::ContentEncoding(sent) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                error(format!(
                    "Unsupported content-encoding {sent}. Please send gzip, deflate or no encoding"
                )),
            ),
            Answer::TooLarge { bytes } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                error(format!(
                    "Request rejected: request size ({bytes}s bytes) exceeds the maximum"
                )),
            ),
            Answer::Incomplete => (
                StatusCode::BAD_REQUEST,
                error("The body ended before its time".to_owned()),
            ),
            Answer::BadEncoding => (
                StatusCode::BAD_REQUEST,
                error("The body is not encoded as its Content-Encoding says".to_owned()),
            ),
            Answer::Refused(refusal) => (
                StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST),
                refusal.body,
            ),
            Answer::Unavailable(why) => (StatusCode::SERVICE_UNAVAILABLE, error(why.to_owned())),
            Answer::TimedOut => (
                StatusCode::GATEWAY_TIMEOUT,
                error(
                    "The request took too long. Nothing of it was accepted; send it again later."
                        .to_owned(),
                ),
            ),
        };
        json_response(status, &body)
    }
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

/// A body of JSON that is written down already.
fn ready(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(header::CONTENT_TYPE, plain)], text).into_response()
}
