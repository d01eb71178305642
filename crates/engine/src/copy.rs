//! Copying one stream: from the source's events into the table's writer, with checkpoints on the way.

use std::sync::Arc;

use arrow_array::{Array as _, RecordBatch};
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, Destination, ErrorKind, Instants, LoadContext,
    LoadMode, LogLevel, Nesting, ReadContext, ReadMethod, Sequences, ShapedBatch, Source,
    SourceBatch, SourceEvent, StreamSchema, SystemValues, TableTarget, TableWriter, event_channel,
};
use selvedge_shape::json::Denester;
use selvedge_types::load::FinishedLoad;
use selvedge_types::stream::ReplicationMethod;
use selvedge_types::{Clock, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::bookmark::ReplicationKeys;
use crate::journal::{Component, JournalError, Loaded, Progress, RunJournal};
use crate::limits::RunLimits;
use crate::plan::StreamPlan;
use crate::position::{SavedBy, StreamPosition};
use crate::recovery::{Recovered, recover};
use crate::sequence::Sequence;
use crate::summary::{LoadNames, LoadSummary};

/// Events between source and engine. Two batches under way keep both sides busy; more would only hold memory.
const EVENTS_IN_FLIGHT: usize = 4;

/// How many checkpoints' bytes of rows with the same key may come before one is made in their midst.
const LARGEST_KEY_CHECKPOINTS: usize = 8;

/// Which side failed: they have exit statuses of their own.
#[derive(Debug)]
pub(crate) enum CopyError {
    Tap(ConnectorError),
    Target(ConnectorError),
    Journal(JournalError),
    /// The run was asked to stop; everything up to the last checkpoint is kept.
    Stopped,
}

/// What a finished stream came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copied {
    pub(crate) row_count: u64,
    pub(crate) books: Books,
}

/// The parts of a run that every stream shares.
pub(crate) struct Copier<'a> {
    pub(crate) source: &'a Arc<dyn Source>,
    pub(crate) destination: &'a Arc<dyn Destination>,
    pub(crate) journal: &'a Arc<dyn RunJournal>,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) limits: &'a RunLimits,
    pub(crate) read: &'a ReadContext,
    pub(crate) load: &'a LoadContext,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) schema_name: &'a str,
    pub(crate) job: &'a str,
    pub(crate) sequence: &'a mut Sequence,
    pub(crate) progress: &'a mut Progress,
    /// The position that was saved last.
    pub(crate) kept: Option<StreamPosition>,
    /// For nested values, once there were any.
    pub(crate) denester: Option<Denester>,
    /// Items of the stream's arrays that no column can hold.
    pub(crate) lost_items: u64,
}

