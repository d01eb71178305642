//! Sources: where an account's data comes from.

mod body;
mod create;
mod cron;
mod delete;
mod find;
mod mapping;
pub mod naming;
mod readiness;
mod rotate;
mod run;
pub(crate) mod schedule;
mod setup;
mod source;
mod update;

pub use body::{NewSource, SourceChange};
pub use create::create;
pub use delete::delete;
pub use find::{find, list};
pub(crate) use readiness::{mapped, refresh};
pub use rotate::keep_rotated;
pub use run::{RunSettings, settings_for_run};
pub use schedule::{Method, Schedule};
pub(crate) use setup::facts as setup_facts;
pub use source::Source;
pub(crate) use source::{newest_run, type_of};
pub use update::update;
