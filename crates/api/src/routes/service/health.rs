//! `GET /healthz`: the process answers.

use serde_json::{Value, json};

use crate::json::Json;

pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}
