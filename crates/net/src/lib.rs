//! The one door to other machines. Every connection that leaves the process for a tenant goes through [`Dialer`]: the name
//! is resolved once, each address is held against the operator's networks, and the connection is made to that very
//! address, so that a second look-up cannot lead elsewhere.

mod dialer;
mod policy;
pub mod tls;

pub use dialer::{DialError, Dialer};
pub use policy::{Network, NetworkPolicy, ParseNetworkError};
