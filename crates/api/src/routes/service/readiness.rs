//! `GET /readyz`: requests can be served, because the store answers. 503 otherwise.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::health::Health;
use crate::AppState;
use crate::json::respond;

/// Whether requests can be served
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Service",
    security(()),
    responses(
        (status = 200, description = "They can", body = Health, example = json!({"status": "ready"})),
        (status = 503, description = "The store does not answer", body = Health, example = json!({"status": "unavailable"})),
    ),
)]
pub(crate) async fn readiness(State(state): State<AppState>) -> Response {
    match state.control.store().ready().await {
        Ok(()) => respond(StatusCode::OK, &Health { status: "ready" }),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "store does not answer");
            respond(
                StatusCode::SERVICE_UNAVAILABLE,
                &Health {
                    status: "unavailable",
                },
            )
        }
    }
}
