//! Destinations: where an account's data goes.

mod body;
mod create;
mod delete;
mod destination;
mod list;
mod run;
mod update;
pub mod v3;

pub use body::{DestinationChange, NewDestination};
pub use create::create;
pub use delete::delete;
pub use destination::Destination;
pub use list::{DestinationFilter, list};
pub use run::{RunSettings, settings_for_run};
pub use update::update;
