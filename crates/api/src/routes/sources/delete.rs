//! `DELETE /v4/sources/{source_id}`: marks a source deleted and stops its jobs.

use axum::extract::State;
use selvedge_control::sources;
use selvedge_types::SourceId;

use super::view::SourceView;
use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn delete_source(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<SourceId>,
) -> Result<Json<SourceView>, ApiError> {
    let source = sources::delete(&state.control, scope, id).await?;
    Ok(Json(source.into()))
}
