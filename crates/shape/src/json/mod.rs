//! JSON records into columns.
//!
//! One pass over a record's text: no tree of values is built, and a value goes from the text straight into its column.
//! [`JsonShaper`] is the way in; `rules` says what a JSON Schema declares, `tree` remembers which places the
//! records have, `columns` grow row by row.

mod columns;
mod denest;
mod repeated;
mod rules;
mod shaper;
mod tagged;
#[cfg(test)]
mod tests;
mod tree;

pub use denest::Denester;
pub use selvedge_json::Malformed;
pub use shaper::JsonShaper;
