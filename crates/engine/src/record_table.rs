//! A table of JSON records while it is being written: records in, batches out.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, Destination, Instants, LoadMode, LogicalType,
    RefusedRecord, Sequences, ShapedBatch, SystemValues, TableTarget, TableWriter,
};
use selvedge_shape::json::JsonShaper;
use selvedge_types::load::FinishedLoad;
use selvedge_types::{Clock, Timestamp};
use serde_json::Value;

use crate::bookmark::ReplicationKeys;
use crate::limits::RunLimits;
use crate::{LoadNames, LoadSummary};

/// Texts of keys are documented as shorter. Longer ones are taken, but not by every destination.
pub(crate) const LONG_KEY_CHARACTERS: usize = 256;

/// What tables are written with.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: RunLimits,
}

/// A record and what came with it.
pub(crate) struct Given<'r> {
    /// The text of a JSON object.
    pub(crate) text: &'r str,
    /// Its `_sdc_sequence`.
    pub(crate) sequence: i64,
    /// Microseconds since the Unix epoch, like the next.
    pub(crate) extracted_at: Option<i64>,
    pub(crate) received_at: Option<i64>,
}

/// How records of a table are typed.
pub(crate) enum Typed<'s> {
    /// By a JSON Schema, and by their values where it says nothing.
    Schema(&'s Value),
    /// By their values alone.
    Values,
    /// By their values and the tags of their strings.
    Tags,
}

/// An open table, and the records on their way into it.
pub(crate) struct RecordTable {
    around: Surroundings,
    writer: Box<dyn TableWriter>,
    told: Told,
    shaper: Option<JsonShaper>,
    /// Replication keys of the records, for what is told of them.
    bookmark_names: Vec<String>,
    /// By row of the batch under way.
    sequences: Vec<i64>,
    /// Rows handed to the writer so far.
    rows: i64,
    extracted_at: Vec<Option<i64>>,
    received_at: Vec<Option<i64>>,
    /// Records of messages that are no JSON any more.
    damaged: Vec<RefusedRecord>,
    /// Bytes handed to the writer since the last commit.
    pub(crate) uncommitted_bytes: usize,
    given: u64,
    books: Books,
    not_finite: u64,
    /// A field of the key with a value that is longer than keys should be.
    long_key: Option<String>,
    /// What came since somebody was told.
    pub(crate) summary: LoadSummary,
}

impl RecordTable {
    pub(crate) fn new(
        around: &Surroundings,
        target: &TableTarget,
        writer: Box<dyn TableWriter>,
    ) -> Self {
        Self {
            around: around.clone(),
            told: Told {
                key: target.key.clone(),
                destination_table: writer.table_name().to_owned(),
                table_version: target.table_version,
                replaces: target.mode == LoadMode::Replace,
            },
            writer,
            shaper: None,
            bookmark_names: Vec::new(),
            sequences: Vec::new(),
            rows: 0,
            extracted_at: Vec::new(),
            received_at: Vec::new(),
            damaged: Vec::new(),
            uncommitted_bytes: 0,
            given: 0,
            books: Books::default(),
            not_finite: 0,
            long_key: None,
            summary: LoadSummary::default(),
        }
    }

    /// Whether a part's records can go in beside those before: the same set of key fields.
    pub(crate) fn takes(&self, key: &[String]) -> bool {
        self.told.key.len() == key.len() && key.iter().all(|name| self.told.key.contains(name))
    }

    /// What the destination remembers of the last commit, as it was when the table was opened.
    pub(crate) fn committed_position(&self) -> Option<&str> {
        self.writer.committed_position()
    }

    /// Records that follow are typed like this, and have these replication keys. Those before are handed to the writer.
    pub(crate) async fn type_records(
        &mut self,
        typed: Typed<'_>,
        bookmark_names: &[String],
    ) -> Result<(), ConnectorError> {
        self.flush().await?;
        self.bookmark_names = bookmark_names.to_vec();
        let nesting = self.around.destination.nesting();
        let destination = self.around.destination.display_name();
        let key = &self.told.key;
        self.shaper = Some(match typed {
            Typed::Schema(schema) => JsonShaper::with_schema(nesting, destination, key, schema),
            Typed::Values => JsonShaper::new(nesting, destination, key),
            Typed::Tags => JsonShaper::tagged(nesting, destination, key),
        });
        Ok(())
    }

    /// Takes a record. Whether there are enough of them now to be flushed, before the next one comes.
    #[inline]
    pub(crate) fn push(&mut self, record: &Given<'_>) -> bool {
        let Some(shaper) = &mut self.shaper else {
            return true;
        };
        self.given += 1;
        match shaper.push(record.text) {
            Ok(true) => {
                self.sequences.push(record.sequence);
                self.extracted_at.push(record.extracted_at);
                self.received_at.push(record.received_at);
            }
            Ok(false) => {}
            Err(malformed) => self.damaged.push(RefusedRecord {
                reason: malformed.to_string(),
                record: record.text.to_owned(),
            }),
        }
        shaper.is_full()
            || shaper.size_bytes() >= self.around.limits.batch_bytes
            || shaper.row_count() >= self.around.limits.batch_rows
    }

