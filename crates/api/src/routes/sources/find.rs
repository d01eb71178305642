//! `GET /v4/sources/{source_id}`: one source, also when it is paused or deleted.

use axum::extract::State;
use axum::response::Response;
use selvedge_control::sources;
use selvedge_types::SourceId;

use super::view::SourceView;
use crate::answers::Asked;
use crate::auth::Caller;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Retrieve a source
///
/// Also when it is paused or deleted.
#[utoipa::path(
    get,
    path = "/v4/sources/{source_id}",
    tag = "Sources",
    params(SourcePath),
    responses(
        (status = 200, description = "The source", body = SourceView),
    ),
)]
pub(crate) async fn find_source(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<SourceId>,
) -> Result<Response, ApiError> {
    let find = async || {
        let found = sources::find(&state.control, scope, id).await?;
        found
            .map(SourceView::from)
            .ok_or(ApiError::UnknownSource(id))
    };
    state.answer(scope, Asked::Source(id), find).await
}
