//! What clients send about hooks, as the document describes it.

#![expect(
    dead_code,
    reason = "control reads bodies itself, to answer with the documented texts"
)]

use utoipa::ToSchema;

use super::view::{HookConfigView, HookType};

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"type": "post_load", "destination_id": 160_911, "config": {"url": "https://hooks.example.org/in/7"}})))]
pub(crate) struct NewHook {
    #[serde(rename = "type")]
    hook_type: HookType,
    /// Loads into this destination fire the hook.
    destination_id: i64,
    config: HookConfigView,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"enable": false})))]
pub(crate) struct HookChange {
    /// `false` disables; a hook that is disabled keeps the instant since when.
    enable: bool,
}
