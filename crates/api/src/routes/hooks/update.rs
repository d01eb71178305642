//! `PUT /notifications/public/v1/api/hooks/{hook_id}`: disables a hook, or enables it again. Whatever stands in the place of the id
//! is answered like an id that does not exist.

use axum::extract::State;
use selvedge_control::ControlError;
use selvedge_control::hooks::{self, HookChange};
use selvedge_types::HookId;

use super::body;
use super::view::HookView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::HookError;
use crate::openapi::parameters::HookPath;
use crate::path::AnySegment;
use crate::{ApiError, AppState};

/// Disable or enable a hook
///
/// Repeating it changes nothing.
#[utoipa::path(
    put,
    path = "/notifications/public/v1/api/hooks/{hook_id}",
    tag = "Notifications",
    params(HookPath),
    request_body = body::HookChange,
    responses(
        (status = 200, description = "The hook as it is now", body = HookView),
        (status = 400, description = "`NotFound` when no hook of the account has this id, or it is none; `InvalidBody` otherwise", body = HookError),
    ),
)]
pub(crate) async fn update_hook(
    Caller(scope): Caller,
    State(state): State<AppState>,
    AnySegment(id): AnySegment<HookId>,
    body: JsonBody,
) -> Result<Json<HookView>, ApiError> {
    let id = id.ok_or(ControlError::HookNotFound)?;
    let change = HookChange::from_body(body.object());
    let hook = hooks::update(&state.control, scope, id, change).await?;
    Ok(Json(hook.into()))
}
