//! Replication jobs of a source, version 4.

pub(crate) mod progress;
pub(crate) mod start;
pub(crate) mod stop;
