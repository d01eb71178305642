//! The store on both databases.

#[macro_use]
mod support;

mod accounts;
mod authorization_codes;
mod claims;
mod connections;
mod credentials;
mod custom_emails;
mod ephemeral_tokens;
mod hook_messages;
mod hooks;
mod idempotency;
mod import_tokens;
mod intake_lanes;
mod jobs;
mod loads;
mod neighbours;
mod opening;
mod plans;
mod streams;
mod tenancy;
mod tokens;