    /// Whether anything was written since the last commit.
    pub(crate) fn is_dirty(&self) -> bool {
        let waiting = |shaper: &JsonShaper| shaper.row_count() + shaper.refused_count() > 0;
        self.uncommitted_bytes > 0
            || !self.damaged.is_empty()
            || self.shaper.as_ref().is_some_and(waiting)
    }

    /// Values that are no numbers (NaN and the infinities) among what was flushed since the last call; they are NULL.
    pub(crate) fn take_not_finite(&mut self) -> u64 {
        std::mem::take(&mut self.not_finite)
    }

    /// A field of the key that had a value of [`LONG_KEY_CHARACTERS`] or more.
    pub(crate) fn long_key(&self) -> Option<&str> {
        self.long_key.as_deref()
    }

    /// Makes everything that was flushed durable.
    pub(crate) async fn commit(
        &mut self,
        upto: Checkpoint,
    ) -> Result<CommitReport, ConnectorError> {
        self.uncommitted_bytes = 0;
        let report = self.writer.commit(upto).await?;
        self.books += report.books;
        self.summary.add(&report);
        Ok(report)
    }

    /// What came since this was asked the last time.
    pub(crate) fn take_finished(
        &mut self,
        source_table: &str,
        now: Timestamp,
    ) -> Option<FinishedLoad> {
        let summary = std::mem::take(&mut self.summary);
        summary.finished(self.told.names(source_table, now))
    }

    /// What a commit brought that nobody heard of, by what was written beside its rows.
    pub(crate) fn unheard(&self, summary: LoadSummary, source_table: &str) -> Option<FinishedLoad> {
        summary
            .of_unheard_commit(&LoadSummary::default())
            .finished(self.told.names(source_table, self.around.clock.now()))
    }

    /// Commits, and leaves the table as it is to be. With what became of all its records, and what is to be told.
    pub(crate) async fn finish(
        self,
        upto: Checkpoint,
        source_table: &str,
    ) -> Result<(CommitReport, Books, Option<FinishedLoad>), ConnectorError> {
        let Self {
            writer,
            mut books,
            mut summary,
            given,
            told,
            around,
            ..
        } = self;
        let report = writer.finish(upto).await?;
        books += report.books;
        summary.add(&report);
        if books.total() != given {
            return Err(ConnectorError::internal(format!(
                "the books do not balance: {} records were accepted, {} are accounted for ({:?})",
                given,
                books.total(),
                books
            )));
        }
        let finished = summary.finished(told.names(source_table, around.clock.now()));
        Ok((report, books, finished))
    }

    /// Hands what was shaped to the writer.
    pub(crate) async fn flush(&mut self) -> Result<(), ConnectorError> {
        let Some(shaper) = &mut self.shaper else {
            return Ok(());
        };
        if shaper.row_count() + shaper.refused_count() + self.damaged.len() == 0 {
            return Ok(());
        }
        self.uncommitted_bytes += shaper.size_bytes();
        let sequences = std::mem::take(&mut self.sequences);
        let first_identity = self.rows;
        self.rows = first_identity.wrapping_add_unsigned(sequences.len() as u64);
        let system = SystemValues {
            extracted_at: instants(&mut self.extracted_at),
            received_at: instants(&mut self.received_at),
            batched_at: self.around.clock.now(),
            sequences: Sequences::Given {
                each: sequences.into(),
                first_identity,
            },
            table_version: self.told.table_version,
        };
        let mut batch = shaper
            .finish(system)
            .map_err(|error| ConnectorError::internal(error.to_string()))?;
        self.not_finite += shaper.take_not_finite();
        batch.refused.append(&mut self.damaged);
        if self.long_key.is_none() {
            self.long_key = long_key(&batch, &self.told.key);
        }
        let keys = ReplicationKeys::AnyOrder(&self.bookmark_names);
        self.summary.observe(&batch, keys);
        self.writer.write(batch).await
    }
}

/// The first field of the key that has a long value.
fn long_key(batch: &ShapedBatch, key: &[String]) -> Option<String> {
    let is_long = |text: &str| {
        // No character is longer than its bytes.
        text.len() >= LONG_KEY_CHARACTERS && text.chars().nth(LONG_KEY_CHARACTERS - 1).is_some()
    };
    let fields = batch.schema.fields.iter().zip(batch.records.columns());
    let mut texts = fields.filter(|(field, _)| {
        field.logical_type == LogicalType::Text && key.iter().any(|name| field.is_top_level(name))
    });
    let long = texts.find(|(_, array)| array.as_string::<i32>().iter().flatten().any(is_long));
    long.map(|(field, _)| field.name.clone())
}

/// What loads of a table are told with.
struct Told {
    key: Vec<String>,
    /// The table's name in the destination.
    destination_table: String,
    table_version: i64,
    replaces: bool,
}

impl Told {
    fn names<'a>(&'a self, source_table: &'a str, now: Timestamp) -> LoadNames<'a> {
        LoadNames {
            source_table,
            destination_table: &self.destination_table,
            table_version: self.table_version,
            new_version: self.replaces,
            primary_keys: &self.key,
            now,
        }
    }
}

/// The column, all of one value where it is.
fn instants(each: &mut Vec<Option<i64>>) -> Instants {
    let each = std::mem::take(each);
    let first = each.first().copied().flatten();
    if each.iter().all(|instant| *instant == first) {
        Instants::Same(first.map(Timestamp::from_micros))
    } else {
        Instants::Each(each.into())
    }
}
