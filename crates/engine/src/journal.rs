//! Where a run's memory and its words go: the port that the server implements on its store, and a one-off copy in memory.

use async_trait::async_trait;
use selvedge_connector::{Catalog, ConnectorError, LogLevel};
use selvedge_types::Timestamp;
use selvedge_types::load::FinishedLoad;

use crate::{StreamChoice, StreamListing, StreamPosition, TapPosition, TapStreamState};

/// Who speaks in the job's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// Orchestration and discovery.
    Main,
    /// Reading.
    Tap,
    /// Writing.
    Target,
}

impl Component {
    pub fn as_str(self) -> &'static str {
        match self {
            Component::Main => "main",
            Component::Tap => "tap",
            Component::Target => "target",
        }
    }
}

/// Why the journal did not take an entry.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another run holds a newer lease: this one must end without a trace.
    #[error("another run of this source has taken over")]
    Fenced,
    /// The stream was reset or removed while it was read: what this run knows of it belongs to an older life.
    #[error("the stream was reset while it was being read")]
    StreamReset,
    /// The store failed.
    #[error("the run could not be recorded: {0}")]
    Store(String),
}

impl JournalError {
    fn no_taps() -> Self {
        Self::Store("taps are not remembered here".to_owned())
    }
}

/// What is known of one stream when the run starts.
#[derive(Clone, Debug)]
pub struct StreamState {
    pub tap_stream_id: String,
    pub choice: StreamChoice,
    pub position: Option<StreamPosition>,
    /// Lives of the stream, from 1; see [`selvedge_connector::StreamIdentity`].
    pub epoch: i64,
}

/// Rows of a stream that have become durable in the destination.
#[derive(Clone, Copy, Debug)]
pub struct Loaded<'a> {
    pub table_name: &'a str,
    pub at: Timestamp,
    pub row_count: u64,
    /// The load that ended with them: hooks are to be told.
    pub finished: Option<&'a FinishedLoad>,
}

/// How far a job has come; what it did before it was interrupted counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub row_count: u64,
    pub size_bytes: u64,
    pub streams_done: u32,
    pub streams_total: u32,
    /// The stream being copied, and the source's estimate of its rows.
    pub current: Option<(String, Option<u64>)>,
}

/// The memory of a run. Every durable entry is refused with [`JournalError::Fenced`] once a newer lease exists.
#[async_trait]
pub trait RunJournal: Send + Sync {
    /// Keeps what discovery found and answers with what is known of each stream, in catalog order.
    async fn discovered(&self, catalog: &Catalog) -> Result<Vec<StreamState>, JournalError>;

    /// Forgets the stream's position and starts its next epoch, which is returned.
    async fn reset(&self, tap_stream_id: &str) -> Result<i64, JournalError>;

    /// Keeps a position; called only after the destination has committed everything before it. What became durable with it
    /// is noted in the same step: all is kept, or nothing.
    async fn save_position(
        &self,
        tap_stream_id: &str,
        position: &StreamPosition,
        loaded: Option<Loaded<'_>>,
    ) -> Result<(), JournalError>;

    /// As [`RunJournal::discovered`], for a tap: the selected streams, in catalogue order. Only for memories that keep taps,
    /// like the next two.
    async fn discovered_by_tap(
        &self,
        _listings: Vec<StreamListing>,
    ) -> Result<Vec<TapStreamState>, JournalError> {
        Err(JournalError::no_taps())
    }

    /// How far the source's tap is; the default for one that never ran.
    async fn tap_position(&self) -> Result<TapPosition, JournalError> {
        Err(JournalError::no_taps())
    }

    /// As [`RunJournal::save_position`], for a tap and all its tables.
    async fn save_tap_position(
        &self,
        _position: &TapPosition,
        _loaded: &[Loaded<'_>],
    ) -> Result<(), JournalError> {
        Err(JournalError::no_taps())
    }

    /// A stream could not be loaded.
    async fn load_failed(
        &self,
        table_name: &str,
        error: &ConnectorError,
    ) -> Result<(), JournalError>;

    /// A line for the job's log. Never carries secrets or row values.
    fn log(&self, component: Component, level: LogLevel, text: &str);

    /// Called often; must be cheap.
    fn progress(&self, progress: &Progress);
}
