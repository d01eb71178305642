//! The reading side of the contract.

use std::sync::Arc;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    Capabilities, Catalog, CheckContext, CheckReport, ConnectorError, DiscoverContext, ReadContext,
    StreamSchema,
};

/// A configured connection that data is read from.
#[async_trait]
pub trait Source: Send + Sync {
    fn capabilities(&self) -> Capabilities;

    /// Tests the settings without side effects, doing only what a run will do. A refused setting is a failed step, not
    /// an `Err`; `Err` is for a check that could not be carried out at all.
    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError>;

    /// Lists streams and fields from the source's own catalogue; reads no rows.
    async fn discover(&self, ctx: &DiscoverContext) -> Result<Catalog, ConnectorError>;

    /// Reads one stream to its end and emits its events in order. Returns early with [`crate::ErrorKind::Stopped`] when
    /// `ctx.stop` is cancelled or nobody listens any more.
    async fn read(
        &self,
        ctx: ReadContext,
        stream: StreamRead,
        out: EventSender,
    ) -> Result<(), ConnectorError>;
}

/// Where a stream lives in the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamLocation {
    pub database: String,
    pub schema: String,
    pub table: String,
}

/// One stream to be read.
#[derive(Clone, Debug)]
pub struct StreamRead {
    pub tap_stream_id: String,
    pub location: StreamLocation,
    /// The fields to read, in this order: the selected ones, keys included.
    pub schema: Arc<StreamSchema>,
    pub method: ReadMethod,
}

/// How the stream is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadMethod {
    /// Every row.
    FullTable,
    /// Rows ordered by `key` (a field of the schema). Without `from`: all rows, NULL keys first. With it: the rows behind
    /// that bound, and none with a NULL key.
    Incremental { key: String, from: Option<KeyBound> },
}

/// Where an incremental read begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBound {
    /// A key value in canonical text, as a position gave it.
    pub value: String,
    /// Whether rows with this very value are read. The first read after a complete one includes them, because more of them
    /// may have come; one that goes on behind [`SourceEvent::Passed`] does not.
    pub inclusive: bool,
}

/// What a source says while it reads.
#[derive(Debug)]
pub enum SourceEvent {
    Batch(SourceBatch),
    /// Every row with a replication key of at most this value (canonical text of the key's type) came before this event, and
    /// there are rows with a greater one: reading can go on behind it, and no row is read twice. Only for incremental reads;
    /// [`crate::KeyOrder`] says when.
    Passed(String),
    /// No row before this event has a greater key, but more rows with this one may come: reading can go on **from** it.
    /// Behind the last row of an incremental read it is the position of the next one.
    Position(String),
    /// A line for the job's log.
    Log(LogLevel, String),
}

/// Rows, in the order they were read.
#[derive(Debug)]
pub struct SourceBatch {
    /// Normally the schema that was asked for, the same `Arc`; another one when the source had to add fields.
    pub schema: Arc<StreamSchema>,
    pub records: RecordBatch,
}

/// Level of a job log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl LogLevel {
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warning => "WARNING",
            LogLevel::Error => "ERROR",
            LogLevel::Critical => "CRITICAL",
        }
    }
}

/// The bounded way from a source to the engine: a full channel is the back-pressure.
#[derive(Clone, Debug)]
pub struct EventSender(mpsc::Sender<SourceEvent>);

/// A channel for `capacity` events. Batches are bounded in bytes, so this bounds the memory between source and engine.
pub fn event_channel(capacity: usize) -> (EventSender, mpsc::Receiver<SourceEvent>) {
    let (sender, receiver) = mpsc::channel(capacity);
    (EventSender(sender), receiver)
}

impl EventSender {
    /// Waits for room. Fails when the engine has stopped listening.
    pub async fn send(&self, event: SourceEvent) -> Result<(), ConnectorError> {
        self.0
            .send(event)
            .await
            .map_err(|_| ConnectorError::stopped())
    }

    /// The same from a blocking thread.
    pub fn blocking_send(&self, event: SourceEvent) -> Result<(), ConnectorError> {
        self.0
            .blocking_send(event)
            .map_err(|_| ConnectorError::stopped())
    }
}
