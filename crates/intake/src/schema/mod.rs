//! JSON Schema, held against the text of records.

mod tree;

pub(crate) use tree::Tree;
