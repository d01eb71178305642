//! `POST /v4/sources/{source_id}/tokens`: makes an access token and shows it this once. There is no body.

use axum::extract::State;
use selvedge_control::import_tokens;
use selvedge_types::{ImportTokenId, SourceId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::NamedError;
use crate::openapi::parameters::SourcePath;
use crate::path::Segment;
use crate::{ApiError, AppState};

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedImportToken, examples(json!({"id": 330_218, "access_token": "9b41c7e2f0"})))]
pub(crate) struct CreatedImportTokenView {
    #[schema(value_type = i64)]
    id: ImportTokenId,
    access_token: String,
}

/// Create an Import API access token
///
/// For sources of type `import_api`. The token is in this answer and in no other. At most two per source are active at a time, which
/// allows rotation: create the second, switch over, revoke the first.
#[utoipa::path(
    post,
    path = "/v4/sources/{source_id}/tokens",
    tag = "Import API tokens",
    params(SourcePath),
    responses(
        (status = 200, description = "The token", body = CreatedImportTokenView),
        (status = 400, description = "`InvalidId`: the source is unknown or deleted. `InvalidType`: it is of another type. `TokenLimit`: it has two active tokens.", body = NamedError),
    ),
)]
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
