//! `POST /notifications/public/v1/api/hooks`: adds a hook. The answer, and no other, holds its signing secret.

use axum::extract::State;
use selvedge_control::hooks::{self, NewHook};

use super::body;
use super::view::HookView;
use crate::auth::Caller;
use crate::json::{Json, JsonBody};
use crate::openapi::errors::HookError;
use crate::{ApiError, AppState};

/// Add a hook
///
/// At most ten per account, disabled ones included. Calls are signed after Standard Webhooks with the `secret` in this answer,
/// which is in no other.
#[utoipa::path(
    post,
    path = "/notifications/public/v1/api/hooks",
    tag = "Notifications",
    request_body = body::NewHook,
    responses(
        (status = 200, description = "The hook, with its signing secret", body = HookView),
        (status = 400, description = "The account's plan has no hooks; `InvalidBody` (also for an unknown destination, and for an address that will not do); there are ten, in this order", body = HookError),
    ),
)]
pub(crate) async fn create_hook(
    Caller(scope): Caller,
    State(state): State<AppState>,
    body: JsonBody,
) -> Result<Json<HookView>, ApiError> {
    let new = NewHook::from_body(body.object());
    let created = hooks::create(&state.control, scope, new).await?;
    let mut view = HookView::from(created.hook);
    view.secret = Some(created.secret.expose().to_owned());
    Ok(Json(view))
}
