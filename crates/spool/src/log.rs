//! The contract of an intake log, whatever keeps it.

use async_trait::async_trait;
use selvedge_types::AccountId;
use tokio::sync::watch;
use uuid::Uuid;

use crate::entry::{Entry, Lane, Lsn, StoredPart, WaitingLane};

/// A durable log of accepted requests, read lane by lane.
///
/// - An entry is durable, whole and in order when its append has returned. One whose append failed or was dropped is there whole or not
///   at all.
/// - A lane is read in order and acknowledged from its beginning. The log keeps no durable memory of acknowledgements: the caller does,
///   best together with what it made of the parts, and gives them back when the log is opened. Parts are read again until then.
#[async_trait]
pub trait IntakeLog: Send + Sync {
    /// Identity of the log. Positions of another log mean nothing in this one.
    fn id(&self) -> Uuid;

    /// Returns when the entry is durable. Waits while too much waits to be written, see
    /// [`Settings::budget_bytes`](crate::Settings::budget_bytes).
    async fn append(&self, entry: Entry) -> Result<Lsn, AppendError>;

    /// The lanes in which something waits, in no order.
    fn lanes(&self) -> Vec<WaitingLane>;

    /// One of [`IntakeLog::lanes`]; None when nothing waits in it.
    fn waiting(&self, lane: &Lane) -> Option<WaitingLane>;

    /// Reads what waits in a lane after a position. Parts of the same entry for the same lane come one after the other and share
    /// their position. Entries that become durable meanwhile are read too.
    fn read(&self, lane: &Lane, after: Lsn) -> Box<dyn PartReader>;

    /// Position of the newest durable entry. Changes tell that there is more to read.
    fn durable(&self) -> watch::Receiver<Lsn>;

    /// From now on the lane begins after `upto`. Call it when the acknowledgement is durable elsewhere. Repeating it changes nothing.
    async fn acknowledge(&self, lane: &Lane, upto: Lsn) -> Result<(), ReadError>;

    /// As [`IntakeLog::acknowledge`], for parts that nobody will load; tells what they were, None when there were none. The caller's
    /// durable memory has to say the same, or the parts wait again after the next start.
    async fn discard(&self, lane: &Lane, upto: Lsn) -> Result<Option<WaitingLane>, ReadError>;

    /// Discards from each lane the parts at its beginning that are older than [`Settings::retention`](crate::Settings::retention),
    /// and tells what they were.
    async fn discard_expired(&self) -> Result<Vec<WaitingLane>, ReadError>;

    /// Whether entries can be kept, and how much is. Cheap enough for every health check.
    fn status(&self) -> LogStatus;

    /// Writes what waits and ends the log: later appends fail with [`AppendError::Closed`].
    async fn close(&self);
}

/// Reads the parts of one lane in order, one in memory at a time.
pub trait PartReader: Send {
    /// The next part; None when there is no more now, which may change. Blocks on the disk.
    fn next(&mut self) -> Result<Option<StoredPart>, ReadError>;
}

/// [`PartReader::next`] on a thread where blocking is allowed. The reader comes back with its answer.
pub async fn next_part(
    mut reader: Box<dyn PartReader>,
) -> (Box<dyn PartReader>, Result<Option<StoredPart>, ReadError>) {
    match tokio::task::spawn_blocking(move || {
        let next = reader.next();
        (reader, next)
    })
    .await
    {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that shuts down cancels blocking tasks.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Why an entry was not kept. Nothing of it will be read.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    #[error("an entry of {bytes} bytes is larger than the {limit} that the intake log takes")]
    TooLarge { bytes: u64, limit: u64 },
    #[error("account {account} has {waiting} bytes waiting in the intake log, of {quota} allowed")]
    QuotaExceeded {
        account: AccountId,
        waiting: u64,
        quota: u64,
    },
    /// Later appends work again when there is room.
    #[error("the disk of the intake log is full")]
    Full,
    #[error("the intake log cannot be written: {reason}")]
    Unavailable { reason: String },
    #[error("the intake log is closed")]
    Closed,
}

/// Why the log could not be read. Parts that were damaged on the disk are no such reason: they are reported, counted and left out.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("a segment of the intake log could not be read")]
    Io(#[from] std::io::Error),
    #[error("the runtime is shutting down")]
    ShuttingDown,
}

/// State of a log at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStatus {
    pub condition: Condition,
    pub durable: Lsn,
    /// No part at or before it waits, and none will: a caller may forget acknowledgements of lanes that end there.
    pub horizon: Lsn,
    pub segment_count: u64,
    /// Bytes of all segment files.
    pub disk_bytes: u64,
    pub waiting_lanes: u64,
    pub waiting_parts: u64,
    pub waiting_records: u64,
    pub waiting_bytes: u64,
    /// Damaged places that were found since the log was opened.
    pub damaged: u64,
}

/// Whether entries can be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Ready,
    /// Less room is left than the reserve, or a write found none.
    Full,
    /// The last write failed, and nothing has worked since.
    Failing {
        reason: String,
    },
    Closed,
}
