//! `POST /v3/accounts`: a partner creates an account. No token; the partner's credentials are in the body.

use axum::extract::State;
use selvedge_control::accounts::{self, NewAccount};
use selvedge_types::AccountId;
use serde::Serialize;

use crate::json::{Json, JsonBody};
use crate::{ApiError, AppState};

#[derive(Serialize)]
pub(crate) struct CreatedAccountView {
    access_token: String,
    stitch_account_id: AccountId,
}

pub(crate) async fn create_account(
    State(state): State<AppState>,
    body: JsonBody,
) -> Result<Json<CreatedAccountView>, ApiError> {
    let form = NewAccount::from_body(body.object())?;
    let created = accounts::create(&state.control, form).await?;
    Ok(Json(CreatedAccountView {
        access_token: created.access_token.expose().to_owned(),
        stitch_account_id: created.account,
    }))
}
