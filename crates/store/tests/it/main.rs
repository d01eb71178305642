//! The store on both databases.

#[macro_use]
mod support;

mod accounts;
mod authorization_codes;
mod claims;
mod connections;
mod credentials;
mod ephemeral_tokens;
mod idempotency;
mod import_tokens;
mod jobs;
mod loads;
mod opening;
mod streams;
mod tenancy;
mod tokens;
