//! The source against a real server.

mod checking;
mod discovery;
mod failures;
mod incremental;
mod support;
mod tables;
mod values;
