//! `GET /v4/sources/{source_id}/tokens`: the active access tokens of a source, newest first, without their texts.

use axum::extract::State;
use selvedge_control::import_tokens;
use selvedge_types::{ImportTokenId, SourceId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::NamedError;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

#[derive(Serialize, ToSchema)]
#[schema(as = ImportToken)]
pub(crate) struct ImportTokenView {
    #[schema(value_type = i64)]
    token_id: ImportTokenId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// List Import API access tokens
///
/// The active ones, newest first, without their texts.
#[utoipa::path(
    get,
    path = "/v4/sources/{source_id}/tokens",
    tag = "Import API tokens",
    params(SourcePath),
    responses(
        (status = 200, description = "The tokens", body = [ImportTokenView]),
        (status = 400, description = "`InvalidId`: the source is unknown or deleted. `InvalidType`: it is of another type.", body = NamedError),
    ),
)]
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
