//! `DELETE /notifications/public/v1/api/custom-emails/{custom_email_id}`: forgets a recipient, and says how many were forgotten.

use axum::extract::State;
use selvedge_control::custom_emails;
use selvedge_types::CustomEmailId;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::parameters::CustomEmailPath;
use crate::path::Segment;
use crate::{ApiError, AppState};

/// Delete a custom e-mail
#[utoipa::path(
    delete,
    path = "/notifications/public/v1/api/custom-emails/{custom_email_id}",
    tag = "Notifications",
    params(CustomEmailPath),
    responses((status = 200, description = "How many were deleted: `[1]`, or `[0]` for an unknown id", body = [i64], example = json!([1]))),
)]
pub(crate) async fn delete_custom_email(
    Caller(scope): Caller,
    State(state): State<AppState>,
    Segment(id): Segment<CustomEmailId>,
) -> Result<Json<[u8; 1]>, ApiError> {
    let deleted = custom_emails::delete(&state.control, scope, id).await?;
    Ok(Json([u8::from(deleted)]))
}
