//! Streams, version 4.

mod body;
pub(crate) mod find;
pub(crate) mod list;
pub(crate) mod update_metadata;
