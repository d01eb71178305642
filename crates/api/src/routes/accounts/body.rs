//! What a partner sends to create an account, as the document describes it.

#![expect(
    dead_code,
    reason = "control reads the body itself, to name every field that is wrong"
)]

use utoipa::ToSchema;

#[derive(ToSchema)]
#[schema(examples(json!({
    "partner_id": "oc_1f0c9d", "partner_secret": "<PARTNER_SECRET>", "first_name": "Ada", "last_name": "Byron",
    "company": "Acme", "email": "ada@acme.example", "region": "us-east-1"
})))]
pub(crate) struct NewAccount {
    /// Id of the partner.
    #[schema(min_length = 1)]
    partner_id: String,
    #[schema(min_length = 1)]
    partner_secret: String,
    /// Of the account's owner.
    #[schema(min_length = 1)]
    first_name: String,
    #[schema(min_length = 1)]
    last_name: String,
    /// Name of the account, normally the company.
    #[schema(min_length = 1)]
    company: String,
    /// Of the owner; may not belong to an active user.
    #[schema(format = Email)]
    email: String,
    /// `us-east-1` or `eu-central-1`; does not change later. May be left out where the operator has set a default.
    region: Option<String>,
}
