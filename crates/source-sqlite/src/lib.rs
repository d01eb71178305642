//! A SQLite file as a source (`platform.sqlite`).
//!
//! The file is opened read-only, inside the directories that the operator allows. SQLite's column types are hints, so
//! [`declared`] decides what a column is meant to hold and [`cells`] puts every value that is something else into an
//! additional field of the same name. Nothing is coerced: a value arrives as it is stored, or as NULL with a warning in
//! the job's log.

mod cells;
mod columns;
mod connect;
mod decimal;
mod declared;
mod discover;
mod error;
mod files;
mod key;
mod read;
mod source;
mod structure;
mod timestamp;

pub use files::SourceFiles;
pub use source::SqliteSource;
