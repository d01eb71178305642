//! Hooks: addresses that are called after data was loaded.

mod body;
mod create;
mod delete;
mod list;
mod payload;
mod target;
mod update;

pub use body::{HookChange, NewHook};
pub use create::{CreatedHook, create};
pub use delete::delete;
pub use list::list;
pub(crate) use payload::payload;
pub use update::update;
