//! One load of one lane: records that were accepted and kept on their way into one table.
//!
//! The records of a lane come in parts, each with its place in the log. A load reads them in order, writes them, and commits
//! rows and place together; only then is the place saved, and whatever is before it forgotten by the log. Where the
//! destination has transactions no part is loaded twice, whenever the process dies.
//!
//! Records of a newer version of the table than the current one wait in the log until that version is activated; then they
//! take the place of all rows in one step.

mod load;
mod table;

use async_trait::async_trait;
use bytes::Bytes;
use selvedge_connector::{Books, ConnectorError, LogLevel};
use selvedge_intake::PartHeader;
use selvedge_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{JournalError, LoadSummary, Loaded};

pub use load::{LaneLoad, LaneReport};

/// Place of a part in the log, ascending from 1.
pub type LogPosition = u64;

/// Records that were accepted together.
#[derive(Clone, Debug)]
pub struct LanePart {
    /// Parts of one request have the same.
    pub at: LogPosition,
    pub received_at: Timestamp,
    pub header: PartHeader,
    /// See [`selvedge_intake::Part::messages`].
    pub messages: Bytes,
    pub record_count: u32,
    /// Whether one of the messages activates the part's version.
    pub activates: bool,
}

/// The parts of a lane, up to where it ended when the load began.
#[async_trait]
pub trait LaneParts: Send {
    /// The next part; `None` behind the last.
    async fn next(&mut self) -> Result<Option<LanePart>, ConnectorError>;

    /// Goes on with the first part behind `after`.
    async fn seek(&mut self, after: LogPosition) -> Result<(), ConnectorError>;
}

/// How far a lane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanePosition {
    /// Everything up to here is loaded or accounted for.
    pub upto: LogPosition,
    /// Up to here that is so for the current version and older ones. Parts between the two that are not done belong to newer
    /// versions, which are not activated yet.
    pub through: LogPosition,
    /// The current version of the table, once records or an activation named one.
    pub table_version: Option<i64>,
}

/// A lane's position as the destination keeps it beside the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CommittedPosition {
    /// The lane that the places are of.
    lane: String,
    #[serde(flatten)]
    position: LanePosition,
    /// What the commit brought, so that it is told of even if nobody heard of it.
    #[serde(default)]
    summary: LoadSummary,
}

/// The memory of a load.
#[async_trait]
pub trait LaneJournal: Send + Sync {
    /// Keeps a position, after the destination has committed everything before it. What became durable with it is noted, and
    /// told, in the same step.
    async fn save(
        &self,
        position: LanePosition,
        loaded: Option<Loaded<'_>>,
    ) -> Result<(), JournalError>;

    /// A line about the load. Never carries secrets or row values.
    fn log(&self, level: LogLevel, text: &str);
}

/// Why a load ended before its time. Everything up to the position saved last is loaded.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The destination did not take the records, or cannot be reached.
    #[error("{0}")]
    Target(ConnectorError),
    /// The log could not be read.
    #[error("the accepted records could not be read: {0}")]
    Log(ConnectorError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// What became of the records of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneBooks {
    pub books: Books,
    /// Records of newer versions, which wait.
    pub held: u64,
}
