//! One stream of a tap and its table, while the tap runs.

use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, LoadContext, StreamIdentity, StreamSchema,
    TableTarget, TapSchema,
};
use selvedge_types::load::FinishedLoad;
use serde::{Deserialize, Serialize};

use super::version::{Next, Place, Versions};
use crate::plan::PlanSettings;
use crate::record_table::{Given, RecordTable, Surroundings, Typed};

/// A stream that the tap has described.
pub(super) struct TapTable {
    pub(super) tap_stream_id: String,
    pub(super) epoch: i64,
    /// What the tap said last of its records.
    pub(super) schema: TapSchema,
    pub(super) versions: Versions,
    /// Whether its records go anywhere at all.
    pub(super) is_wanted: bool,
    /// Whether the user has all of it read each time: then nothing is a bookmark, whatever the tap says.
    pub(super) is_full_table: bool,
    /// Why nothing goes into it any more in this run.
    pub(super) failure: Option<ConnectorError>,
    /// A replacement was begun and will not come to its end in this run.
    abandoned: bool,
    open: Option<Open>,
    /// Records that came.
    pub(super) row_count: u64,
    pub(super) books: Books,
    /// The block of records that it was used for last; 0 before the first.
    pub(super) used: u64,
    checkpoints: i64,
    pub(super) not_finite: u64,
}

/// The table while it can be written.
struct Open {
    records: RecordTable,
    next: Next,
}

/// What the destination keeps of a commit. Where the tap would go on is its state's business, which spans all tables.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct CommitMark {
    pub(super) last_sequence: i64,
    /// The version that readers see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) table_version: Option<i64>,
}

/// Rows that became durable, and the load that ended with them.
pub(super) struct Durable {
    pub(super) table_name: String,
    pub(super) row_count: u64,
    pub(super) finished: Option<FinishedLoad>,
    /// Lines for the log.
    pub(super) notes: Vec<String>,
}

impl TapTable {
    pub(super) fn new(
        tap_stream_id: String,
        epoch: i64,
        schema: TapSchema,
        versions: Versions,
    ) -> Self {
        Self {
            tap_stream_id,
            epoch,
            schema,
            versions,
            is_wanted: true,
            is_full_table: false,
            failure: None,
            abandoned: false,
            open: None,
            row_count: 0,
            books: Books::default(),
            used: 0,
            checkpoints: 0,
            not_finite: 0,
        }
    }

    /// A stream that the tap reads though nobody selected it.
    pub(super) fn unwanted(schema: TapSchema) -> Self {
        Self {
            is_wanted: false,
            ..Self::new(schema.stream.to_string(), 1, schema, Versions::default())
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.schema.stream
    }

    /// The replacement under way.
    pub(super) fn next(&self) -> Next {
        self.open.as_ref().and_then(|open| open.next)
    }

    /// Open for rows that readers see as they come: such a table can be closed at any time.
    pub(super) fn is_open_for_merging(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.next.is_none())
    }

    /// Whether rows that came for the stream are not in the table that readers see: its bookmark must not advance.
    pub(super) fn is_held(&self) -> bool {
        self.failure.is_some() || self.abandoned || self.next().is_some()
    }

    pub(super) fn is_dirty(&self) -> bool {
        let dirty = |open: &Open| open.records.is_dirty();
        self.open.as_ref().is_some_and(dirty)
    }

    pub(super) fn uncommitted_bytes(&self) -> usize {
        let bytes = |open: &Open| open.records.uncommitted_bytes;
        self.open.as_ref().map_or(0, bytes)
    }

    /// Whether records for this place can be pushed as things are.
    #[inline]
    pub(super) fn is_open_for(&self, place: Place) -> bool {
        match (&self.open, place) {
            (Some(open), Place::Current) => open.next.is_none(),
            (Some(open), Place::Next(version)) => open.next == Some(version),
            _ => false,
        }
    }

    /// A replacement that began without a version goes on as this one's.
    pub(super) fn adopt(&mut self, version: Option<i64>) -> bool {
        match &mut self.open {
            Some(open) if open.next == Some(None) => {
                open.next = Some(version);
                true
            }
            _ => false,
        }
    }

