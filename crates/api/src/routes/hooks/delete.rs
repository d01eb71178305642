//! `DELETE /notifications/public/v1/api/hooks/{hook_id}`: forgets a hook. Whatever stands in the place of the id is answered like an
//! id that does not exist.

use axum::extract::State;
use selvedge_control::ControlError;
use selvedge_control::hooks;
use selvedge_types::HookId;

use crate::auth::Caller;
use crate::json::Json;
use crate::openapi::errors::BareError;
use crate::openapi::parameters::HookPath;
use crate::path::AnySegment;
use crate::{ApiError, AppState};

/// Delete a hook
#[utoipa::path(
    delete,
    path = "/notifications/public/v1/api/hooks/{hook_id}",
    tag = "Notifications",
    params(HookPath),
    responses(
        (status = 200, description = "`null`", body = (), example = json!(null)),
        (status = 400, description = "No hook of the account has this id, or it is none", body = BareError),
    ),
)]
pub(crate) async fn delete_hook(
    Caller(scope): Caller,
    State(state): State<AppState>,
    AnySegment(id): AnySegment<HookId>,
) -> Result<Json<()>, ApiError> {
    let id = id.ok_or(ControlError::HookNotFound)?;
    hooks::delete(&state.control, scope, id).await?;
    Ok(Json(()))
}
