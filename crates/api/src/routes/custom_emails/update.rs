//! `PUT /notifications/public/v1/api/custom-emails/{custom_email_id}`: disables a recipient, or enables it again. Whatever stands in the
//! place of the id, and nothing, is answered like an id that does not exist.

use axum::Router;
use axum::extract::State;
use axum::routing::put;
use selvedge_control::ControlError;
use selvedge_control::custom_emails::{self, CustomEmailChange};
use selvedge_types::CustomEmailId;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::body;
use crate::auth::Caller;
use crate::json::{Json, RawBody};
use crate::openapi::parameters::CustomEmailPath;
use crate::path::AnySegment;
use crate::{ApiError, AppState};

#[derive(Serialize, ToSchema)]
#[schema(as = DisabledAt)]
pub(crate) struct DisabledView {
    /// The value as it was sent.
    #[schema(value_type = serde_json::Value, required)]
    disabled_at: Option<Box<RawValue>>,
}

/// No custom e-mail has this id.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what error.rs writes as JSON")]
pub(crate) struct CustomEmailNotFound {
    #[schema(examples("NOT FOUND"))]
    status: String,
}

/// Addresses that end where an id should follow: they are answered like an id that does not exist, and are no operations.
pub(crate) fn without_id() -> Router<AppState> {
    let collection = "/notifications/public/v1/api/custom-emails";
    Router::new()
        .route(collection, put(update_custom_email))
        .route(&format!("{collection}/"), put(update_custom_email))
}

/// Disable or enable a custom e-mail
///
/// The answer holds the value as it was sent.
#[utoipa::path(
    put,
    path = "/notifications/public/v1/api/custom-emails/{custom_email_id}",
    tag = "Notifications",
    params(CustomEmailPath),
    request_body = body::CustomEmailChange,
    responses(
        (status = 200, description = "What was set", body = DisabledView),
        (status = 400, description = "The value, which is neither an instant nor null, as it was sent; `missing` when there is none", body = DisabledView),
        (status = 404, description = "No custom e-mail of the account has this id, or it is none", body = CustomEmailNotFound),
    ),
)]
pub(crate) async fn update_custom_email(
    Caller(scope): Caller,
    State(state): State<AppState>,
    AnySegment(id): AnySegment<CustomEmailId>,
    body: RawBody,
) -> Result<Json<DisabledView>, ApiError> {
    let id = id.ok_or(ControlError::CustomEmailNotFound)?;
    let sent = body.value("disabled_at");
    let change = CustomEmailChange::from_sent(sent);
    custom_emails::update(&state.control, scope, id, change).await?;
    Ok(Json(DisabledView {
        disabled_at: sent.map(ToOwned::to_owned),
    }))
}
