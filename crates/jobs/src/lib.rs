//! When and where runs happen.
//!
//! The [`Runner`] of a node asks the store for due sources, claims jobs, and gives each its own task. A job lives under a
//! lease with a fencing number: its heartbeat extends the lease, writes progress and hears of stop requests; when the lease
//! is lost, the job ends without a trace and whoever holds the newer fence goes on.
//!
//! The [`LaneRunner`] loads what was pushed: no job, but a load per table whenever enough waits.
//!
//! Beside it, [`Delivery`] tells hooks of the loads that came to their end.

mod check_job;
mod connections;
mod delivery;
mod journal;
mod lanes;
mod lease;
mod log;
pub mod metrics;
mod recording;
mod rotated;
mod runner;
mod shared;
mod sync_job;

pub use delivery::{Delivery, DeliverySettings};
pub use lanes::{LaneRunner, LaneSettings};
pub use log::LogDirectory;
pub use runner::{Runner, RunnerSettings};
