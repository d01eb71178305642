//! Custom e-mails: who else gets notification mails, version 1.

mod body;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod update;
mod view;
