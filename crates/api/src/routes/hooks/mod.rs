//! Hooks: what is called after data was loaded, version 1.

mod body;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod update;
mod view;
