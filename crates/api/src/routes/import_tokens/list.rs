//! `GET /v4/sources/{source_id}/tokens`: the active access tokens of a source, newest first, without their texts.

use axum::extract::State;
use selvedge_control::import_tokens;
use selvedge_types::{ImportTokenId, SourceId, Timestamp};
use serde::Serialize;

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

#[derive(Serialize)]
pub(crate) struct ImportTokenView {
    token_id: ImportTokenId,
    created_at: Timestamp,
}

pub(crate) async fn list_import_tokens(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<Vec<ImportTokenView>>, ApiError> {
    let tokens = import_tokens::list(&state.control, scope, source).await?;
    let view = tokens.into_iter().map(|token| ImportTokenView {
        token_id: token.id,
        created_at: token.created_at,
    });
    Ok(Json(view.collect()))
}
