//! The SQLite source against real files.

mod discovery;
mod guard;
mod incremental;
mod stopping;
mod support;
mod values;
