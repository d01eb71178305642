//! `GET /readyz`: requests can be served, because the store answers. 503 otherwise.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use crate::AppState;
use crate::json::respond;

pub(crate) async fn readiness(State(state): State<AppState>) -> Response {
    match state.control.store().ready().await {
        Ok(()) => respond(StatusCode::OK, &json!({"status": "ready"})),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "store does not answer");
            respond(
                StatusCode::SERVICE_UNAVAILABLE,
                &json!({"status": "unavailable"}),
            )
        }
    }
}
