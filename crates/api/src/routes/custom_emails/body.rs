//! What clients send about custom e-mails, as the document describes it.

#![expect(
    dead_code,
    reason = "control reads bodies itself, to answer with the documented texts"
)]

use utoipa::ToSchema;

#[derive(ToSchema)]
#[schema(examples(json!({"email_address": "ops@acme.example"})))]
pub(crate) struct NewCustomEmail {
    /// Case does not make two addresses different.
    #[schema(format = Email, max_length = 254)]
    email_address: String,
}

#[derive(ToSchema)]
#[schema(examples(json!({"disabled_at": "2031-02-03T00:00:00Z"}), json!({"disabled_at": null})))]
pub(crate) struct CustomEmailChange {
    /// Any instant, past or future, disables at once; `null` enables.
    #[schema(required, format = DateTime)]
    disabled_at: Option<String>,
}
