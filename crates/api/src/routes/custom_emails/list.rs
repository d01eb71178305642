//! `GET /notifications/public/v1/api/custom-emails`: the account's recipients, disabled ones included.

use axum::extract::State;
use selvedge_control::custom_emails;

use super::view::CustomEmailView;
use crate::auth::Caller;
use crate::json::Json;
use crate::{ApiError, AppState};

/// List custom e-mails
///
/// Disabled ones included.
#[utoipa::path(
    get,
    path = "/notifications/public/v1/api/custom-emails",
    tag = "Notifications",
    responses((status = 200, description = "All custom e-mails of the account, by id", body = [CustomEmailView])),
)]
pub(crate) async fn list_custom_emails(
    Caller(scope): Caller,
    State(state): State<AppState>,
) -> Result<Json<Vec<CustomEmailView>>, ApiError> {
    let found = custom_emails::list(&state.control, scope).await?;
    Ok(Json(found.into_iter().map(Into::into).collect()))
}
