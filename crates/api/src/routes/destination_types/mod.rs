//! What can be connected as a destination, version 4.

pub(crate) mod find;
pub(crate) mod list;
