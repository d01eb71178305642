//! The only place with control-plane SQL: accounts, connections, streams, jobs and loads, on SQLite or PostgreSQL.
//!
//! [`Store`] is a handle on one of the two databases. Work happens in transactions: [`Store::begin`] gives a [`Tx`],
//! [`Store::read`] a [`ReadTx`], and the free functions of one module per aggregate take either of them first, so that
//! the caller chooses what commits together. A `&mut Tx` goes wherever a `&mut ReadTx` is asked for.
//!
//! Three rules hold everywhere:
//!
//! - **Tenancy**: whatever touches tenant data takes an [`AccountScope`](selvedge_types::AccountScope), and every such
//!   statement names its account. A foreign id behaves like one that does not exist.
//! - **One text, two databases**: statements are constants with `$1` placeholders over three column types: integers
//!   (also booleans, and instants in microseconds), text (also JSON) and bytes. Only claiming a job has two texts.
//! - **No ambient time**: the present comes in as a [`Timestamp`](selvedge_types::Timestamp).

#[macro_use]
mod statement;

mod cipher;
mod commits;
mod credentials;
mod database;
mod error;
mod migrate;
mod neighbours;
mod page;
mod random;
mod reader;
mod row;
mod tx;
mod value;

pub mod accounts;
pub mod authorization_codes;
pub mod connections;
pub mod custom_emails;
pub mod destinations;
pub mod ephemeral_tokens;
pub mod hook_messages;
pub mod hooks;
pub mod idempotency;
pub mod import_tokens;
pub mod intake_clocks;
pub mod intake_lanes;
pub mod jobs;
pub mod loads;
pub mod partners;
pub mod sources;
pub mod streams;
pub mod tap_positions;
pub mod tokens;

#[cfg(test)]
mod tests;

pub use cipher::{InvalidMasterKey, MasterKey};
pub use connections::Connection;
pub use credentials::Credentials;
pub use database::{Store, StoreLocation};
pub use error::{DriverError, StoreError};
pub use page::{Page, Paged};
pub use tx::{ReadTx, Tx};
