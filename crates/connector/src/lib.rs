//! The contract of all sources and destinations.
//!
//! Data goes one way: a [`Source`] reads and emits [`SourceEvent`]s, the engine numbers and routes them, a
//! [`TableWriter`] of a [`Destination`] writes [`ShapedBatch`]es and makes rows and position durable together. Only then
//! does the position advance. A crash anywhere repeats work and loses none:
//!
//! - **accepted is not durable**: [`TableWriter::write`] may lose everything until [`TableWriter::commit`] returned;
//! - every operation may be repeated after a crash, and must leave the same rows;
//! - the fence of the run's lease is checked inside the destination's transaction, so a late loser is harmless.

mod batch;
mod catalog;
mod check;
mod config;
mod context;
mod destination;
mod error;
mod key_order;
mod schema;
mod source;
mod tap;

pub use batch::{
    Instants, RecordTexts, RefusedRecord, Sequences, ShapedBatch, SubtableBatch, SystemValues,
};
pub use catalog::{Capabilities, Catalog, DiscoveredField, DiscoveredStream, MAX_STREAMS};
pub use check::{CheckReport, CheckStep};
pub use config::{ConnectionConfig, TypeFidelity};
pub use context::{CheckContext, DiscoverContext, LoadContext, ReadContext};
pub use destination::{
    Books, Checkpoint, CommitReport, Destination, LoadMode, Nesting, StreamIdentity,
    SubtableReport, TableTarget, TableWriter,
};
pub use error::{ConnectorError, ErrorKind};
pub use key_order::{KeyOrder, LastKey};
pub use schema::{Field, LogicalType, StreamSchema, TypeClass};
pub use source::{
    EventSender, KeyBound, LogLevel, ReadMethod, Source, SourceBatch, SourceEvent, StreamLocation,
    StreamRead, event_channel,
};
pub use tap::{
    AnySource, LogSink, SettingsStore, Tap, TapCatalog, TapContext, TapEvent, TapMetadata, TapRead,
    TapRecord, TapRecords, TapSchema, TapSelection, TapSender, TapStream, tap_channel,
};
