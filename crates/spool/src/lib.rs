//! Accepted means durable: the intake log, where pushed data waits until it is loaded.
//!
//! [`IntakeLog`] is the contract of whatever keeps it.

mod entry;
mod log;
mod settings;

pub use entry::{Entry, Lane, Lsn, Part, StoredPart, WaitingLane};
pub use log::{AppendError, Condition, IntakeLog, LogStatus, PartReader, ReadError, next_part};
pub use settings::Settings;
