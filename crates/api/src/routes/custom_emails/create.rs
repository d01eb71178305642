//! `POST /notifications/public/v1/api/custom-emails`: adds a recipient, or finds the one with this address.

use axum::extract::State;
use selvedge_control::custom_emails::{self, NewCustomEmail};

use super::body;
use super::view::CustomEmailView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::MessageError;
use crate::{ApiError, AppState};

/// Add a custom e-mail
///
/// At most ten per account, disabled ones included. An address that is there already gives the custom e-mail there is, unchanged.
#[utoipa::path(
    post,
    path = "/notifications/public/v1/api/custom-emails",
    tag = "Notifications",
    request_body = body::NewCustomEmail,
    responses(
        (status = 200, description = "The custom e-mail", body = CustomEmailView),
        (status = 400, description = "The account's plan has no custom e-mails, the address is missing or invalid, or there are ten, in this order", body = MessageError),
    ),
)]
pub(crate) async fn create_custom_email(
    Caller(scope): Caller,
    State(state): State<AppState>,
    body: JsonBody,
) -> Result<Json<CustomEmailView>, ApiError> {
    let new = NewCustomEmail::from_body(body.object());
    let created = custom_emails::create(&state.control, scope, new).await?;
    Ok(Json(created.into()))
}
