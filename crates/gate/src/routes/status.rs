//! `GET /v2/import/status`: whether the gate can keep what comes. Needs no token.

use axum::response::Response;
use http::StatusCode;
use selvedge_spool::Condition;
use serde_json::json;

use crate::Gate;
use crate::answer::json_response;
use crate::openapi::Status;

/// Ask whether records can be kept
#[utoipa::path(
    get,
    path = "/v2/import/status",
    tag = "Import API",
    operation_id = "import_status",
    security(()),
    responses(
        (status = 200, description = "They can", body = Status),
        (status = 503, description = "They cannot, for the reason given", body = Status),
    ),
)]
pub(crate) fn status(gate: &Gate) -> Response {
    let reason = match gate.log.status().condition {
        Condition::Ready => None,
        Condition::Full => Some("The disk of the intake log is full."),
        // What exactly failed is for the operator.
        Condition::Failing { .. } => Some("The intake log cannot be written."),
        Condition::Closed => Some("The server is stopping."),
    };
    let (status, word) = match reason {
        None => (StatusCode::OK, "OK"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "ERROR"),
    };
    let body = json!({
        "name": "pipeline.gate",
        "version": gate.settings.version,
        "revision": gate.settings.revision,
        "status": word,
        "reason": reason,
    });
    json_response(status, &body)
}