impl Copier<'_> {
    /// Copies a stream to its end. On an error the table stays as its last checkpoint left it.
    pub(crate) async fn copy(&mut self, plan: &mut StreamPlan) -> Result<Copied, CopyError> {
        if plan.reset_first {
            plan.identity.epoch = self
                .journal
                .reset(&plan.identity.tap_stream_id)
                .await
                .map_err(CopyError::Journal)?;
            plan.state.position = None;
        }
        let started_at = self.clock.now();
        let mut position = self.first_position(plan, started_at);
        let table_version = position.version.unwrap_or(0);
        let target = TableTarget {
            identity: plan.identity.clone(),
            schema_name: self.schema_name.to_owned(),
            table_name: plan.table_name.clone(),
            schema: plan.schema(),
            key: plan.key.clone(),
            mode: plan.mode,
            table_version,
        };
        let writer = self
            .destination
            .open(self.load.clone(), target)
            .await
            .map_err(CopyError::Target)?;
        let table = writer.table_name().to_owned();
        let mut unheard = None;
        match recover(plan, self.job, writer.committed_position()) {
            Recovered::Nothing => {}
            Recovered::Finished(committed) => {
                return self.hear_of_the_end(plan, committed, &table).await;
            }
            Recovered::GoOn(committed) => {
                unheard = Some(rows_between(plan, &committed));
                self.sequence.at_least(committed.last_sequence);
                plan.go_on_from(committed);
                position = self.first_position(plan, started_at);
            }
        }
        self.announce(plan, &position);
        if let Some(saved) = &position.saved_by {
            self.progress.row_count += saved.row_count;
            self.progress.size_bytes += saved.size_bytes;
        }
        // Remembered before the first row: the version of a full-table pass, which outlives interruptions, and whose commits
        // the next run may find in the destination.
        self.save(plan, &position, unheard, None).await?;

        let reading = self.read.stop.child_token();
        let (sender, receiver) = event_channel(EVENTS_IN_FLIGHT);
        let mut read = self.read.clone();
        read.stop = reading.clone();
        let source = Arc::clone(self.source);
        let stream = plan.read.clone();
        let mut reader = tokio::spawn(async move { source.read(read, stream, sender).await });

        let mut copied = Copied::default();
        let pumped = self
            .pump(
                plan,
                writer,
                receiver,
                started_at,
                table_version,
                &mut position,
                &mut copied,
            )
            .await;
        // Whatever happened, the reader is told to end and waited for: no task outlives its stream.
        if pumped.is_err() {
            reading.cancel();
        }
        let read = match (&mut reader).await {
            Ok(read) => read,
            Err(join) => Err(ConnectorError::internal(format!(
                "the reader of {} crashed: {join}",
                plan.table_name
            ))),
        };
        let writer = pumped?;
        read.map_err(CopyError::Tap)?;

        position.complete = true;
        position.replication_key_passed = false;
        if let Some(saved) = &mut position.saved_by {
            saved.finished = true;
        }
        let checkpoint = self.next_checkpoint(&mut position)?;
        let report = writer.finish(checkpoint).await.map_err(CopyError::Target)?;
        self.note(&report);
        copied.books += report.books;
        position.untold.add(&report);
        if let Err(error) = check_books(plan, &copied) {
            // Whatever was committed is not to be trusted: the next run must not find it.
            if let Some(kept) = self.kept.take() {
                let disowned = StreamPosition {
                    saved_by: None,
                    ..kept
                };
                self.save(plan, &disowned, None, None).await?;
            }
            return Err(error);
        }
        let finished = self.tell(plan, &mut position, &table);
        self.save(plan, &position, Some(report.row_count()), finished.as_ref())
            .await?;
        Ok(copied)
    }

    /// The destination has the whole stream already; only the journal has not heard of it.
    async fn hear_of_the_end(
        &mut self,
        plan: &StreamPlan,
        mut committed: StreamPosition,
        table: &str,
    ) -> Result<Copied, CopyError> {
        let stream = &plan.identity.tap_stream_id;
        let text = format!("{stream} was loaded completely before the interruption");
        self.journal.log(Component::Main, LogLevel::Info, &text);
        self.sequence.at_least(committed.last_sequence);
        if let Some(saved) = &committed.saved_by {
            self.progress.row_count += saved.row_count;
            self.progress.size_bytes += saved.size_bytes;
        }
        let row_count = rows_between(plan, &committed);
        let finished = self.tell(plan, &mut committed, table);
        self.save(plan, &committed, Some(row_count), finished.as_ref())
            .await?;
        Ok(Copied::default())
    }

    /// Moves events until the source has no more. Returns the writer, ready to finish.
    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one stream's copy, used here and nowhere else"
    )]
    async fn pump(
        &mut self,
        plan: &StreamPlan,
        mut writer: Box<dyn TableWriter>,
        mut receiver: tokio::sync::mpsc::Receiver<SourceEvent>,
        extracted_at: Timestamp,
        table_version: i64,
        position: &mut StreamPosition,
        copied: &mut Copied,
    ) -> Result<Box<dyn TableWriter>, CopyError> {
        let mut pending = Pending::since(self.clock.now());
        loop {
            let event = tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                event = receiver.recv() => match event {
                    Some(event) => Some(event),
                    None => break,
                },
            };
            let stopping = event.is_none();
            match event {
                Some(SourceEvent::Batch(batch)) => {
                    let rows = batch.records.num_rows() as u64;
                    let size_bytes = size_of(&batch.records);
                    for shaped in self.shape(plan, batch, extracted_at, table_version)? {
                        let key = position.replication_key.as_deref();
                        let keys = key.map_or(ReplicationKeys::NONE, ReplicationKeys::Ascending);
                        position.untold.observe(&shaped, keys);
                        writer.write(shaped).await.map_err(CopyError::Target)?;
                    }
                    copied.row_count += rows;
                    self.progress.row_count += rows;
                    self.progress.size_bytes += size_bytes as u64;
                    self.journal.progress(self.progress);
                    if let Some(saved) = &mut position.saved_by {
                        saved.row_count += rows;
                        saved.size_bytes += size_bytes as u64;
                    }
                    pending.size_bytes += size_bytes;
                    pending.reached = Reached::Within;
                    pending.dirty = true;
                }
                Some(SourceEvent::Passed(value)) => {
                    position.replication_key_value = Some(value);
                    position.replication_key_passed = true;
                    pending.reached = Reached::Behind;
                    pending.dirty = true;
                }
                Some(SourceEvent::Position(value)) => {
                    position.replication_key_value = Some(value);
                    position.replication_key_passed = false;
                    pending.reached = Reached::At;
                    pending.dirty = true;
                }
                Some(SourceEvent::Log(level, text)) => {
                    self.journal.log(Component::Tap, level, &text)
                }
                None => {}
            }
            // An incremental stream commits where it has passed a key, so that nothing is read again after an interruption.
            // Only a key with a great many rows is not waited for: its rows come again then.
            let checkpoint_bytes = self.limits.checkpoint_bytes;
            let covered = plan.method != ReplicationMethod::Incremental
                || match pending.reached {
                    Reached::Behind => true,
                    Reached::At => pending.size_bytes / LARGEST_KEY_CHECKPOINTS >= checkpoint_bytes,
                    Reached::Within => false,
                };
            let due = pending.size_bytes >= checkpoint_bytes
                || self.clock.now() >= pending.since.plus_seconds(self.limits.checkpoint_seconds);
            if pending.dirty && covered && (due || stopping) {
                let checkpoint = self.next_checkpoint(position)?;
                let report = writer.commit(checkpoint).await.map_err(CopyError::Target)?;
                self.note(&report);
                copied.books += report.books;
                position.untold.add(&report);
                if report.durable {
                    let full = position.untold.is_full();
                    let finished = full
                        .then(|| self.tell(plan, position, writer.table_name()))
                        .flatten();
                    self.save(plan, position, Some(report.row_count()), finished.as_ref())
                        .await?;
                }
                pending = Pending::since(self.clock.now());
            }
            if stopping {
                return Err(CopyError::Stopped);
            }
        }
        self.warn_of_lost_items(plan);
        Ok(writer)
    }

    /// One line, at the end, when the count is known.
    fn warn_of_lost_items(&mut self, plan: &StreamPlan) {
        let count = std::mem::take(&mut self.lost_items);
        if count > 0 {
            let line = format!(
                "{}: items of arrays that are NaN, infinite or not in the years 0001 to 9999 were read as NULL ({count})",
                plan.identity.tap_stream_id
            );
            self.journal.log(Component::Tap, LogLevel::Warning, &line);
        }
    }

    /// The next checkpoint of the stream; its position counts from the moment it is durable.
    fn next_checkpoint(&self, position: &mut StreamPosition) -> Result<Checkpoint, CopyError> {
        position.last_sequence = self.sequence.last();
        let mut number = 0;
        if let Some(saved) = &mut position.saved_by {
            saved.checkpoint += 1;
            number = saved.checkpoint;
        }
        let committed = StreamPosition {
            untold: position.untold.without_tables(),
            ..position.clone()
        };
        let text = serde_json::to_string(&committed)
            .map_err(|error| CopyError::Target(ConnectorError::internal(error.to_string())))?;
        Ok(Checkpoint {
            number,
            position: Some(text),
        })
    }

    /// Adds the system columns' values, and takes nested values apart where the destination wants them so. Everything else
    /// stays where it is.
    fn shape(
        &mut self,
        plan: &StreamPlan,
        batch: SourceBatch,
        extracted_at: Timestamp,
        table_version: i64,
    ) -> Result<Vec<ShapedBatch>, CopyError> {
        let now = self.clock.now();
        let first_sequence = self.sequence.reserve(batch.records.num_rows(), now);
        let system = SystemValues {
            extracted_at: Instants::Same(Some(extracted_at)),
            received_at: Instants::Same(Some(now)),
            batched_at: now,
            sequences: Sequences::From(first_sequence),
            table_version,
        };
        if self.destination.nesting() == Nesting::Subtables
            && let Some(denester) = self.denester(plan, &batch.schema)
        {
            let pieces = denester.denest(&batch.records, &system);
            let lost = denester.take_lost();
            self.lost_items += lost;
            return pieces
                .map_err(|error| CopyError::Tap(ConnectorError::internal(error.to_string())));
        }
        Ok(vec![ShapedBatch::of_columns(
            batch.schema,
            batch.records,
            system,
        )])
    }

    /// What takes batches of this schema apart, if they need it.
    fn denester(&mut self, plan: &StreamPlan, schema: &Arc<StreamSchema>) -> Option<&mut Denester> {
        if !self
            .denester
            .as_ref()
            .is_some_and(|known| known.is_for(schema))
        {
            let destination = self.destination.display_name();
            self.denester = Denester::new(destination, &plan.key, schema);
        }
        self.denester.as_mut()
    }

    /// Ends the load: what hooks are told of it, after which nothing is left to tell.
    fn tell(
        &self,
        plan: &StreamPlan,
        position: &mut StreamPosition,
        destination_table: &str,
    ) -> Option<FinishedLoad> {
        std::mem::take(&mut position.untold).finished(LoadNames {
            source_table: &plan.read.location.table,
            destination_table,
            table_version: position.version.unwrap_or(0),
            new_version: plan.mode == LoadMode::Replace,
            primary_keys: &plan.key,
            now: self.clock.now(),
        })
    }

    /// Keeps the position, with the number of rows that became durable with it and the load that they ended.
    async fn save(
        &mut self,
        plan: &StreamPlan,
        position: &StreamPosition,
        written: Option<u64>,
        finished: Option<&FinishedLoad>,
    ) -> Result<(), CopyError> {
        let loaded = written.map(|row_count| Loaded {
            table_name: &plan.table_name,
            at: self.clock.now(),
            row_count,
            finished,
        });
        let position = StreamPosition {
            last_sequence: self.sequence.last(),
            ..position.clone()
        };
        self.journal
            .save_position(&plan.identity.tap_stream_id, &position, loaded)
            .await
            .map_err(CopyError::Journal)?;
        self.kept = Some(position);
        Ok(())
    }

    fn note(&self, report: &CommitReport) {
        for note in &report.notes {
            self.journal.log(Component::Target, LogLevel::Warning, note);
        }
    }

    fn announce(&self, plan: &StreamPlan, position: &StreamPosition) {
        let stream = &plan.identity.tap_stream_id;
        for note in &plan.notes {
            self.journal.log(Component::Main, LogLevel::Warning, note);
        }
        let text = match (&position.replication_key_value, position.version) {
            (Some(value), _) => format!("found current bookmark for {stream}:  {value}"),
            (None, Some(version)) => format!("reading {stream} in full, table version {version}"),
            (None, None) => format!("reading {stream} from the beginning"),
        };
        self.journal.log(Component::Tap, LogLevel::Info, &text);
    }

    /// The position a stream starts this run with. An interrupted full-table pass keeps its version.
    fn first_position(&self, plan: &StreamPlan, now: Timestamp) -> StreamPosition {
        let before = plan.state.position.as_ref();
        let interrupted = before
            .filter(|position| !position.complete)
            .and_then(|position| position.version);
        let (key, from) = match &plan.read.method {
            ReadMethod::Incremental { key, from } => (Some(key.clone()), from.clone()),
            ReadMethod::FullTable => (None, None),
        };
        let full_table = plan.method == ReplicationMethod::FullTable;
        let epoch = plan.identity.epoch;
        // A replacement that starts over counts anew.
        let going_on = before.filter(|_| plan.mode == LoadMode::Merge);
        let counted = going_on.and_then(|position| position.of_job(self.job, epoch));
        StreamPosition {
            last_replication_method: plan.method,
            replication_key: key,
            replication_key_passed: from.as_ref().is_some_and(|bound| !bound.inclusive),
            replication_key_value: from.map(|bound| bound.value),
            version: full_table.then(|| interrupted.unwrap_or(now.as_millis())),
            complete: !full_table && before.is_some_and(|position| position.complete),
            last_sequence: before.map_or(0, |position| position.last_sequence),
            saved_by: Some(SavedBy {
                job: self.job.to_owned(),
                epoch,
                fence: self.load.fence,
                checkpoint: 0,
                finished: false,
                row_count: counted.map_or(0, |saved| saved.row_count),
                size_bytes: counted.map_or(0, |saved| saved.size_bytes),
            }),
            untold: going_on.map_or_else(LoadSummary::default, |position| {
                position.untold.clone().interrupted()
            }),
        }
    }
}

