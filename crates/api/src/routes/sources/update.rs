//! `PUT /v4/sources/{source_id}`: changes label, settings or destination of a source, pauses or unpauses it.

use axum::extract::State;
use selvedge_control::sources::{self, SourceChange};
use selvedge_types::SourceId;

use super::view::SourceView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::path::Segment;
use crate::{ApiError, AppState};

pub(crate) async fn update_source(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<SourceId>,
    body: JsonBody,
) -> Result<Json<SourceView>, ApiError> {
    let change = SourceChange::from_body(body.object());
    let source = sources::update(&state.control, scope, id, change).await?;
    Ok(Json(source.into()))
}
