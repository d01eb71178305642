//! Accepted means durable: the intake log, where pushed data waits until it is loaded.
//!
//! [`IntakeLog`] is the contract; [`SegmentLog`] keeps it in the segment files of one directory. An entry is compressed and encrypted by
//! whoever appends it (`pack`), waits in a queue that is fair between accounts (`queue`), and is written by one thread (`writer`) that
//! syncs once for all that came together. What waits is known in memory by lane and segment (`index`); positions of closed segments are
//! found by scanning their headers. All changes on the disk go through [`Disk`].

mod budget;
mod bytes;
mod cache;
mod core;
mod disk;
mod entry;
mod frame;
mod index;
mod key;
mod log;
mod pack;
mod queue;
mod read;
mod recover;
mod release;
mod segment;
mod segment_log;
mod settings;
mod squeeze;
mod squeezed;
mod tidy;
mod writer;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use disk::{Disk, DiskFile, LocalDisk};
pub use entry::{Entry, Lane, Lsn, Part, StoredPart, WaitingLane};
pub use key::SpoolKey;
pub use log::{AppendError, Condition, IntakeLog, LogStatus, PartReader, ReadError, next_part};
pub use recover::OpenError;
pub use segment_log::SegmentLog;
pub use settings::Settings;
pub use squeezed::Squeezed;

/// Takes a lock whose holder may have panicked: no section under a lock of this crate leaves its data half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
