//! `DELETE /v4/sources/{source_id}/tokens/{token_id}`: revokes an access token and answers with its source.

use axum::extract::State;
use selvedge_control::import_tokens;
use selvedge_types::{ImportTokenId, SourceId};

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::NamedError;
use crate::openapi::parameters::{ImportTokenPath, SourcePath};
use crate::path::Segments;
use crate::routes::sources::view::SourceView;
use crate::{ApiError, AppState};

/// Revoke an Import API access token
#[utoipa::path(
    delete,
    path = "/v4/sources/{source_id}/tokens/{token_id}",
    tag = "Import API tokens",
    params(SourcePath, ImportTokenPath),
    responses(
        (status = 200, description = "The source, with a new `updated_at`", body = SourceView),
        (status = 400, description = "`InvalidId`: the source or the token is unknown, deleted or revoked. `InvalidType`: the source is of another type.", body = NamedError),
    ),
)]
pub(crate) async fn delete_import_token(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segments(source, token): Segments<SourceId, ImportTokenId>,
) -> Result<Json<SourceView>, ApiError> {
    let source = import_tokens::delete(&state.control, scope, source, token).await?;
    Ok(Json(source.into()))
}
