//! Streams: what a source offers, and what of it the user wants.

mod discovery;
mod find;
mod list;
pub mod metadata;
mod reset;
mod selection;
mod stored;
mod update;
mod update_metadata;

pub use discovery::{StreamListing, apply_discovery};
pub use find::{StreamSchema, find};
pub use list::{Stream, list};
pub(crate) use reset::reset_all;
pub(crate) use selection::any_replicates;
pub use selection::{SelectedStream, selection};
pub use update::MetadataUpdate;
pub use update_metadata::update_metadata;
