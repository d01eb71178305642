//! `POST /v4/sources`: creates a source and, when its settings are complete, queues a check.

use axum::extract::State;
use selvedge_control::sources::{self, NewSource};

use super::view::SourceView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::{ApiError, AppState};

pub(crate) async fn create_source(
    Caller(scope): Caller,
    State(state): State<AppState>,
    body: JsonBody,
) -> Result<Json<SourceView>, ApiError> {
    let new = NewSource::from_body(body.object())?;
    let source = sources::create(&state.control, scope, new).await?;
    Ok(Json(source.into()))
}
