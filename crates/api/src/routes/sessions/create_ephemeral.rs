//! `POST /v3/sessions/ephemeral`: makes a one-hour token that starts a web session. There is no body.

use axum::extract::State;
use selvedge_control::sessions;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::TokenOwner;
use crate::json::Json;
use crate::{ApiError, AppState};

#[derive(Serialize, ToSchema)]
#[schema(as = EphemeralToken)]
pub(crate) struct EphemeralTokenView {
    ephemeral_token: String,
}

/// Create an ephemeral token
///
/// For a browser client, which trades it for a web session. Until then, and for an hour at most, it is accepted in place of the access
/// token; only this operation does not take it.
#[utoipa::path(
    post,
    path = "/v3/sessions/ephemeral",
    tag = "Sessions",
    responses((status = 200, description = "The token", body = EphemeralTokenView)),
)]
pub(crate) async fn create_ephemeral_token(
    TokenOwner(scope, maker): TokenOwner,
    State(state): State<AppState>,
) -> Result<Json<EphemeralTokenView>, ApiError> {
    let token = sessions::create_ephemeral(&state.control, scope, maker)
        .await?
        .ok_or(ApiError::Unauthorized)?;
    Ok(Json(EphemeralTokenView {
        ephemeral_token: token.expose().to_owned(),
    }))
}
