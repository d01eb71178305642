//! A scripted source, a table in memory, and a journal that remembers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use async_trait::async_trait;
use selvedge_connector::*;
use selvedge_engine::*;
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_testkit::clock::FakeClock;
use selvedge_types::load::FinishedLoad;
use selvedge_types::stream::{Inclusion, ReplicationMethod};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

/// What the scripted source says about one stream, step by step.
#[derive(Clone)]
pub(crate) enum Step {
    Rows(Vec<i64>),
    Passed(&'static str),
    Position(&'static str),
    Fail(ErrorKind),
    /// Says nothing more until it is told to stop.
    Hang,
}

/// Leaves out what an incremental read does not ask for.
#[derive(Clone)]
pub(crate) struct ScriptedSource {
    pub(crate) streams: Vec<(&'static str, Vec<Step>)>,
}

#[async_trait]
impl Source for ScriptedSource {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            full_table: true,
            incremental: true,
            ..Capabilities::default()
        }
    }

    async fn check(&self, _ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        Ok(CheckReport::default())
    }

    async fn discover(&self, _ctx: &DiscoverContext) -> Result<Catalog, ConnectorError> {
        let streams = self
            .streams
            .iter()
            .map(|(name, _)| discovered(name))
            .collect();
        Ok(Catalog { streams })
    }

    async fn read(
        &self,
        ctx: ReadContext,
        stream: StreamRead,
        out: EventSender,
    ) -> Result<(), ConnectorError> {
        let (_, steps) = self
            .streams
            .iter()
            .find(|(name, _)| *name == stream.location.table)
            .expect("a known stream");
        let wanted = |id: i64| match &stream.method {
            ReadMethod::Incremental {
                from: Some(bound), ..
            } => {
                let first: i64 = bound.value.parse().expect("a number");
                id > first || (bound.inclusive && id == first)
            }
            _ => true,
        };
        for step in steps {
            match step {
                Step::Rows(ids) => {
                    let ids: Vec<i64> = ids.iter().copied().filter(|id| wanted(*id)).collect();
                    if ids.is_empty() {
                        continue;
                    }
                    let records = RecordBatch::try_new(
                        stream.schema.arrow_schema(),
                        vec![Arc::new(Int64Array::from(ids))],
                    )
                    .expect("the columns match");
                    let schema = Arc::clone(&stream.schema);
                    out.send(SourceEvent::Batch(SourceBatch { schema, records }))
                        .await?;
                }
                Step::Passed(value) | Step::Position(value)
                    if !wanted(value.parse().expect("a number")) => {}
                Step::Passed(value) => out.send(SourceEvent::Passed((*value).to_owned())).await?,
                Step::Position(value) => {
                    out.send(SourceEvent::Position((*value).to_owned())).await?
                }
                Step::Fail(kind) => return Err(ConnectorError::new(*kind, "the source broke")),
                Step::Hang => {
                    ctx.stop.cancelled().await;
                    return Err(ConnectorError::stopped());
                }
            }
        }
        Ok(())
    }
}

fn discovered(name: &str) -> DiscoveredStream {
    DiscoveredStream {
        tap_stream_id: format!("db-public-{name}"),
        stream_name: name.to_owned(),
        location: StreamLocation {
            database: "db".into(),
            schema: "public".into(),
            table: name.to_owned(),
        },
        is_view: false,
        row_count: None,
        key_properties: vec!["id".to_owned()],
        replication_keys: vec!["id".to_owned()],
        methods: vec![ReplicationMethod::FullTable, ReplicationMethod::Incremental],
        fields: vec![DiscoveredField {
            name: "id".to_owned(),
            sql_datatype: "bigint".to_owned(),
            inclusion: Inclusion::Automatic,
            logical_type: Some(LogicalType::Int64),
            json_schema: Value::Null,
            selected_by_default: true,
        }],
        extra_metadata: Map::new(),
    }
}

/// What goes wrong in the destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The table called `bad` cannot be opened.
    OpenBad(ErrorKind),
    /// The second commit fails after nothing was kept.
    SecondCommit,
    /// One row is dropped without a word.
    LoseOneRow,
    /// This commit, counted over all tables, is made, and the run dies before it hears of it.
    DieAfterCommit(u32),
}

/// Everything observable, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    Committed {
        table: String,
        rows: usize,
    },
    Finished {
        table: String,
    },
    Saved {
        stream: String,
        value: Option<String>,
        complete: bool,
    },
}

pub(crate) type History = Arc<Mutex<Vec<Happened>>>;

/// What the destination keeps beside the rows: epoch and position by stream.
pub(crate) type Marks = Arc<Mutex<HashMap<String, (i64, String)>>>;

/// Appends whatever it gets.
pub(crate) struct MemoryDestination {
    pub(crate) fault: Fault,
    pub(crate) marks: Marks,
    pub(crate) commits: Arc<AtomicU32>,
    pub(crate) history: History,
    pub(crate) rows: Arc<Mutex<Vec<(i64, i64)>>>,
}

