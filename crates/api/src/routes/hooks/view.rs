//! A hook as it is answered.

use selvedge_store::hooks::HookRecord;
use selvedge_types::{AccountId, DestinationId, HookId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Version of the hook service.
const VERSION: u32 = 1;

/// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = Hook, description = "An address that is called after data was loaded.", examples(json!({
    "id": 100_031, "client_id": 140_217, "type": "post_load", "version": 1, "destination_id": 160_911,
    "config": {"url": "https://hooks.example.org/in/7"}, "created_at": "2031-03-01T12:00:00Z",
    "modified_at": "2031-03-01T12:00:00Z", "disabled_at": null
})))]
pub(crate) struct HookView {
    #[schema(value_type = i64)]
    id: HookId,
    /// The account.
    #[schema(value_type = i64)]
    client_id: AccountId,
    #[serde(rename = "type")]
    #[schema(value_type = HookType)]
    hook_type: String,
    /// Version of the hook service.
    version: u32,
    /// Loads into this destination fire the hook.
    #[schema(value_type = i64)]
    destination_id: DestinationId,
    config: HookConfigView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the hook was last disabled or enabled.
    #[schema(value_type = String, format = DateTime)]
    modified_at: Timestamp,
    /// Since when the hook is disabled.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    disabled_at: Option<Timestamp>,
    /// The key of its signatures, as Standard Webhooks write it. In the answer that creates the hook, and in no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^whsec_")]
    pub(super) secret: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = HookConfig)]
#[serde(deny_unknown_fields)]
pub(crate) struct HookConfigView {
    /// HTTPS, unless the operator allows plain HTTP; an address in it must be in a network that the operator allows.
    #[schema(format = "uri", max_length = 2048)]
    url: String,
}

/// What fires a hook: that data was loaded.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "it describes a text")]
pub(crate) enum HookType {
    PostLoad,
}

impl From<HookRecord> for HookView {
    fn from(record: HookRecord) -> Self {
        Self {
            id: record.id,
            client_id: record.account,
            hook_type: record.hook_type,
            version: VERSION,
            destination_id: record.destination_id,
            config: HookConfigView { url: record.url },
            created_at: record.created_at,
            modified_at: record.modified_at,
            disabled_at: record.disabled_at,
            secret: None,
        }
    }
}
