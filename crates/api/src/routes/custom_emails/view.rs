//! A custom e-mail as it is answered.

use selvedge_store::custom_emails::CustomEmailRecord;
use selvedge_types::{AccountId, CustomEmailId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomEmail, description = "Somebody who gets an account's notification mails.", examples(json!({
    "id": 100_027, "client_id": 140_217, "email_address": "ops@acme.example", "created_at": "2031-03-01T12:00:00Z", "disabled_at": null
})))]
pub(crate) struct CustomEmailView {
    #[schema(value_type = i64)]
    id: CustomEmailId,
    /// The account.
    #[schema(value_type = i64)]
    client_id: AccountId,
    email_address: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// What was set to disable it; null while mails are sent.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    disabled_at: Option<Timestamp>,
}

impl From<CustomEmailRecord> for CustomEmailView {
    fn from(record: CustomEmailRecord) -> Self {
        Self {
            id: record.id,
            client_id: record.account,
            email_address: record.email_address,
            created_at: record.created_at,
            disabled_at: record.disabled_at,
        }
    }
}
