//! The words every crate of Selvedge uses. No I/O, no clock, no randomness: values come in as parameters.

mod ids;
pub mod job;
pub mod load;
pub mod schedule;
mod scope;
mod secret;
pub mod stream;
mod time;

pub use ids::{
    AccountId, CustomEmailId, DestinationId, FIRST_ID, HookId, ImportTokenId, SourceId, StreamId,
    TokenId,
};
pub use scope::AccountScope;
pub use secret::Secret;
pub use time::{Clock, ParseTimestampError, Timestamp};
