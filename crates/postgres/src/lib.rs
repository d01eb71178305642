//! What both PostgreSQL connectors share: connecting, identifiers, errors, the binary formats.
//!
//! Start with [`PostgresConfig`], which reads a connection's settings, and [`connect`], which opens a [`Session`].

mod config;
mod connect;
pub mod copy;
mod error;
mod ident;
pub mod numeric;

pub use config::PostgresConfig;
pub use connect::{Canceller, Session, connect, dial, log_in};
pub use error::{connector_error, dial_error};
pub use ident::{quote_identifier, quote_literal, quote_qualified};
