//! Extractions, version 4: what came of jobs, and their logs.

pub(crate) mod list;
pub(crate) mod log;
pub(crate) mod read_log;
