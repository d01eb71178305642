//! Accounts, version 3.

pub(crate) mod create;
