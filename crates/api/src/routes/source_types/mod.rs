//! What can be connected as a source, version 4.

pub(crate) mod find;
pub(crate) mod list;
