//! Accounts: the tenants.

mod create;

pub use create::{CreatedAccount, NewAccount, create, partner_of};
