//! A source and a destination without a database, for tests of what lies between.

mod destination;
mod source;

pub use destination::{MemoryDestination, MemoryRow};
pub use source::{MemorySource, MemoryStream};
