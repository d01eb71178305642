//! A tap's catalogue in both directions: what it offers, and what it is to read.

mod chosen;
mod document;
mod offered;

pub(crate) use chosen::choose;
pub(crate) use document::parse;
pub(crate) use offered::offer;

/// Metadata that only users give; what a tap says of it is no more than its own habit.
const CHOICES: [&str; 4] = [
    "selected",
    "replication-method",
    "replication-key",
    "view-key-properties",
];
