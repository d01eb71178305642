//! Source columns into destination columns: names, types, splits, system columns.
//!
//! Pure: nothing here reads a clock, a socket or a file, and nothing allocates per cell. A destination describes itself by
//! a [`Dialect`] and says what its table looks like; [`TableShape`] answers, batch by batch, which changes of the table
//! come first and where every field goes.

mod dialect;
pub mod json;
pub mod names;
mod plan;
mod record;
mod rejection;
mod replacement;
mod subtable;
pub mod system;
mod table;
mod types;

pub use dialect::Dialect;
pub use plan::{FieldTarget, SchemaChange};
pub use record::{record_text, value_text};
pub use rejection::{Rejection, RowRejection};
pub use replacement::replacement_changes;
pub use subtable::{RecordKey, level_name, subtable_batch, subtable_name};
pub use table::{Column, ExistingColumn, ExistingTable, TableShape};
pub use types::ColumnType;
