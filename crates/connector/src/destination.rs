//! The writing side of the contract.

use std::ops::AddAssign;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    CheckContext, CheckReport, ConnectorError, LoadContext, ShapedBatch, StreamSchema, TypeFidelity,
};

/// A configured connection that data is written to.
#[async_trait]
pub trait Destination: Send + Sync {
    /// The destination's name in messages, for example `PostgreSQL`.
    fn display_name(&self) -> &'static str;

    /// Which column types arrive unchanged.
    fn fidelity(&self) -> TypeFidelity;

    /// What becomes of objects and arrays.
    fn nesting(&self) -> Nesting;

    /// The name a table gets here after the destination's naming rules: two streams with one name would write one table.
    fn resolved_table_name(&self, table_name: &str) -> String {
        table_name.to_owned()
    }

    /// Tests the settings, doing only what a load will do, and leaves nothing behind.
    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError>;

    /// Prepares one table: reads its state in the destination, decides how rows will get in, and recovers whatever an
    /// earlier run of the same stream left half done. Creates nothing before the first row.
    async fn open(
        &self,
        ctx: LoadContext,
        target: TableTarget,
    ) -> Result<Box<dyn TableWriter>, ConnectorError>;
}

/// What becomes of objects and arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// Properties of objects become columns `object__property`, items of arrays rows of subtables.
    Subtables,
    /// Both stay whole, as compact JSON text of type [`crate::LogicalType::Json`].
    Json,
}

/// Who writes: the stream, and which of its lives this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamIdentity {
    /// Source id; 0 for a one-off copy.
    pub source_id: i64,
    pub tap_stream_id: String,
    /// Counts resets, switches of destination and changes of method or key. What the destination remembers of an older
    /// epoch undoes nothing.
    pub epoch: i64,
}

/// What a run does to the table as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadMode {
    /// Rows are added: upserted by key where there is one, appended otherwise.
    Merge,
    /// The rows of this run take the place of all rows there are, in one step, when the writer finishes. If the table does
    /// not exist yet (or an earlier first load was cut short), rows go straight into it and are visible as they come.
    Replace,
}

/// The table to write.
#[derive(Clone, Debug)]
pub struct TableTarget {
    pub identity: StreamIdentity,
    /// Schema of the source in the destination (`name` of the source), a valid identifier everywhere.
    pub schema_name: String,
    /// The stream's name before the destination's own naming rules.
    pub table_name: String,
    /// The fields that will come, under their source names.
    pub schema: Arc<StreamSchema>,
    /// Key fields by source name; empty for a keyless table, which gets `__sdc_primary_key`.
    pub key: Vec<String>,
    pub mode: LoadMode,
    /// Value of `_sdc_table_version`: epoch milliseconds for a full-table run, 0 for unversioned tables.
    pub table_version: i64,
}

/// A point in the run up to which everything is to be made durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Counts the checkpoints of the stream in this run, from 1.
    pub number: i64,
    /// How far the stream is when this is durable: a text of the engine's own, to be kept in the commit mark and given back
    /// by [`TableWriter::committed_position`].
    pub position: Option<String>,
}

/// Where the records of a stream went. Everything handed to [`TableWriter::write`] ends in exactly one of these; the rows
/// of its subtables share a record's fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// Rows now in the table (or in its next version).
    pub written: u64,
    /// Rows replaced by a newer row of the same key within the load.
    pub superseded: u64,
    /// Rows with a smaller or equal sequence than the stored row.
    pub older_sequence: u64,
    /// Rows without a complete key.
    pub null_key: u64,
    /// Rows of a table version that is no longer current.
    pub old_version: u64,
    /// Rows in `_sdc_rejected`.
    pub rejected: u64,
}

impl Books {
    /// All rows accounted for.
    pub fn total(&self) -> u64 {
        self.written
            + self.superseded
            + self.older_sequence
            + self.null_key
            + self.old_version
            + self.rejected
    }
}

impl AddAssign for Books {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.superseded += other.superseded;
        self.older_sequence += other.older_sequence;
        self.null_key += other.null_key;
        self.old_version += other.old_version;
        self.rejected += other.rejected;
    }
}

/// What a commit achieved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// The records since the last report.
    pub books: Books,
    /// The objects that the records went to since the last report, each as `bucket/key`. `None` where the destination is no
    /// object storage.
    pub objects: Option<Vec<String>>,
    /// The subtables that got rows since the last report, each once; the books count records only.
    pub subtables: Vec<SubtableReport>,
    /// Whether the checkpoint's position may be stored: false while a replacement is being built, because a cut-short
    /// replacement starts over.
    pub durable: bool,
    /// Lines for the job's log, for example about columns that were split or rejected.
    pub notes: Vec<String>,
}

impl CommitReport {
    /// Rows of all subtables.
    pub fn subtable_rows(&self) -> u64 {
        self.subtables
            .iter()
            .map(|subtable| subtable.row_count)
            .sum()
    }

    /// Rows that were written: records and items.
    pub fn row_count(&self) -> u64 {
        self.books.written + self.subtable_rows()
    }
}

/// Rows of one subtable. What keeps out an item keeps out its record, so rejections are counted there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubtableReport {
    /// The subtable's name in the destination.
    pub table_name: String,
    /// Where in the record its items come from: [`crate::SubtableBatch::path`].
    pub path: Vec<String>,
    pub row_count: u64,
    /// As [`CommitReport::objects`].
    pub objects: Option<Vec<String>>,
}

/// Writes one table. Dropping it without [`TableWriter::finish`] leaves the destination as the last commit left it.
#[async_trait]
pub trait TableWriter: Send {
    /// The table's name in the destination, without its schema where the destination has schemas.
    fn table_name(&self) -> &str;

    /// The [`Checkpoint::position`] of the last commit that this stream made to this table in this epoch, as it was when the
    /// table was opened. By it a run finds out whether its predecessor died after a commit that nobody heard of.
    fn committed_position(&self) -> Option<&str>;

    /// Takes rows; not durable. Schema changes (a new field, a new type) are carried out here.
    async fn write(&mut self, batch: ShapedBatch) -> Result<(), ConnectorError>;

    /// Makes everything written so far durable, together with the commit mark. Refuses when the destination has seen a
    /// greater fence. Also called without rows in between.
    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError>;

    /// The stream was read to its end: commits, activates the new version (replacement) and builds keys that a first load
    /// left for later. After this the table is right.
    async fn finish(self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError>;
}
