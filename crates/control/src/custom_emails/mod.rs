//! Custom e-mails: people outside the team who get an account's notification mails.

mod create;
mod delete;
mod list;
mod update;

pub use create::{NewCustomEmail, create};
pub use delete::delete;
pub use list::list;
pub use update::{CustomEmailChange, update};
