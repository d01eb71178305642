//! `POST /v3/sessions/ephemeral`: makes a one-hour token that starts a web session. There is no body.

use axum::extract::State;
use selvedge_control::sessions;
use serde::Serialize;

use crate::auth::TokenOwner;
use crate::json::Json;
use crate::{ApiError, AppState};

#[derive(Serialize)]
pub(crate) struct EphemeralTokenView {
    ephemeral_token: String,
}

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
