//! Accounts, version 3.

mod body;
pub(crate) mod create;
