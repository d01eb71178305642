//! Streams, version 4.

pub(crate) mod find;
pub(crate) mod list;
pub(crate) mod update_metadata;
