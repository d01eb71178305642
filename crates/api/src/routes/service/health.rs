//! `GET /healthz`: the process answers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::json::Json;

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// One word.
    pub(super) status: &'static str,
}

/// Whether the process answers
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "Service",
    security(()),
    responses((status = 200, description = "It does", body = Health, example = json!({"status": "ok"}))),
)]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}
