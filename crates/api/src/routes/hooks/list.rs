//! `GET /notifications/public/v1/api/hooks`: the account's hooks by kind, disabled ones included.

use axum::extract::State;
use selvedge_control::hooks;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::HookView;
use crate::auth::Caller;
use crate::json::Json;
use crate::{ApiError, AppState};

/// There is one kind.
#[derive(Serialize, ToSchema)]
#[schema(as = Hooks, description = "Hooks by type.")]
pub(crate) struct HooksView {
    post_load: Vec<HookView>,
}

/// List hooks
///
/// Disabled ones included.
#[utoipa::path(
    get,
    path = "/notifications/public/v1/api/hooks",
    tag = "Notifications",
    responses((status = 200, description = "All hooks of the account, by id", body = HooksView)),
)]
pub(crate) async fn list_hooks(
    Caller(scope): Caller,
    State(state): State<AppState>,
) -> Result<Json<HooksView>, ApiError> {
    let found = hooks::list(&state.control, scope).await?;
    Ok(Json(HooksView {
        post_load: found.into_iter().map(Into::into).collect(),
    }))
}
