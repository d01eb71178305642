//! Runs of a tap against a model of its source: however runs are cut short, by the tap, the destination, a stop or a reset,
//! after one that comes to its end the tables are what the source holds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use selvedge_connector::*;
use selvedge_engine::*;
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_testkit::clock::FakeClock;
use selvedge_testkit::effort;
use selvedge_testkit::memory::MemoryDestination;
use selvedge_testkit::sabotage::{DestinationFault, SabotagedDestination};
use selvedge_types::job::JobState;
use selvedge_types::load::FinishedLoad;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;

/// What a tap says.
#[derive(Clone, Debug)]
enum Said {
    Schema(&'static str, &'static [&'static str]),
    Record(u32, Value, Option<i64>),
    Activate(&'static str, i64),
    State(Value),
    Fault(&'static str),
    /// The user stops the run.
    Stop,
    /// The tap ends like this.
    Dies,
}

/// What a tap says in a run that begins with a state.
type Script = dyn Fn(Option<&Value>) -> Vec<Said> + Send + Sync;

/// Says the same in every run, or what the model makes of the state.
struct ScriptedTap {
    offered: Vec<&'static str>,
    script: Box<Script>,
    stop: CancellationToken,
}

fn stream(name: &str) -> TapStream {
    TapStream {
        tap_stream_id: name.to_owned(),
        stream_name: name.to_owned(),
        schema: json!({}),
        metadata: Vec::new(),
    }
}

#[async_trait]
impl Tap for ScriptedTap {
    async fn discover(&self, _ctx: &TapContext) -> Result<TapCatalog, ConnectorError> {
        Ok(TapCatalog {
            streams: self.offered.iter().copied().map(stream).collect(),
            document: json!({"streams": []}),
        })
    }

    async fn read(
        &self,
        ctx: TapContext,
        read: TapRead,
        out: TapSender,
    ) -> Result<(), ConnectorError> {
        for said in (self.script)(read.state.as_ref()) {
            let event = match said {
                Said::Schema(name, key) => TapEvent::Schema(TapSchema {
                    stream: name.into(),
                    schema: Arc::new(json!({})),
                    key_properties: key.iter().map(|name| (*name).to_owned()).collect(),
                    bookmark_properties: vec!["value".to_owned()],
                }),
                Said::Record(stream, record, version) => {
                    let text = record.to_string();
                    let place = TapRecord {
                        stream,
                        start: 0,
                        end: text.len() as u32,
                        version,
                        extracted_at: None,
                    };
                    TapEvent::Records(TapRecords::new(text.into(), vec![place])?)
                }
                Said::Activate(name, version) => TapEvent::ActivateVersion {
                    stream: name.into(),
                    version,
                },
                Said::State(state) => {
                    TapEvent::State(RawValue::from_string(state.to_string()).unwrap())
                }
                Said::Fault(text) => TapEvent::Fault(ConnectorError::new(ErrorKind::Data, text)),
                Said::Stop => {
                    self.stop.cancel();
                    ctx.stop.cancelled().await;
                    return Err(ConnectorError::stopped());
                }
                Said::Dies => {
                    return Err(ConnectorError::configuration("no token").with_code("3"));
                }
            };
            out.send(event).await?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Journal {
    position: Arc<Mutex<TapPosition>>,
    epochs: BTreeMap<&'static str, i64>,
    unselected: Option<&'static str>,
    full_table: Option<&'static str>,
    finished: Arc<Mutex<Vec<FinishedLoad>>>,
    lines: Arc<Mutex<Vec<String>>>,
    told: Arc<Mutex<u64>>,
    saves: AtomicU32,
    /// Dies when the `fault`th position is to be saved.
    fault: u32,
}

#[async_trait]
impl RunJournal for Journal {
    async fn discovered(&self, _: &Catalog) -> Result<Vec<StreamState>, JournalError> {
        unreachable!("the source is a tap")
    }

    async fn reset(&self, _: &str) -> Result<i64, JournalError> {
        unreachable!("the source is a tap")
    }

    async fn save_position(
        &self,
        _: &str,
        _: &StreamPosition,
        _: Option<Loaded<'_>>,
    ) -> Result<(), JournalError> {
        unreachable!("the source is a tap")
    }

    async fn discovered_by_tap(
        &self,
        listings: Vec<StreamListing>,
    ) -> Result<Vec<TapStreamState>, JournalError> {
        let state = |listing: StreamListing| TapStreamState {
            epoch: *self
                .epochs
                .get(listing.tap_stream_id.as_str())
                .unwrap_or(&1),
            chosen: match self.full_table == Some(&*listing.tap_stream_id) {
                true => vec![full_table()],
                false => Vec::new(),
            },
            tap_stream_id: listing.tap_stream_id,
            fields: Vec::new(),
        };
        let selected = listings
            .into_iter()
            .filter(|listing| self.unselected != Some(&*listing.tap_stream_id));
        Ok(selected.map(state).collect())
    }

    async fn tap_position(&self) -> Result<TapPosition, JournalError> {
        Ok(self.position.lock().unwrap().clone())
    }

    async fn save_tap_position(
        &self,
        position: &TapPosition,
        loaded: &[Loaded<'_>],
    ) -> Result<(), JournalError> {
        if self.saves.fetch_add(1, Ordering::SeqCst) + 1 == self.fault {
            return Err(JournalError::Store("the process died".to_owned()));
        }
        *self.position.lock().unwrap() = position.clone();
        let rows: u64 = loaded.iter().map(|loaded| loaded.row_count).sum();
        *self.told.lock().unwrap() += rows;
        let finished = loaded.iter().filter_map(|loaded| loaded.finished.cloned());
        self.finished.lock().unwrap().extend(finished);
        Ok(())
    }

    async fn load_failed(&self, _: &str, _: &ConnectorError) -> Result<(), JournalError> {
        Ok(())
    }

    fn log(&self, component: Component, level: LogLevel, text: &str) {
        let line = format!("{} {} {text}", component.as_str(), level.as_str());
        self.lines.lock().unwrap().push(line);
    }

    fn progress(&self, _: &Progress) {}
}

/// A source between its runs.
struct Bench {
    offered: Vec<&'static str>,
    destination: MemoryDestination,
    position: TapPosition,
    epochs: BTreeMap<&'static str, i64>,
    unselected: Option<&'static str>,
    full_table: Option<&'static str>,
    /// Loads of the last run that hooks were told of.
    finished: Vec<FinishedLoad>,
    lines: Vec<String>,
    fence: i64,
}

impl Default for Bench {
    fn default() -> Self {
        Self {
            offered: vec!["events", "things"],
            destination: MemoryDestination::default(),
            position: TapPosition::default(),
            epochs: BTreeMap::new(),
            unselected: None,
            full_table: None,
            finished: Vec::new(),
            lines: Vec::new(),
            fence: 0,
        }
    }
}

impl Bench {
    async fn run(
        &mut self,
        script: impl Fn(Option<&Value>) -> Vec<Said> + Send + Sync + 'static,
    ) -> RunReport {
        let destination = Arc::new(self.destination.clone());
        self.run_into(destination, 0, script).await
    }

    async fn run_into(
        &mut self,
        destination: Arc<dyn Destination>,
        fault: u32,
        script: impl Fn(Option<&Value>) -> Vec<Said> + Send + Sync + 'static,
    ) -> RunReport {
        self.fence += 1;
        let stop = CancellationToken::new();
        let journal = Arc::new(Journal {
            position: Arc::new(Mutex::new(self.position.clone())),
            epochs: self.epochs.clone(),
            unselected: self.unselected,
            full_table: self.full_table,
            fault,
            ..Journal::default()
        });
        let report = Run {
            source: AnySource::Tap(Arc::new(ScriptedTap {
                offered: self.offered.clone(),
                script: Box::new(script),
                stop: stop.clone(),
            })),
            destination,
            journal: Arc::clone(&journal) as Arc<_>,
            clock: Arc::new(FakeClock::at("2031-02-03T04:05:06Z")),
            dialer: Dialer::new(NetworkPolicy::default(), std::time::Duration::from_secs(1)),
            settings: PlanSettings {
                source_id: 1,
                schema_name: "s".to_owned(),
                ..PlanSettings::default()
            },
            limits: RunLimits {
                batch_rows: 2,
                checkpoint_bytes: 60,
                ..RunLimits::default()
            },
            stop,
            abort: CancellationToken::new(),
            job: "job".to_owned(),
            fence: self.fence,
            run_seed: 1,
        }
        .execute()
        .await;
        self.position = journal.position.lock().unwrap().clone();
        self.lines = std::mem::take(&mut *journal.lines.lock().unwrap());
        self.finished = std::mem::take(&mut *journal.finished.lock().unwrap());
        report
    }

    /// `(id, value)` of the rows of a table, in order.
    fn rows(&self, table: &str) -> Vec<(i64, i64)> {
        let number = |text: &Option<String>| text.as_ref().unwrap().parse().unwrap();
        let rows = self.destination.rows(&format!("s.{table}"));
        let mut rows: Vec<(i64, i64)> = rows
            .unwrap_or_default()
            .iter()
            .map(|row| (number(&row.values["id"]), number(&row.values["value"])))
            .collect();
        rows.sort_unstable();
        rows
    }
}

/// The user has all of a stream read each time.
fn full_table() -> TapMetadata {
    let method = json!({"replication-method": "FULL_TABLE"});
    TapMetadata {
        breadcrumb: Vec::new(),
        metadata: method.as_object().cloned().unwrap_or_default(),
    }
}

fn record(stream: u32, id: i64, value: i64, version: Option<i64>) -> Said {
    Said::Record(stream, json!({"id": id, "value": value}), version)
}

const EVENTS: Said = Said::Schema("events", &["id"]);

fn state(events: i64) -> Value {
    json!({"bookmarks": {"events": {"upto": events}}})
}

#[tokio::test]
async fn a_state_is_saved_only_after_everything_before_it() {
    let mut bench = Bench::default();
    let script = |_: Option<&Value>| {
        vec![
            EVENTS,
            record(0, 1, 10, None),
            Said::State(state(1)),
            record(0, 2, 20, None),
            Said::Dies,
        ]
    };
    let report = bench.run(script).await;
    assert_eq!(report.outcome.tap.exit_status, Some(3));
    assert_eq!(report.outcome.tap.description.as_deref(), Some("no token"));
    assert_eq!(report.outcome.target.exit_status, Some(0));
    // What came is kept, and so is the state before it.
    assert_eq!(bench.rows("events"), [(1, 10), (2, 20)]);
    assert_eq!(bench.position.state, Some(state(1)));
    assert!(
        bench
            .lines
            .contains(&"target INFO State update: adding bookmarks.events.upto = 1".to_owned())
    );
}

#[tokio::test]
async fn a_load_is_told_with_the_range_of_its_bookmark_unless_all_is_read_each_time() {
    let script = |_: Option<&Value>| {
        vec![
            EVENTS,
            Said::Schema("things", &["id"]),
            record(0, 1, 30, None),
            record(1, 1, 5, None),
            record(0, 2, 7, None),
            record(0, 3, 100, None),
        ]
    };
    let mut bench = Bench {
        full_table: Some("things"),
        ..Bench::default()
    };
    bench.run(script).await;
    let range = |load: &FinishedLoad| {
        let [range] = &load.bookmarks[..] else {
            return None;
        };
        Some((range.min_value.clone(), range.max_value.clone()))
    };
    let told: BTreeMap<_, _> = bench
        .finished
        .iter()
        .map(|load| (load.root.source_name.as_str(), range(load)))
        .collect();
    let values = ("7".to_owned(), "100".to_owned());
    assert_eq!(
        told,
        BTreeMap::from([("events", Some(values)), ("things", None)])
    );
}

#[tokio::test]
async fn a_fault_keeps_what_came_before_it_and_fails_the_target() {
    let mut bench = Bench::default();
    let script = |_: Option<&Value>| {
        vec![
            EVENTS,
            record(0, 1, 10, None),
            Said::State(state(1)),
            Said::Fault("not taken"),
        ]
    };
    let report = bench.run(script).await;
    assert_eq!(report.outcome.tap.exit_status, None);
    let target = &report.outcome.target;
    assert_eq!(target.description.as_deref(), Some("not taken"));
    assert_eq!(report.outcome.state(), JobState::Failed);
    assert_eq!(bench.rows("events"), [(1, 10)]);
    assert_eq!(bench.position.state, Some(state(1)));
}

#[tokio::test]
async fn a_stream_that_nobody_selected_is_dropped_and_one_that_is_unknown_is_not() {
    let mut bench = Bench {
        unselected: Some("things"),
        ..Bench::default()
    };
    let script = |_: Option<&Value>| {
        vec![
            Said::Schema("things", &["id"]),
            EVENTS,
            record(0, 1, 10, None),
            record(1, 2, 20, None),
            Said::Schema("things", &["id", "value"]),
            record(0, 3, 30, Some(7)),
            Said::Activate("things", 7),
            Said::Schema("public-things", &["id"]),
            record(2, 4, 40, None),
            Said::State(state(2)),
        ]
    };
    let report = bench.run(script).await;
    assert_eq!(report.outcome.state(), JobState::Succeeded);
    assert!(bench.destination.rows("s.things").is_none());
    assert_eq!(bench.rows("events"), [(2, 20)]);
    assert_eq!(bench.rows("public-things"), [(4, 40)]);
    assert_eq!(bench.position.state, Some(state(2)));
    let tables: Vec<&str> = report.streams.iter().map(|s| &*s.table_name).collect();
    assert_eq!(tables, ["events", "public-things"]);
    let line = "target WARNING the tap reads the stream things, which is not selected: its records are dropped";
    let told = bench.lines.iter().filter(|told| *told == line).count();
    assert_eq!(told, 1, "{:#?}", bench.lines);
}

#[tokio::test]
async fn a_new_version_is_not_seen_and_its_state_not_kept_before_it_is_activated() {
    let mut bench = Bench::default();
    let things = Said::Schema("things", &[]);
    let pass = |version: i64, ids: &'static [i64], ends: bool| {
        let things = things.clone();
        move |_: Option<&Value>| {
            let mut said = vec![things.clone()];
            said.extend(ids.iter().map(|id| record(0, *id, version, Some(version))));
            let bookmark = json!({"bookmarks": {"things": {"version": version}}});
            said.push(Said::State(bookmark));
            said.push(if ends {
                Said::Activate("things", version)
            } else {
                Said::Dies
            });
            said
        }
    };
    bench.run(pass(1, &[1, 2], true)).await;
    assert_eq!(bench.rows("things"), [(1, 1), (2, 1)]);
    let known = bench.position.state.clone();
    bench.run(pass(2, &[3], false)).await;
    assert_eq!(bench.rows("things"), [(1, 1), (2, 1)]);
    assert_eq!(
        bench.position.state, known,
        "its rows are gone with the run"
    );
    let report = bench.run(pass(3, &[3], true)).await;
    assert_eq!(report.outcome.state(), JobState::Succeeded);
    assert_eq!(bench.rows("things"), [(3, 3)]);
    bench.run(pass(4, &[], true)).await;
    assert_eq!(
        bench.rows("things"),
        [],
        "an empty version empties the table"
    );
}

#[tokio::test]
async fn two_streams_that_would_share_a_table_do_not() {
    let mut bench = Bench::default();
    let script = |_: Option<&Value>| {
        vec![
            EVENTS,
            Said::Schema("EVENTS", &["id"]),
            record(0, 1, 10, None),
            record(1, 2, 20, None),
            Said::State(json!({"bookmarks": {"events": 1, "EVENTS": 2}})),
        ]
    };
    let report = bench.run(script).await;
    match report.outcome.target.description {
        // A destination that tells letters apart has two tables.
        None => assert_eq!(bench.rows("EVENTS"), [(2, 20)]),
        Some(_) => assert_eq!(
            bench.position.state,
            Some(json!({"bookmarks": {"events": 1}}))
        ),
    }
    assert_eq!(bench.rows("events"), [(1, 10)]);
}

#[tokio::test]
async fn many_streams_that_start_over_do_not_keep_their_tables_open() {
    let names: Vec<&'static str> = (0..40)
        .map(|number| &*Box::leak(format!("s{number:02}").into_boxed_str()))
        .collect();
    let mut bench = Bench {
        offered: names.clone(),
        ..Bench::default()
    };
    let pass = |value: i64| {
        let names = names.clone();
        move |_: Option<&Value>| {
            let mut said = Vec::new();
            for (index, name) in names.iter().enumerate() {
                said.push(Said::Schema(name, &["id"]));
                said.push(record(index as u32, value, value, None));
            }
            // Once more to the first of all, which is closed by then.
            said.push(record(0, 7, value, None));
            said.push(Said::State(json!({"bookmarks": {"s00": value}})));
            said
        }
    };
    bench.run(pass(1)).await;
    for name in &names {
        bench.epochs.insert(name, 2);
    }
    let report = bench.run(pass(2)).await;
    assert_eq!(report.outcome.state(), JobState::Succeeded);
    assert_eq!(bench.rows("s00"), [(2, 2), (7, 2)]);
    assert_eq!(bench.rows("s39"), [(2, 2)]);
    let state = json!({"bookmarks": {"s00": 2}});
    assert_eq!(bench.position.state, Some(state));
}

#[tokio::test]
async fn a_table_that_fails_keeps_its_bookmark_while_the_others_go_on() {
    let mut bench = Bench::default();
    let script = |_: Option<&Value>| {
        vec![
            EVENTS,
            Said::Schema("things", &["id"]),
            record(0, 1, 10, None),
            record(0, 2, 20, None),
            record(1, 1, 11, None),
            record(1, 2, 22, None),
            record(1, 3, 33, None),
            Said::State(json!({"bookmarks": {"events": {"upto": 2}, "things": {"upto": 3}}})),
        ]
    };
    let inner: Arc<dyn Destination> = Arc::new(bench.destination.clone());
    let broken = SabotagedDestination::new(inner, DestinationFault::FailWrite(1));
    let report = bench.run_into(Arc::new(broken), 0, script).await;
    let failed: Vec<bool> = report.streams.iter().map(|s| s.error.is_some()).collect();
    assert!(report.outcome.target.is_failed(), "{failed:?}");
    // The fault is of the connection or of the first table, by what the sabotage says: neither bookmark may be ahead.
    let saved = bench.position.state.clone().unwrap_or(json!({}));
    assert_eq!(saved["bookmarks"].get("events"), None);
    let report = bench.run(script).await;
    assert_eq!(report.outcome.state(), JobState::Succeeded);
    assert_eq!(bench.rows("events"), [(1, 10), (2, 20)]);
    assert_eq!(bench.rows("things"), [(1, 11), (2, 22), (3, 33)]);
}

#[tokio::test]
async fn a_lint_tells_what_is_wrong_and_what_becomes_of_it() {
    let script = |_: Option<&Value>| {
        vec![
            EVENTS,
            Said::Schema("hidden", &[]),
            record(0, 1, 10, None),
            Said::Record(0, json!({"value": 1}), None),
            Said::State(json!({"offset": 1})),
            record(1, 2, 20, Some(7)),
            Said::Dies,
        ]
    };
    let tap: Arc<dyn Tap> = Arc::new(ScriptedTap {
        offered: vec!["events"],
        script: Box::new(script),
        stop: CancellationToken::new(),
    });
    let context = TapContext {
        clock: Arc::new(FakeClock::at("2031-02-03T04:05:06Z")),
        stop: CancellationToken::new(),
        batch_bytes: 1 << 20,
        log: Arc::new(|_, _| {}),
    };
    let catalog = tap.discover(&context).await.unwrap();
    let selected = vec![TapSelection {
        tap_stream_id: "events".to_owned(),
        chosen: Vec::new(),
        fields: Vec::new(),
    }];
    let report = lint(tap, context, &catalog, selected, None).await.unwrap();
    assert_eq!(report.records["events"], 2);
    let told: Vec<String> = report
        .findings
        .iter()
        .map(|finding| {
            let stream = finding.stream.as_deref().unwrap_or("-");
            format!(
                "{:?} {stream} {} x{}",
                finding.severity, finding.text, finding.count
            )
        })
        .collect();
    for expected in [
        "Fault - no token x1",
        "Repaired events records without a value for the key id: they are not loaded x1",
        "Repaired hidden not in the catalogue: it is loaded without having been selected x1",
        "Advice - STATE without bookmarks by stream: while one stream is held up, none advances x1",
        "Advice - 1 records behind the last STATE: the next job reads them again x1",
        "Advice hidden version 7 was not activated: if it is not the table's first one, its rows are not seen x1",
        "Advice events no time_extracted that is an instant: _sdc_extracted_at is NULL x2",
    ] {
        assert!(
            told.iter().any(|it| it == expected),
            "{expected}: {told:#?}"
        );
    }
    assert!(told[0].starts_with("Fault"), "the worst comes first");
}

/// What the tap reads: a log of changes, and a set of things that is always read whole.
#[derive(Clone, Default)]
struct Origin {
    events: Vec<(i64, i64)>,
    things: BTreeMap<i64, i64>,
}

impl Origin {
    fn live(&mut self, dice: &mut Dice, clock: i64) {
        for _ in 0..dice.below(6) {
            let id = dice.below(6) as i64;
            self.events.push((id, clock * 10 + id));
        }
        for _ in 0..dice.below(4) {
            let id = dice.below(6) as i64;
            match dice.below(3) {
                0 => drop(self.things.remove(&id)),
                _ => drop(self.things.insert(id, clock)),
            }
        }
    }

    /// What a tap says that goes on from a state.
    fn say(&self, state: Option<&Value>, version: i64, mut dice: Dice) -> Vec<Said> {
        let bookmark = |name: &str, key: &str| {
            let bookmark = state.and_then(|state| state["bookmarks"].get(name)?.get(key)?.as_i64());
            bookmark.unwrap_or(0)
        };
        let from = bookmark("events", "upto").max(1) as usize - 1;
        let mut known = bookmark("things", "version");
        let mut upto = from as i64;
        let mut events = (from..self.events.len()).map(|index| {
            let (id, value) = self.events[index];
            (record(0, id, value, None), index as i64 + 1)
        });
        let mut things: Vec<Said> = self
            .things
            .iter()
            .map(|(id, value)| record(1, *id, *value, Some(version)))
            .collect();
        things.push(Said::Activate("things", version));
        let mut things = things.into_iter();
        let mut said = vec![EVENTS, Said::Schema("things", &["id"])];
        if known == 0 && dice.below(2) == 0 {
            said.push(Said::Activate("things", version));
        }
        let (mut more_events, mut more_things) = (true, true);
        while more_events || more_things {
            if more_events && (!more_things || dice.below(2) == 0) {
                match events.next() {
                    Some((record, index)) => {
                        said.push(record);
                        upto = index;
                    }
                    None => more_events = false,
                }
            } else {
                match things.next() {
                    Some(thing) => said.push(thing),
                    None => {
                        more_things = false;
                        known = version;
                    }
                }
            }
            if dice.below(3) == 0 {
                let bookmarks = json!({"events": {"upto": upto}, "things": {"version": known}});
                said.push(Said::State(json!({ "bookmarks": bookmarks })));
            }
        }
        let bookmarks = json!({"events": {"upto": upto}, "things": {"version": known}});
        said.push(Said::State(json!({ "bookmarks": bookmarks })));
        said
    }
}

#[tokio::test]
async fn random_lives_of_a_tap_end_with_what_its_source_holds() {
    let (mut deaths, mut resets) = (0, 0);
    for life in effort::seeds(300) {
        let mut dice = Dice::of_life(life);
        let mut bench = Bench::default();
        let mut origin = Origin::default();
        let mut version = 0;
        for clock in 1..dice.below(8) as i64 + 2 {
            origin.live(&mut dice, clock);
            if dice.below(5) == 0 {
                let name = ["events", "things"][dice.below(2) as usize];
                *bench.epochs.entry(name).or_insert(1) += 1;
                resets += 1;
            }
            version += 1;
            let (now, said) = (origin.clone(), Dice::new(dice.below(u64::MAX) | 1));
            let (cut, end) = (dice.below(30) as usize, dice.below(6));
            let script = move |state: Option<&Value>| {
                let mut said = now.say(state, version, said.clone());
                let end = match end {
                    0 => Said::Dies,
                    1 => Said::Stop,
                    2 => Said::Fault("garbage"),
                    _ => return said,
                };
                said.truncate(cut);
                said.push(end);
                said
            };
            let number = dice.below(4) + 1;
            let (fault, dies_at) = match dice.below(6) {
                0 => (Some(DestinationFault::FailWrite(number)), 0),
                1 => (Some(DestinationFault::FailBeforeCommit(number)), 0),
                2 => (Some(DestinationFault::FailAfterCommit(number)), 0),
                3 => (None, number as u32),
                _ => (None, 0),
            };
            let inner: Arc<dyn Destination> = Arc::new(bench.destination.clone());
            let destination = match fault {
                Some(fault) => Arc::new(SabotagedDestination::new(inner, fault)),
                None => inner,
            };
            let report = bench.run_into(destination, dies_at, script).await;
            deaths += u32::from(report.outcome.state() != JobState::Succeeded);
        }
        version += 1;
        let now = origin.clone();
        let report = bench
            .run(move |state| now.say(state, version, Dice::new(7)))
            .await;
        assert_eq!(
            report.outcome.state(),
            JobState::Succeeded,
            "life {life}: {:#?}",
            bench.lines
        );
        let newest: BTreeMap<i64, i64> = origin.events.iter().copied().collect();
        let newest: Vec<_> = newest.into_iter().collect();
        assert_eq!(bench.rows("events"), newest, "life {life}");
        let things: Vec<_> = origin.things.into_iter().collect();
        assert_eq!(bench.rows("things"), things, "life {life}");
        for stream in &report.streams {
            assert_eq!(stream.books.total(), stream.row_count, "life {life}");
        }
    }
    assert!(deaths > 100 && resets > 100, "{deaths} {resets}");
}
