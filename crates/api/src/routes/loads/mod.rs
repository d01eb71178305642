//! Loads, version 4.

pub(crate) mod list;
