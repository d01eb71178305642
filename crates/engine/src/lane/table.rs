//! The table of a lane while it is being written: messages in, batches out.

use std::sync::Arc;

use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, Destination, Instants, LoadMode,
    RefusedRecord, Sequences, SystemValues, TableTarget, TableWriter,
};
use selvedge_intake::{Message, Messages, Typing};
use selvedge_shape::json::JsonShaper;
use selvedge_types::load::FinishedLoad;
use selvedge_types::{Clock, Timestamp};

use super::{LaneError, LanePart};
use crate::limits::RunLimits;
use crate::{LoadNames, LoadSummary};

/// What tables are written with.
pub(super) struct Surroundings {
    pub(super) destination: Arc<dyn Destination>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: RunLimits,
}

/// An open table, and the records on their way into it.
pub(super) struct LaneTable<'a> {
    around: &'a Surroundings,
    writer: Box<dyn TableWriter>,
    told: Told,
    /// For records of this typing; another typing takes another shaper.
    shaper: Option<(Typing, JsonShaper)>,
    /// By row of the batch under way.
    sequences: Vec<i64>,
    /// Rows handed to the writer so far.
    rows: i64,
    extracted_at: Vec<Option<i64>>,
    received_at: Vec<Option<i64>>,
    /// Records of messages that are no JSON any more.
    damaged: Vec<RefusedRecord>,
    /// Bytes handed to the writer since the last commit.
    pub(super) uncommitted_bytes: usize,
    given: u64,
    books: Books,
    /// What came since somebody was told.
    pub(super) summary: LoadSummary,
}

impl<'a> LaneTable<'a> {
    pub(super) fn new(
        around: &'a Surroundings,
        target: &TableTarget,
        writer: Box<dyn TableWriter>,
    ) -> Self {
        Self {
            around,
            told: Told {
                key: target.key.clone(),
                destination_table: writer.table_name().to_owned(),
                table_version: target.table_version,
                replaces: target.mode == LoadMode::Replace,
            },
            writer,
            shaper: None,
            sequences: Vec::new(),
            rows: 0,
            extracted_at: Vec::new(),
            received_at: Vec::new(),
            damaged: Vec::new(),
            uncommitted_bytes: 0,
            given: 0,
            books: Books::default(),
            summary: LoadSummary::default(),
        }
    }

    /// Whether a part's records can go in beside those before: the same set of key fields.
    pub(super) fn takes(&self, key: &[String]) -> bool {
        self.told.key.len() == key.len() && key.iter().all(|name| self.told.key.contains(name))
    }

    /// What the destination remembers of the last commit, as it was when the table was opened.
    pub(super) fn committed_position(&self) -> Option<&str> {
        self.writer.committed_position()
    }

    /// Takes all records of a part.
    pub(super) async fn write(&mut self, part: &LanePart) -> Result<(), LaneError> {
        if self
            .shaper
            .as_ref()
            .is_none_or(|(typing, _)| *typing != part.header.typing)
        {
            self.flush().await?;
            let shaper = self.new_shaper(&part.header.typing)?;
            self.shaper = Some((part.header.typing.clone(), shaper));
        }
        let text = match std::str::from_utf8(&part.messages) {
            Ok(text) => text,
            Err(error) => return Err(unreadable(part, &error)),
        };
        let received_at = part.received_at.as_micros();
        for message in Messages::new(text) {
            let message = message.map_err(|error| unreadable(part, &error))?;
            let Message::Upsert {
                sequence,
                extracted_at,
                data,
            } = message
            else {
                continue;
            };
            self.given += 1;
            if let Some((_, shaper)) = &mut self.shaper {
                match shaper.push(data) {
                    Ok(true) => {
                        self.sequences.push(sequence);
                        self.extracted_at.push(extracted_at);
                        self.received_at.push(Some(received_at));
                    }
                    Ok(false) => {}
                    Err(malformed) => self.damaged.push(RefusedRecord {
                        reason: malformed.to_string(),
                        record: data.to_owned(),
                    }),
                }
                let full = shaper.is_full()
                    || shaper.size_bytes() >= self.around.limits.batch_bytes
                    || shaper.row_count() >= self.around.limits.batch_rows;
                if full {
                    self.flush().await?;
                }
            }
        }
        Ok(())
    }

    /// Makes everything that was flushed durable.
    pub(super) async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, LaneError> {
        self.uncommitted_bytes = 0;
        let report = self.writer.commit(upto).await.map_err(LaneError::Target)?;
        self.books += report.books;
        self.summary.add(&report);
        Ok(report)
    }

    /// What came since this was asked the last time.
    pub(super) fn take_finished(
        &mut self,
        source_table: &str,
        now: Timestamp,
    ) -> Option<FinishedLoad> {
        let summary = std::mem::take(&mut self.summary);
        summary.finished(self.told.names(source_table, now))
    }

    /// What a commit brought that nobody heard of, by what was written beside its rows.
    pub(super) fn unheard(&self, summary: LoadSummary, source_table: &str) -> Option<FinishedLoad> {
        summary
            .of_unheard_commit(&LoadSummary::default())
            .finished(self.told.names(source_table, self.around.clock.now()))
    }

    /// Commits, and leaves the table as it is to be. With what became of all its records, and what is to be told.
    pub(super) async fn finish(
        self,
        upto: Checkpoint,
        source_table: &str,
    ) -> Result<(CommitReport, Books, Option<FinishedLoad>), LaneError> {
        let Self {
            writer,
            mut books,
            mut summary,
            given,
            told,
            around,
            ..
        } = self;
        let report = writer.finish(upto).await.map_err(LaneError::Target)?;
        books += report.books;
        summary.add(&report);
        if books.total() != given {
            return Err(LaneError::Target(ConnectorError::internal(format!(
                "the books do not balance: {} records were accepted, {} are accounted for ({:?})",
                given,
                books.total(),
                books
            ))));
        }
        let finished = summary.finished(told.names(source_table, around.clock.now()));
        Ok((report, books, finished))
    }

    /// Hands what was shaped to the writer.
    pub(super) async fn flush(&mut self) -> Result<(), LaneError> {
        let Some((_, shaper)) = &mut self.shaper else {
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
            .map_err(|error| LaneError::Target(ConnectorError::internal(error.to_string())))?;
        batch.refused.append(&mut self.damaged);
        self.summary.observe(&batch, None);
        self.writer.write(batch).await.map_err(LaneError::Target)
    }

    fn new_shaper(&self, typing: &Typing) -> Result<JsonShaper, LaneError> {
        let nesting = self.around.destination.nesting();
        let destination = self.around.destination.display_name();
        Ok(match typing {
            Typing::Schema(text) => {
                let schema = serde_json::from_str(text).map_err(|error| {
                    LaneError::Log(ConnectorError::internal(format!(
                        "an accepted schema is no JSON: {error}"
                    )))
                })?;
                JsonShaper::with_schema(nesting, destination, &self.told.key, &schema)
            }
            Typing::Value => JsonShaper::new(nesting, destination, &self.told.key),
            Typing::Tag => JsonShaper::tagged(nesting, destination, &self.told.key),
        })
    }
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
            replication_key: None,
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

fn unreadable(part: &LanePart, error: &dyn std::error::Error) -> LaneError {
    LaneError::Log(ConnectorError::internal(format!(
        "the accepted records at {} cannot be read: {error}",
        part.at
    )))
}
