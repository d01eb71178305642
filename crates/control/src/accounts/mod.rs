//! Accounts: the tenants.

mod create;
mod hold;

pub use create::{CreatedAccount, NewAccount, create, partner_of};
pub(crate) use hold::hold;
