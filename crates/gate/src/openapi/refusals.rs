//! Refusals that endpoints share.

#![expect(dead_code, reason = "they describe what answer.rs writes")]

use serde_json::Value;
use utoipa::{IntoResponses, ToSchema};

use super::{ErrorMessage, Forbidden, PushRefusal, RecordRefusal};

/// Who is not let in.
#[derive(ToSchema)]
#[schema(as = ImportUnauthorized)]
pub(crate) struct Unauthorized {
    #[schema(nullable = false)]
    message: Option<String>,
    #[schema(nullable = false)]
    error: Option<String>,
    errors: Option<Value>,
    #[schema(nullable = false)]
    status: Option<String>,
}

/// Where a token is asked for.
#[derive(IntoResponses)]
pub(crate) enum NeedsToken {
    /// No token, or one that is unknown or revoked; or its source is paused or deleted. What was sent is not kept.
    #[response(status = 401, examples(
        ("token" = (summary = "The token", value = json!({"message": "Not Authorized"}))),
        ("client" = (summary = "Push: a record does not say whose it is", value = json!({"status": "ERROR", "error": "Not Authenticated.", "errors": null}))),
        ("source" = (summary = "The source", value = json!({"error": "Forbidden", "errors": {"error": "Connection is not active."}}))),
    ))]
    Unauthorized(Unauthorized),
}

/// Where records of any tables are sent to, or looked at.
#[derive(IntoResponses)]
pub(crate) enum OfRecords {
    /// The body cannot be read, is no array of 1 to 20,000 records, or is not encoded as it says.
    #[response(status = 400)]
    Malformed(PushRefusal),
    /// The records are for another account than the token's.
    #[response(status = 403)]
    Foreign(Forbidden),
    /// Another media type or encoding.
    #[response(status = 415)]
    MediaType(ErrorMessage),
    /// Records are not as they should be.
    #[response(status = 422)]
    Unprocessable(RecordRefusal),
}

/// Wherever records are sent to.
#[derive(IntoResponses)]
pub(crate) enum Common {
    /// The body is larger than the operator allows: 20 MiB unless set otherwise, after decompression.
    #[response(status = 413, examples(
        ("large" = (summary = "With the bytes that were seen", value = json!({
            "status": "ERROR", "message": "Request rejected: request size (20971521s bytes) exceeds the maximum",
        }))),
    ))]
    TooLarge(ErrorMessage),
    /// Nothing can be kept now, or too much of the account waits to be loaded. Send it again later.
    #[response(status = 503)]
    Unavailable(ErrorMessage),
    /// The request took too long. Nothing of it was accepted; send it again later.
    #[response(status = 504)]
    TimedOut(ErrorMessage),
}