    /// Opens the table. What is open must have been closed. With what the destination knows of the last commit, which may be
    /// more than was saved.
    pub(super) async fn open(
        &mut self,
        place: Place,
        around: &Surroundings,
        load: &LoadContext,
        settings: &PlanSettings,
    ) -> Result<Option<CommitMark>, ConnectorError> {
        let next = match place {
            Place::Next(version) => Some(version),
            Place::Current | Place::Old => None,
        };
        let table_version = next.flatten().or(self.versions.current);
        let target = TableTarget {
            identity: StreamIdentity {
                source_id: settings.source_id,
                tap_stream_id: self.tap_stream_id.clone(),
                epoch: self.epoch,
            },
            schema_name: settings.schema_name.clone(),
            table_name: self.name().to_owned(),
            schema: StreamSchema::new(Vec::new()),
            key: self.schema.key_properties.clone(),
            mode: place.mode(),
            table_version: table_version.unwrap_or(0),
        };
        let opened = around.destination.open(load.clone(), target.clone());
        let mut records = RecordTable::new(around, &target, opened.await?);
        let typed = Typed::Schema(&self.schema.schema);
        let bookmark_names = bookmark_names(&self.schema, self.is_full_table);
        records.type_records(typed, bookmark_names).await?;
        // A text that is no mark of ours was written by a native connector of the same source.
        let mark = records.committed_position().map(serde_json::from_str);
        let mark: Option<CommitMark> = mark.and_then(Result::ok);
        self.open = Some(Open { records, next });
        Ok(mark)
    }

    /// Takes a record; the table is open for it. Whether it should be flushed.
    #[inline]
    pub(super) fn push(&mut self, record: &Given<'_>) -> bool {
        self.row_count += 1;
        match &mut self.open {
            Some(open) => open.records.push(record),
            None => false,
        }
    }

    pub(super) async fn flush(&mut self) -> Result<(), ConnectorError> {
        match &mut self.open {
            Some(open) => open.records.flush().await,
            None => Ok(()),
        }
    }

    /// The tap describes its records anew. Whether the table has to be closed for it.
    pub(super) async fn describe(&mut self, schema: TapSchema) -> Result<bool, ConnectorError> {
        let is_full_table = self.is_full_table;
        let other_key = match &mut self.open {
            Some(open) => {
                let typed = Typed::Schema(&schema.schema);
                let bookmark_names = bookmark_names(&schema, is_full_table);
                open.records.type_records(typed, bookmark_names).await?;
                !open.records.takes(&schema.key_properties)
            }
            None => false,
        };
        self.schema = schema;
        Ok(other_key)
    }

    /// Makes what was written durable. What of it readers see is told.
    pub(super) async fn commit(
        &mut self,
        around: &Surroundings,
        last_sequence: i64,
    ) -> Result<Option<Durable>, ConnectorError> {
        let upto = self.next_checkpoint(last_sequence)?;
        let Some(open) = &mut self.open else {
            return Ok(None);
        };
        open.records.flush().await?;
        self.not_finite += open.records.take_not_finite();
        let report = open.records.commit(upto).await?;
        self.books += report.books;
        let table_name = self.schema.stream.to_string();
        let finished = match report.durable {
            true => open.records.take_finished(&table_name, around.clock.now()),
            false => None,
        };
        Ok(Some(Durable {
            row_count: if report.durable {
                report.row_count()
            } else {
                0
            },
            table_name,
            finished,
            notes: report.notes,
        }))
    }

    /// Commits and closes the table; a replacement takes the table's place.
    pub(super) async fn finish(
        &mut self,
        last_sequence: i64,
    ) -> Result<Option<Durable>, ConnectorError> {
        let upto = self.next_checkpoint(last_sequence)?;
        let Some(mut open) = self.open.take() else {
            return Ok(None);
        };
        open.records.flush().await?;
        self.not_finite += open.records.take_not_finite();
        let table_name = self.schema.stream.to_string();
        let (report, _, finished) = open.records.finish(upto, &table_name).await?;
        // Those of its commits were counted before.
        self.books += report.books;
        if open.next.is_some() {
            self.abandoned = false;
        }
        Ok(Some(durable(table_name, report, finished)))
    }

    /// Gives up a replacement that will not be activated in this run; the table stays as it was.
    pub(super) fn abandon(&mut self) {
        if let Some(open) = self.open.take() {
            self.abandoned |= open.next.is_some();
            let accounted = self.books.total();
            // Whatever of it was counted as written is not seen by anybody.
            self.books.old_version += self.row_count.saturating_sub(accounted);
        }
    }

    /// Nothing goes into the table any more.
    pub(super) fn fail(&mut self, error: ConnectorError) {
        self.open = None;
        self.failure = Some(error);
    }

    fn next_checkpoint(&mut self, last_sequence: i64) -> Result<Checkpoint, ConnectorError> {
        self.checkpoints += 1;
        let mark = serde_json::to_string(&CommitMark {
            last_sequence,
            table_version: self.versions.current,
        })
        .map_err(|error| ConnectorError::internal(error.to_string()))?;
        Ok(Checkpoint {
            number: self.checkpoints,
            position: Some(mark),
        })
    }
}

/// The replication keys of a stream.
fn bookmark_names(schema: &TapSchema, is_full_table: bool) -> &[String] {
    match is_full_table {
        true => &[],
        false => &schema.bookmark_properties,
    }
}

fn durable(table_name: String, report: CommitReport, finished: Option<FinishedLoad>) -> Durable {
    Durable {
        row_count: report.row_count(),
        table_name,
        finished,
        notes: report.notes,
    }
}