#[async_trait]
impl Destination for MemoryDestination {
    fn display_name(&self) -> &'static str {
        "fake"
    }

    fn nesting(&self) -> Nesting {
        Nesting::Json
    }

    fn fidelity(&self) -> TypeFidelity {
        TypeFidelity::Stitch
    }

    async fn check(&self, _ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        Ok(CheckReport::default())
    }

    async fn open(
        &self,
        _ctx: LoadContext,
        target: TableTarget,
    ) -> Result<Box<dyn TableWriter>, ConnectorError> {
        if let Fault::OpenBad(kind) = self.fault
            && target.table_name == "bad"
        {
            return Err(ConnectorError::new(kind, "the table cannot be opened"));
        }
        let identity = target.identity;
        let marks = self.marks.lock().unwrap();
        let committed = marks
            .get(&identity.tap_stream_id)
            .filter(|(epoch, _)| *epoch == identity.epoch)
            .map(|(_, position)| position.clone());
        Ok(Box::new(MemoryWriter {
            fault: self.fault,
            identity,
            committed,
            marks: Arc::clone(&self.marks),
            all_commits: Arc::clone(&self.commits),
            table: target.table_name,
            history: Arc::clone(&self.history),
            rows: Arc::clone(&self.rows),
            pending: Vec::new(),
            commits: 0,
        }))
    }
}

struct MemoryWriter {
    fault: Fault,
    identity: StreamIdentity,
    committed: Option<String>,
    marks: Marks,
    all_commits: Arc<AtomicU32>,
    table: String,
    history: History,
    rows: Arc<Mutex<Vec<(i64, i64)>>>,
    pending: Vec<(i64, i64)>,
    commits: u32,
}

impl MemoryWriter {
    fn keep(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.commits += 1;
        if self.fault == Fault::SecondCommit && self.commits == 2 {
            return Err(ConnectorError::new(
                ErrorKind::Unreachable,
                "the destination went away",
            ));
        }
        let mut kept = std::mem::take(&mut self.pending);
        if self.fault == Fault::LoseOneRow {
            kept.pop();
        }
        let written = kept.len() as u64;
        self.rows.lock().unwrap().extend(kept);
        if let Some(position) = upto.position {
            let mark = (self.identity.epoch, position);
            let mut marks = self.marks.lock().unwrap();
            marks.insert(self.identity.tap_stream_id.clone(), mark);
        }
        let number = self.all_commits.fetch_add(1, Ordering::SeqCst) + 1;
        if self.fault == Fault::DieAfterCommit(number) {
            return Err(ConnectorError::new(ErrorKind::Unreachable, "the run died"));
        }
        Ok(CommitReport {
            books: Books {
                written,
                ..Books::default()
            },
            durable: true,
            ..CommitReport::default()
        })
    }
}

#[async_trait]
impl TableWriter for MemoryWriter {
    fn table_name(&self) -> &str {
        &self.table
    }

    fn committed_position(&self) -> Option<&str> {
        self.committed.as_deref()
    }

    async fn write(&mut self, batch: ShapedBatch) -> Result<(), ConnectorError> {
        let ids = batch.records.column(0).as_primitive::<Int64Type>();
        for (row, id) in ids.values().iter().enumerate() {
            self.pending.push((*id, batch.system.sequences.at(row)));
        }
        Ok(())
    }

    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let rows = self.pending.len();
        let report = self.keep(upto)?;
        self.history.lock().unwrap().push(Happened::Committed {
            table: self.table.clone(),
            rows,
        });
        Ok(report)
    }

    async fn finish(mut self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let report = self.keep(upto)?;
        self.history.lock().unwrap().push(Happened::Finished {
            table: self.table.clone(),
        });
        Ok(report)
    }
}

/// Selects every stream with one method, and notes what is saved.
pub(crate) struct MemoryJournal {
    pub(crate) method: ReplicationMethod,
    pub(crate) fenced: bool,
    pub(crate) history: History,
    pub(crate) epoch: i64,
    pub(crate) positions: Arc<Mutex<HashMap<String, StreamPosition>>>,
    pub(crate) progress: Arc<Mutex<Progress>>,
    /// Loads that hooks were to be told of.
    pub(crate) told: Arc<Mutex<Vec<FinishedLoad>>>,
}

/// The user resets this stream while it is read.
pub(crate) const RESET: &str = "reset";

#[async_trait]
impl RunJournal for MemoryJournal {
    async fn discovered(&self, catalog: &Catalog) -> Result<Vec<StreamState>, JournalError> {
        let replication_key =
            (self.method == ReplicationMethod::Incremental).then(|| "id".to_owned());
        let choice = StreamChoice {
            selected: true,
            method: Some(self.method),
            replication_key,
            ..StreamChoice::default()
        };
        let state = |stream: &DiscoveredStream| StreamState {
            tap_stream_id: stream.tap_stream_id.clone(),
            choice: choice.clone(),
            position: self
                .positions
                .lock()
                .unwrap()
                .get(&stream.tap_stream_id)
                .cloned(),
            epoch: self.epoch,
        };
        Ok(catalog.streams.iter().map(state).collect())
    }

