//! `PUT /v4/sources/{source_id}/streams/metadata`: chooses streams, fields and how they replicate.

use axum::extract::State;
use selvedge_control::streams::{self, MetadataUpdate};
use selvedge_types::SourceId;

use super::body;
use crate::auth::Caller;
use crate::json::DoneView;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::MetadataError;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Choose streams and fields
///
/// Several streams and fields in one call: all changes are made, or none. A stream replicates when it is selected and at least one of
/// its fields goes along.
#[utoipa::path(
    put,
    path = "/v4/sources/{source_id}/streams/metadata",
    tag = "Streams",
    params(SourcePath),
    request_body = body::MetadataUpdate,
    responses(
        (status = 200, description = "Done", body = DoneView),
        (status = 400, description = "A sentence when the body has not the right form; `invalid_fields` when a stream, breadcrumb, key or value is refused", body = MetadataError),
    ),
)]
pub(crate) async fn update_metadata(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
    body: JsonBody,
) -> Result<Json<DoneView>, ApiError> {
    let update = MetadataUpdate::from_body(body.object());
    streams::update_metadata(&state.control, scope, source, update).await?;
    Ok(Json(DoneView::default()))
}
