//! `POST /v4/sources/{source_id}/tokens`: makes an access token and shows it this once. There is no body.

use axum::extract::State;
use selvedge_control::import_tokens;
use selvedge_types::{ImportTokenId, SourceId};
use serde::Serialize;

use crate::auth::Caller;
use crate::json::Json;
use crate::path::Segment;
use crate::{ApiError, AppState};

#[derive(Serialize)]
pub(crate) struct CreatedImportTokenView {
    id: ImportTokenId,
    access_token: String,
}

pub(crate) async fn create_import_token(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(source): Segment<SourceId>,
) -> Result<Json<CreatedImportTokenView>, ApiError> {
    let created = import_tokens::create(&state.control, scope, source).await?;
    Ok(Json(CreatedImportTokenView {
        id: created.id,
        access_token: created.access_token.expose().to_owned(),
    }))
}
