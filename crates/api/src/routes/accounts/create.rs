//! `POST /v3/accounts`: a partner creates an account. No token; the partner's credentials are in the body.

use axum::extract::State;
use selvedge_control::accounts::{self, NewAccount};
use selvedge_types::AccountId;
use serde::Serialize;
use utoipa::ToSchema;

use super::body;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::CodedError;
use crate::{ApiError, AppState};

#[derive(Serialize, ToSchema)]
#[schema(as = CreatedAccount, examples(json!({"access_token": "ac_4f0c9d1e7b", "stitch_account_id": 140_217})))]
pub(crate) struct CreatedAccountView {
    access_token: String,
    /// Id of the account; `stitch_client_id` elsewhere.
    #[schema(value_type = i64)]
    stitch_account_id: AccountId,
}

/// Create an account
///
/// For partners: their credentials in the body stand for a token. The account's access token is in this answer and in no other.
/// Nothing is created unless the whole body is valid.
#[utoipa::path(
    post,
    path = "/v3/accounts",
    tag = "Accounts",
    security(()),
    request_body = body::NewAccount,
    responses(
        (status = 200, description = "The account, and its permanent access token", body = CreatedAccountView),
        (status = 400, description = "`BadRequest`: `errors` names every field that is wrong, `required` when it is missing, empty or an unknown credential, `invalid` otherwise. `ExistingUser`: the email address belongs to an active user.", body = CodedError),
    ),
)]
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