/// What has been written since the last checkpoint.
struct Pending {
    since: Timestamp,
    size_bytes: usize,
    reached: Reached,
    dirty: bool,
}

/// Where the rows written so far end, in an incremental read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    /// Behind the last row of a key.
    Behind,
    /// At a key that may have more rows.
    At,
    /// Somewhere.
    Within,
}

impl Pending {
    fn since(since: Timestamp) -> Self {
        Self {
            since,
            size_bytes: 0,
            reached: Reached::Within,
            dirty: false,
        }
    }
}

/// Rows that the job read between the position of the plan and one that follows it.
fn rows_between(plan: &StreamPlan, later: &StreamPosition) -> u64 {
    let count = |position: &StreamPosition| {
        let saved = position.saved_by.as_ref();
        saved.map_or(0, |saved| saved.row_count)
    };
    let before = plan.state.position.as_ref().map_or(0, count);
    count(later).saturating_sub(before)
}

/// Bytes of the rows themselves: a batch may be a slice of a larger one.
fn size_of(records: &RecordBatch) -> usize {
    let columns = records.columns().iter();
    columns
        .map(|column| {
            let whole = column.get_array_memory_size();
            column.to_data().get_slice_memory_size().unwrap_or(whole)
        })
        .sum()
}

/// Every row that was read is written, superseded, dropped for a stated reason, or rejected.
fn check_books(plan: &StreamPlan, copied: &Copied) -> Result<(), CopyError> {
    if copied.books.total() == copied.row_count {
        return Ok(());
    }
    Err(CopyError::Target(ConnectorError::new(
        ErrorKind::Internal,
        format!(
            "the books of {} do not balance: {} rows were read, {} are accounted for ({:?})",
            plan.table_name,
            copied.row_count,
            copied.books.total(),
            copied.books
        ),
    )))
}
