//! `DELETE /v4/sources/{source_id}/sync`: stops the replication job, without waiting for its end.

use axum::extract::State;
use selvedge_control::jobs;
use selvedge_types::SourceId;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn stop_sync(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<Value>, ApiError> {
    jobs::stop(&state.control, scope, source).await?;
    Ok(Json(json!({"status": 200})))
}
