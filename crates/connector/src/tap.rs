//! The reading side of the contract for Singer taps: programs that read all their streams in one go and write records as
//! JSON, in whatever order they like.
//!
//! A [`Source`] is asked for one stream at a time and speaks of typed columns; a [`Tap`] gets all selected
//! streams at once and speaks of records. Its state is a document of its own, which only it understands.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use selvedge_types::Clock;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{ConnectorError, LogLevel, Source};

/// A source that reads all its streams in one go.
#[async_trait]
pub trait Tap: Send + Sync {
    /// Asks the tap what there is. This is also the test of its settings: a tap has no other.
    async fn discover(&self, ctx: &TapContext) -> Result<TapCatalog, ConnectorError>;

    /// Lets the tap read the selected streams, and emits what it says in its order. Returns when the tap has ended and all
    /// events are sent; early with [`crate::ErrorKind::Stopped`] when `ctx.stop` is cancelled or nobody listens any more. On
    /// every return no process of the tap is left.
    ///
    /// # Errors
    /// [`ConnectorError::code`] is the exit status of a tap that ended with another one than 0.
    async fn read(
        &self,
        ctx: TapContext,
        read: TapRead,
        out: TapSender,
    ) -> Result<(), ConnectorError>;
}

/// A source of either kind.
#[derive(Clone)]
pub enum AnySource {
    /// One of our own connectors.
    Native(Arc<dyn Source>),
    Tap(Arc<dyn Tap>),
}

/// Everything a tap needs from outside.
#[derive(Clone)]
pub struct TapContext {
    pub clock: Arc<dyn Clock>,
    /// Cancelled when the tap is to end.
    pub stop: CancellationToken,
    /// Records are handed on when there are about this many bytes of them, or when the tap says nothing more for a moment.
    pub batch_bytes: usize,
    /// Takes the tap's own words, without secrets, for the job's log.
    pub log: LogSink,
}

/// Where lines for a job's log go.
pub type LogSink = Arc<dyn Fn(LogLevel, &str) + Send + Sync>;

/// Where settings go that a tap replaced itself, a rotated refresh token for example.
#[async_trait]
pub trait SettingsStore: Send + Sync {
    /// Keeps the new values of these properties. They are durable when it returns.
    async fn save(&self, changed: Map<String, Value>) -> Result<(), ConnectorError>;
}

/// Metadata of a stream (`breadcrumb` empty) or of one of its fields (`["properties", "<field>"]`, and so on inwards).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapMetadata {
    pub breadcrumb: Vec<String>,
    pub metadata: Map<String, Value>,
}

/// What a tap offers.
#[derive(Clone, Debug, Default)]
pub struct TapCatalog {
    pub streams: Vec<TapStream>,
    /// The catalogue as the tap wrote it, to be given back to it with the choices marked.
    pub document: Value,
}

/// One stream of a tap.
#[derive(Clone, Debug, PartialEq)]
pub struct TapStream {
    /// Unique in the source, stable over time; the key of the stream in the tap's state.
    pub tap_stream_id: String,
    /// What the tap calls it in its messages, and the table's name.
    pub stream_name: String,
    /// JSON Schema of the records.
    pub schema: Value,
    /// What the tap says of the stream and its fields, without what users choose.
    pub metadata: Vec<TapMetadata>,
}

/// What a tap is to read.
#[derive(Clone, Debug)]
pub struct TapRead {
    /// [`TapCatalog::document`] of this run's discovery.
    pub document: Value,
    pub selected: Vec<TapSelection>,
    /// The state that was acknowledged last; `None` to read from the beginning.
    pub state: Option<Value>,
}

/// A stream that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct TapSelection {
    pub tap_stream_id: String,
    /// What the user chose for the stream and its fields: `selected`, `replication-method`, and so on.
    pub chosen: Vec<TapMetadata>,
    /// Top-level fields that replicate.
    pub fields: Vec<String>,
}

/// What a tap says while it reads.
#[derive(Debug)]
pub enum TapEvent {
    /// What the records of a stream look like from here on. Comes before the first of them.
    Schema(TapSchema),
    /// Consecutive records.
    Records(TapRecords),
    /// Rows of older versions of the stream are over.
    ActivateVersion { stream: Arc<str>, version: i64 },
    /// Where the tap would go on, once everything before is durable.
    State(Box<RawValue>),
    /// The tap wrote what cannot be taken. Everything before it counts, and nothing comes after it.
    Fault(ConnectorError),
}

/// A stream's SCHEMA message.
#[derive(Clone, Debug)]
pub struct TapSchema {
    /// As messages name it.
    pub stream: Arc<str>,
    /// A JSON Schema, an object; references are not resolved.
    pub schema: Arc<Value>,
    pub key_properties: Vec<String>,
    pub bookmark_properties: Vec<String>,
}

/// Records in the order they were written. Each is valid JSON and conforms to the schema of its stream.
#[derive(Debug)]
pub struct TapRecords {
    /// The text that the records are parts of.
    text: Arc<String>,
    records: Vec<TapRecord>,
}

/// Where a record stands, and what its message says besides.
#[derive(Clone, Copy, Debug)]
pub struct TapRecord {
    /// Counts streams in the order of their first SCHEMA message, from 0.
    pub stream: u32,
    /// Bytes of the block's text: the record, a JSON object.
    pub start: u32,
    pub end: u32,
    pub version: Option<i64>,
    /// Microseconds since the Unix epoch.
    pub extracted_at: Option<i64>,
}

impl TapRecords {
    /// Records of a text; see [`TapRecord`].
    ///
    /// # Errors
    /// A record lies outside of the text, or begins or ends within a character.
    pub fn new(text: Arc<String>, records: Vec<TapRecord>) -> Result<Self, ConnectorError> {
        let inside = |record: &TapRecord| text.get(record.start as usize..record.end as usize);
        if records.iter().any(|record| inside(record).is_none()) {
            return Err(ConnectorError::internal("a record lies outside its text"));
        }
        Ok(Self { text, records })
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Each record with its text.
    pub fn iter(&self) -> impl Iterator<Item = (&TapRecord, &str)> {
        self.records.iter().map(|record| {
            let range = record.start as usize..record.end as usize;
            // Looked at when the block was made.
            (record, self.text.get(range).unwrap_or_default())
        })
    }
}

/// The bounded way from a tap to the engine: a full channel stops the tap.
#[derive(Clone, Debug)]
pub struct TapSender(mpsc::Sender<TapEvent>);

/// A channel for `capacity` events.
pub fn tap_channel(capacity: usize) -> (TapSender, mpsc::Receiver<TapEvent>) {
    let (sender, receiver) = mpsc::channel(capacity);
    (TapSender(sender), receiver)
}

impl TapSender {
    /// Waits for room. Fails when the engine has stopped listening.
    pub async fn send(&self, event: TapEvent) -> Result<(), ConnectorError> {
        let sent = self.0.send(event).await;
        sent.map_err(|_| ConnectorError::stopped())
    }

    /// The same from a blocking thread.
    pub fn blocking_send(&self, event: TapEvent) -> Result<(), ConnectorError> {
        let sent = self.0.blocking_send(event);
        sent.map_err(|_| ConnectorError::stopped())
    }
}

impl fmt::Debug for TapContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TapContext").finish_non_exhaustive()
    }
}