    async fn reset(&self, _tap_stream_id: &str) -> Result<i64, JournalError> {
        Ok(2)
    }

    async fn save_position(
        &self,
        tap_stream_id: &str,
        position: &StreamPosition,
        loaded: Option<Loaded<'_>>,
    ) -> Result<(), JournalError> {
        if self.fenced {
            return Err(JournalError::Fenced);
        }
        if tap_stream_id.ends_with(RESET) {
            return Err(JournalError::StreamReset);
        }
        self.positions
            .lock()
            .unwrap()
            .insert(tap_stream_id.to_owned(), position.clone());
        let finished = loaded.and_then(|loaded| loaded.finished.cloned());
        self.told.lock().unwrap().extend(finished);
        self.history.lock().unwrap().push(Happened::Saved {
            stream: tap_stream_id.to_owned(),
            value: position.replication_key_value.clone(),
            complete: position.complete,
        });
        Ok(())
    }

    async fn load_failed(&self, _table: &str, _error: &ConnectorError) -> Result<(), JournalError> {
        Ok(())
    }

    fn log(&self, _component: Component, _level: LogLevel, _text: &str) {}

    fn progress(&self, progress: &Progress) {
        *self.progress.lock().unwrap() = progress.clone();
    }
}

/// A run to be changed by the test before it is executed.
pub(crate) struct Bench {
    pub(crate) source: ScriptedSource,
    pub(crate) method: ReplicationMethod,
    pub(crate) fault: Fault,
    pub(crate) fenced: bool,
    pub(crate) checkpoint_bytes: usize,
    pub(crate) stop: CancellationToken,
    pub(crate) history: History,
    pub(crate) rows: Arc<Mutex<Vec<(i64, i64)>>>,
    pub(crate) job: &'static str,
    pub(crate) fence: i64,
    pub(crate) epoch: i64,
    pub(crate) marks: Marks,
    pub(crate) positions: Arc<Mutex<HashMap<String, StreamPosition>>>,
    pub(crate) progress: Arc<Mutex<Progress>>,
    /// Loads that hooks were to be told of.
    pub(crate) told: Arc<Mutex<Vec<FinishedLoad>>>,
}

impl Bench {
    pub(crate) fn new(method: ReplicationMethod, streams: Vec<(&'static str, Vec<Step>)>) -> Self {
        Self {
            source: ScriptedSource { streams },
            method,
            fault: Fault::None,
            fenced: false,
            // Less than a row, and more than the eighth of one that is too much for a key.
            checkpoint_bytes: 4,
            stop: CancellationToken::new(),
            history: History::default(),
            rows: Arc::default(),
            job: "job",
            fence: 1,
            epoch: 1,
            marks: Marks::default(),
            positions: Arc::default(),
            progress: Arc::default(),
            told: Arc::default(),
        }
    }

    /// The next run, on the same source, destination and journal, without a fault.
    pub(crate) fn next_run(&self, job: &'static str) -> Self {
        Self {
            source: self.source.clone(),
            fault: Fault::None,
            fence: self.fence + 1,
            job,
            stop: CancellationToken::new(),
            history: Arc::clone(&self.history),
            rows: Arc::clone(&self.rows),
            marks: Arc::clone(&self.marks),
            positions: Arc::clone(&self.positions),
            progress: Arc::clone(&self.progress),
            told: Arc::clone(&self.told),
            ..*self
        }
    }

    pub(crate) fn ids(rows: &Mutex<Vec<(i64, i64)>>) -> Vec<i64> {
        rows.lock().unwrap().iter().map(|(id, _)| *id).collect()
    }

    pub(crate) async fn execute(self) -> RunReport {
        Run {
            source: AnySource::Native(Arc::new(self.source)),
            destination: Arc::new(MemoryDestination {
                fault: self.fault,
                marks: self.marks,
                commits: Arc::default(),
                history: Arc::clone(&self.history),
                rows: self.rows,
            }),
            journal: Arc::new(MemoryJournal {
                method: self.method,
                fenced: self.fenced,
                history: self.history,
                epoch: self.epoch,
                positions: self.positions,
                progress: self.progress,
                told: self.told,
            }),
            clock: Arc::new(FakeClock::at("2031-01-01T00:00:00Z")),
            dialer: Dialer::new(NetworkPolicy::default(), Duration::from_secs(1)),
            settings: PlanSettings {
                source_id: 7,
                schema_name: "s".to_owned(),
                ..PlanSettings::default()
            },
            limits: RunLimits {
                checkpoint_bytes: self.checkpoint_bytes,
                ..RunLimits::default()
            },
            stop: self.stop,
            abort: CancellationToken::new(),
            job: self.job.to_owned(),
            fence: self.fence,
            run_seed: 1,
        }
        .execute()
        .await
    }
}
