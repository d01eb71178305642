//! `POST /v4/sources/{source_id}/sync`: starts a replication job.

use axum::extract::State;
use selvedge_control::jobs;
use selvedge_types::SourceId;
use serde_json::{Value, json};

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn start_sync(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<Value>, ApiError> {
    let name = jobs::start(&state.control, scope, source).await?;
    Ok(Json(json!({"job_name": name.to_string()})))
}
