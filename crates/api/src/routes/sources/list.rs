//! `GET /v4/sources`: all sources of the account, paused and deleted ones included.

use axum::extract::State;
use axum::response::Response;
use selvedge_control::sources;

use super::view::SourceView;
use crate::answers::Asked;
use crate::auth::Caller;
use crate::{ApiError, AppState};

/// List sources
///
/// All sources of the account by id, paused and deleted ones included.
#[utoipa::path(
    get,
    path = "/v4/sources",
    tag = "Sources",
    responses((status = 200, description = "The sources", body = [SourceView])),
)]
pub(crate) async fn list_sources(
    Caller(scope): Caller,
    State(state): State<AppState>,
) -> Result<Response, ApiError> {
    let find = async || {
        let sources = sources::list(&state.control, scope).await?;
        Ok(sources
            .into_iter()
            .map(Into::into)
            .collect::<Vec<SourceView>>())
    };
    state.answer(scope, Asked::Sources, find).await
}
