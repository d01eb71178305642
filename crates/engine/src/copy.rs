//! Copying one stream: from the source's events into the table's writer, with checkpoints on the way.

use std::sync::Arc;

use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, Destination, ErrorKind, LoadContext, LogLevel,
    ReadContext, ShapedBatch, Source, SourceBatch, SourceEvent, SystemValues, TableTarget,
    TableWriter, event_channel,
};
use selvedge_types::stream::ReplicationMethod;
use selvedge_types::{Clock, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::journal::{Component, JournalError, Progress, RunJournal};
use crate::limits::RunLimits;
use crate::plan::StreamPlan;
use crate::position::StreamPosition;
use crate::sequence::Sequence;

/// Events between source and engine. Two batches under way keep both sides busy; more would only hold memory.
const EVENTS_IN_FLIGHT: usize = 4;

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
    pub(crate) sequence: &'a mut Sequence,
    pub(crate) progress: &'a mut Progress,
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
        let mut position = first_position(plan, started_at);
        self.announce(plan, &position);
        // A full-table pass keeps its version over interruptions, so the version is remembered before the first row.
        if plan.method == ReplicationMethod::FullTable {
            self.save(plan, &position).await?;
        }
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
        let (writer, checkpoint) = pumped?;
        read.map_err(CopyError::Tap)?;

        let report = writer.finish(checkpoint).await.map_err(CopyError::Target)?;
        self.note(&report);
        copied.books += report.books;
        check_books(plan, &copied)?;
        position.complete = true;
        self.save(plan, &position).await?;
        let rows = report.books.written;
        self.journal
            .loaded(&plan.table_name, self.clock.now(), rows)
            .await
            .map_err(CopyError::Journal)?;
        Ok(copied)
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
    ) -> Result<(Box<dyn TableWriter>, Checkpoint), CopyError> {
        let mut pending = Pending {
            since: self.clock.now(),
            size_bytes: 0,
            rows_after_position: 0,
            dirty: false,
        };
        let mut number = 0;
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
                    let rows = batch.records.num_rows();
                    let size_bytes = batch.records.get_array_memory_size();
                    let shaped = self.shape(batch, extracted_at, table_version);
                    writer.write(shaped).await.map_err(CopyError::Target)?;
                    copied.row_count += rows as u64;
                    self.progress.row_count += rows as u64;
                    self.progress.size_bytes += size_bytes as u64;
                    self.journal.progress(self.progress);
                    pending.size_bytes += size_bytes;
                    pending.rows_after_position += rows;
                    pending.dirty = true;
                }
                Some(SourceEvent::Position(value)) => {
                    position.replication_key_value = Some(value);
                    pending.rows_after_position = 0;
                    pending.dirty = true;
                }
                Some(SourceEvent::Log(level, text)) => {
                    self.journal.log(Component::Tap, level, &text)
                }
                None => {}
            }
            // An incremental stream commits only where its position covers every row that was handed over: what is
            // read again after an interruption is then the rows of the last key alone.
            let covered =
                plan.method != ReplicationMethod::Incremental || pending.rows_after_position == 0;
            let due = pending.size_bytes >= self.limits.checkpoint_bytes
                || self.clock.now() >= pending.since.plus_seconds(self.limits.checkpoint_seconds);
            if pending.dirty && covered && (due || stopping) {
                number += 1;
                let checkpoint = Checkpoint {
                    number,
                    position: position.replication_key_value.clone(),
                };
                let report = writer.commit(checkpoint).await.map_err(CopyError::Target)?;
                self.note(&report);
                copied.books += report.books;
                if report.durable {
                    self.save(plan, position).await?;
                    let (at, rows) = (self.clock.now(), report.books.written);
                    self.journal
                        .loaded(&plan.table_name, at, rows)
                        .await
                        .map_err(CopyError::Journal)?;
                }
                pending = Pending {
                    since: self.clock.now(),
                    size_bytes: 0,
                    rows_after_position: 0,
                    dirty: false,
                };
            }
            if stopping {
                return Err(CopyError::Stopped);
            }
        }
        let checkpoint = Checkpoint {
            number: number + 1,
            position: position.replication_key_value.clone(),
        };
        Ok((writer, checkpoint))
    }

    /// Adds the system columns' values. Nothing is copied.
    fn shape(
        &mut self,
        batch: SourceBatch,
        extracted_at: Timestamp,
        table_version: i64,
    ) -> ShapedBatch {
        let now = self.clock.now();
        let first_sequence = self.sequence.reserve(batch.records.num_rows(), now);
        let system = SystemValues {
            extracted_at,
            received_at: now,
            batched_at: now,
            first_sequence,
            table_version,
        };
        ShapedBatch {
            schema: batch.schema,
            records: batch.records,
            system,
        }
    }

    async fn save(&self, plan: &StreamPlan, position: &StreamPosition) -> Result<(), CopyError> {
        let mut position = position.clone();
        position.last_sequence = self.sequence.last();
        self.journal
            .save_position(&plan.identity.tap_stream_id, &position)
            .await
            .map_err(CopyError::Journal)
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
}

/// What has been written since the last checkpoint.
struct Pending {
    since: Timestamp,
    size_bytes: usize,
    rows_after_position: usize,
    dirty: bool,
}

/// The position a stream starts this run with. An interrupted full-table pass keeps its version.
fn first_position(plan: &StreamPlan, now: Timestamp) -> StreamPosition {
    use selvedge_connector::ReadMethod;
    let before = plan.state.position.as_ref();
    let interrupted = before
        .filter(|position| !position.complete)
        .and_then(|position| position.version);
    let (key, after) = match &plan.read.method {
        ReadMethod::Incremental { key, after } => (Some(key.clone()), after.clone()),
        ReadMethod::FullTable => (None, None),
    };
    let full_table = plan.method == ReplicationMethod::FullTable;
    StreamPosition {
        last_replication_method: plan.method,
        replication_key: key,
        replication_key_value: after,
        version: full_table.then(|| interrupted.unwrap_or(now.as_millis())),
        complete: !full_table && before.is_some_and(|position| position.complete),
        last_sequence: before.map_or(0, |position| position.last_sequence),
    }
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
