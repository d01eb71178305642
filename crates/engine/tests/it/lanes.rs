//! Loads of lanes against a model: whatever the versions, the cuts between loads and the faults, the table ends as a reader of
//! the whole log would expect it, and no record is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use selvedge_connector::{ConnectorError, Destination, LoadContext, LogLevel, StreamIdentity};
use selvedge_engine::lane::{
    LaneError, LaneJournal, LaneLoad, LanePart, LaneParts, LanePosition, LaneReport, LogPosition,
};
use selvedge_engine::{JournalError, Loaded, RunLimits};
use selvedge_intake::{PartHeader, Typing};
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_testkit::clock::FakeClock;
use selvedge_testkit::effort;
use selvedge_testkit::memory::MemoryDestination;
use selvedge_testkit::sabotage::{DestinationFault, SabotagedDestination};
use selvedge_types::Timestamp;
use selvedge_types::load::FinishedLoad;
use tokio_util::sync::CancellationToken;

use crate::dice::Dice;

/// One message of a part.
#[derive(Clone, Copy, Debug)]
enum Event {
    Record { sequence: i64, id: i64 },
    Activate { sequence: i64 },
}

/// A part without its place.
#[derive(Clone, Debug)]
struct Said {
    version: Option<i64>,
    events: Vec<Event>,
}

fn part(at: LogPosition, said: &Said, keyed: bool) -> LanePart {
    let message = |event: &Event| match event {
        Event::Record { sequence, id } => format!(
            r#"{{"action":"upsert","sequence":{sequence},"data":{{"id":{id},"said":{sequence}}}}}"#
        ),
        Event::Activate { sequence } => {
            format!(r#"{{"action":"activate_version","sequence":{sequence}}}"#)
        }
    };
    let records = |event: &&Event| matches!(event, Event::Record { .. });
    let record_count = said.events.iter().filter(records).count() as u32;
    let messages: Vec<String> = said.events.iter().map(message).collect();
    LanePart {
        at,
        received_at: Timestamp::from_micros(at as i64),
        header: PartHeader {
            table_name: "t".to_owned(),
            key_names: if keyed {
                vec!["id".to_owned()]
            } else {
                Vec::new()
            },
            table_version: said.version,
            bookmark_names: vec!["said".to_owned()],
            typing: Typing::Value,
        },
        messages: messages.join(",").into(),
        record_count,
        activates: said.events.len() > record_count as usize,
    }
}

struct Parts {
    parts: Vec<LanePart>,
    next: usize,
}

#[async_trait]
impl LaneParts for Parts {
    async fn next(&mut self) -> Result<Option<LanePart>, ConnectorError> {
        let part = self.parts.get(self.next).cloned();
        self.next += 1;
        Ok(part)
    }

    async fn seek(&mut self, after: LogPosition) -> Result<(), ConnectorError> {
        self.next = self.parts.partition_point(|part| part.at <= after);
        Ok(())
    }
}

/// Keeps positions; dies when the `fault`th is to be saved.
#[derive(Default)]
struct Journal {
    position: Mutex<LanePosition>,
    told: Mutex<u64>,
    finished: Mutex<Vec<FinishedLoad>>,
    lines: Mutex<Vec<String>>,
    saves: AtomicU32,
    fault: u32,
}

#[async_trait]
impl LaneJournal for Journal {
    async fn save(
        &self,
        position: LanePosition,
        loaded: Option<Loaded<'_>>,
    ) -> Result<(), JournalError> {
        if self.saves.fetch_add(1, Ordering::SeqCst) + 1 == self.fault {
            return Err(JournalError::Store("the process died".to_owned()));
        }
        *self.position.lock().unwrap() = position;
        *self.told.lock().unwrap() += loaded.map_or(0, |loaded| loaded.row_count);
        let finished = loaded.and_then(|loaded| loaded.finished);
        self.finished.lock().unwrap().extend(finished.cloned());
        Ok(())
    }

    fn log(&self, level: LogLevel, text: &str) {
        let line = format!("{} {text}", level.as_str());
        self.lines.lock().unwrap().push(line);
    }
}

/// A lane between its loads.
struct Bench {
    destination: MemoryDestination,
    log: Vec<LanePart>,
    position: LanePosition,
    /// Rows that hooks were told of.
    told: u64,
    /// Loads that hooks were told of.
    finished: Vec<FinishedLoad>,
    /// What the last load wrote into the log.
    lines: Vec<String>,
    keyed: bool,
}

impl Bench {
    fn new(keyed: bool) -> Self {
        Self {
            destination: MemoryDestination::default(),
            log: Vec::new(),
            position: LanePosition::default(),
            told: 0,
            finished: Vec::new(),
            lines: Vec::new(),
            keyed,
        }
    }

    /// The next request.
    fn say(&mut self, said: &Said) {
        let at = self.last() + 1;
        self.log.push(part(at, said, self.keyed));
    }

    /// One more part of the last request.
    fn add(&mut self, said: &Said) {
        let at = self.last();
        self.log.push(part(at, said, self.keyed));
    }

    fn last(&self) -> LogPosition {
        self.log.last().map_or(0, |part| part.at)
    }

    async fn load(&mut self) -> LaneReport {
        let destination = Arc::new(self.destination.clone());
        self.load_into(destination, 0)
            .await
            .expect("nothing is broken")
    }

    /// One load, which dies before its `fault`th position is saved.
    async fn load_into(
        &mut self,
        destination: Arc<dyn Destination>,
        fault: u32,
    ) -> Result<LaneReport, LaneError> {
        let journal = Arc::new(Journal {
            position: Mutex::new(self.position),
            fault,
            ..Journal::default()
        });
        let clock = Arc::new(FakeClock::at("2031-02-03T04:05:06Z"));
        // What is acknowledged is gone.
        let kept = self.log.iter().filter(|part| part.at > self.position.upto);
        let load = LaneLoad {
            destination,
            parts: Box::new(Parts {
                parts: kept.cloned().collect(),
                next: 0,
            }),
            journal: Arc::clone(&journal) as Arc<_>,
            clock: Arc::clone(&clock) as Arc<_>,
            limits: RunLimits {
                batch_rows: 2,
                checkpoint_bytes: 120,
                ..RunLimits::default()
            },
            load: LoadContext {
                dialer: Dialer::new(NetworkPolicy::default(), std::time::Duration::from_secs(1)),
                clock,
                stop: CancellationToken::new(),
                fence: 1,
                run_seed: 1,
            },
            stop: CancellationToken::new(),
            identity: StreamIdentity {
                source_id: 1,
                tap_stream_id: "t".to_owned(),
                epoch: 1,
            },
            schema_name: "s".to_owned(),
            table_name: "t".to_owned(),
            lane_id: "lane".to_owned(),
            position: self.position,
        };
        let report = load.execute().await;
        self.position = *journal.position.lock().unwrap();
        self.told += *journal.told.lock().unwrap();
        self.finished.append(&mut journal.finished.lock().unwrap());
        self.lines = std::mem::take(&mut *journal.lines.lock().unwrap());
        report
    }

    /// `(id, sequence)` of all rows, in order.
    fn rows(&self) -> Vec<(i64, i64)> {
        let number = |text: &Option<String>| text.as_ref().unwrap().parse().unwrap();
        let rows = self.destination.rows("s.t").unwrap_or_default();
        let mut rows: Vec<(i64, i64)> = rows
            .iter()
            .map(|row| (number(&row.values["id"]), number(&row.values["said"])))
            .collect();
        rows.sort_unstable();
        rows
    }
}

/// What a reader of the whole log knows.
#[derive(Default)]
struct Model {
    begun: bool,
    current: Option<i64>,
    rows: Vec<(i64, i64)>,
    held: BTreeMap<i64, Vec<(i64, i64)>>,
}

impl Model {
    fn hear(&mut self, said: &Said, keyed: bool) {
        let version = match said.version {
            Some(version) if !self.begun => *self.current.insert(version),
            Some(version) => version,
            None => self.current.unwrap_or(0),
        };
        self.begun = true;
        let current = self.current.unwrap_or(0);
        let records = said.events.iter().filter_map(|event| match event {
            Event::Record { sequence, id } => Some((*id, *sequence)),
            Event::Activate { .. } => None,
        });
        let activates = said
            .events
            .iter()
            .any(|event| matches!(event, Event::Activate { .. }));
        if version == current {
            self.rows.extend(records);
        } else if version > current {
            self.held.entry(version).or_default().extend(records);
            if activates {
                self.rows = self.held.remove(&version).unwrap_or_default();
                self.held.retain(|held, _| *held > version);
                self.current = Some(version);
            }
        }
        if keyed {
            let mut newest: BTreeMap<i64, i64> = BTreeMap::new();
            for (id, sequence) in &self.rows {
                let kept = newest.entry(*id).or_insert(*sequence);
                *kept = (*kept).max(*sequence);
            }
            self.rows = newest.into_iter().collect();
        }
        self.rows.sort_unstable();
    }
}

fn random_part(dice: &mut Dice, sequences: &mut i64) -> Said {
    let version = match dice.below(6) {
        0 => None,
        1 | 2 => Some(1),
        3 | 4 => Some(2),
        _ => Some(3),
    };
    let mut events = Vec::new();
    for _ in 0..dice.below(4) {
        *sequences += 1;
        events.push(Event::Record {
            sequence: *sequences,
            id: dice.below(5) as i64,
        });
    }
    if version.is_some() && (events.is_empty() || dice.below(5) == 0) {
        *sequences += 1;
        let place = dice.below(events.len() as u64 + 1) as usize;
        events.insert(
            place,
            Event::Activate {
                sequence: *sequences,
            },
        );
    } else if events.is_empty() {
        *sequences += 1;
        events.push(Event::Record {
            sequence: *sequences,
            id: 0,
        });
    }
    Said { version, events }
}

fn random_fault(dice: &mut Dice) -> (Option<DestinationFault>, u32) {
    let number = dice.below(3) + 1;
    match dice.below(6) {
        0 => (Some(DestinationFault::FailWrite(number)), 0),
        1 => (Some(DestinationFault::FailBeforeCommit(number)), 0),
        2 => (Some(DestinationFault::FailAfterCommit(number)), 0),
        3 => (None, number as u32),
        _ => (None, 0),
    }
}

#[tokio::test]
async fn random_lives_of_a_lane_end_as_the_model_says() {
    let mut replacements = 0;
    let mut deaths = 0;
    for life in effort::seeds(300) {
        let replaced_before = replacements;
        let mut dice = Dice::of_life(life);
        let keyed = dice.below(2) == 0;
        let mut bench = Bench::new(keyed);
        let mut model = Model::default();
        let mut sequences = 0;
        for _ in 0..dice.below(14) + 1 {
            let said = random_part(&mut dice, &mut sequences);
            bench.say(&said);
            model.hear(&said, keyed);
            while !bench.log.last().unwrap().activates && dice.below(3) == 0 {
                let said = random_part(&mut dice, &mut sequences);
                if said
                    .events
                    .iter()
                    .all(|event| matches!(event, Event::Record { .. }))
                {
                    bench.add(&said);
                    model.hear(&said, keyed);
                }
            }
            if dice.below(3) == 0 {
                let (fault, dies_at) = random_fault(&mut dice);
                let inner: Arc<dyn Destination> = Arc::new(bench.destination.clone());
                let destination = match fault {
                    Some(fault) => Arc::new(SabotagedDestination::new(inner, fault)),
                    None => inner,
                };
                match bench.load_into(destination, dies_at).await {
                    Ok(report) => replacements += u32::from(report.replaced),
                    Err(_) => deaths += 1,
                }
            }
        }
        let report = bench.load().await;
        replacements += u32::from(report.replaced);
        assert_eq!(bench.rows(), model.rows, "life {life}: {:#?}", bench.log);
        let held: usize = model.held.values().map(Vec::len).sum();
        assert_eq!(report.books.held, held as u64, "life {life}");
        if held == 0 {
            assert_eq!(bench.position.upto, bench.last(), "life {life}");
        }
        if !keyed && replacements == replaced_before {
            let rows = model.rows.len() as u64;
            assert!(
                bench.told >= rows,
                "life {life}: {} of {rows} told",
                bench.told
            );
        }
        let again = bench.load().await;
        assert_eq!(again.row_count, 0, "life {life}: nothing is left to load");
    }
    assert!(replacements > 20 && deaths > 20, "{replacements} {deaths}");
}

#[tokio::test]
async fn a_version_replaces_the_table_only_when_it_is_activated() {
    let mut bench = Bench::new(true);
    let record = |sequence, id| Event::Record { sequence, id };
    let said = |version, events| Said {
        version: Some(version),
        events,
    };
    bench.say(&said(1, vec![record(1, 1), record(2, 2)]));
    assert_eq!(bench.load().await.books.books.written, 2);
    bench.say(&said(2, vec![record(3, 3)]));
    let report = bench.load().await;
    assert_eq!((report.books.held, report.replaced), (1, false));
    assert_eq!(bench.rows(), [(1, 1), (2, 2)]);
    assert_eq!(bench.position.upto, 1, "what waits stays in the log");
    bench.say(&said(1, vec![record(4, 4)]));
    bench.load().await;
    assert_eq!(
        bench.rows(),
        [(1, 1), (2, 2), (4, 4)],
        "the current one goes on"
    );
    bench.say(&said(2, vec![Event::Activate { sequence: 5 }]));
    let report = bench.load().await;
    assert_eq!((report.books.held, report.replaced), (0, true));
    assert_eq!(bench.rows(), [(3, 3)]);
    bench.say(&said(1, vec![record(6, 6)]));
    assert_eq!(bench.load().await.books.books.old_version, 1);
    assert_eq!(bench.rows(), [(3, 3)]);
    assert_eq!(bench.position.upto, 5);
}

#[tokio::test]
async fn a_load_is_told_with_the_range_of_its_bookmark_even_if_it_died_before() {
    let mut bench = Bench::new(true);
    let record = |sequence, id| Event::Record { sequence, id };
    let said = |events| Said {
        version: None,
        events,
    };
    bench.say(&said(vec![record(30, 1), record(4, 2), record(100, 3)]));
    let destination = Arc::new(bench.destination.clone());
    assert!(bench.load_into(destination, 1).await.is_err());
    assert!(bench.finished.is_empty());
    bench.load().await;
    bench.say(&said(vec![record(101, 1)]));
    bench.load().await;
    let ranges = bench.finished.iter().map(|load| {
        let [range] = &load.bookmarks[..] else {
            panic!("one range: {load:?}");
        };
        assert_eq!(range.key, "said");
        (&*range.min_value, &*range.max_value)
    });
    let ranges: Vec<_> = ranges.collect();
    assert_eq!(ranges, [("4", "100"), ("101", "101")]);
}

#[tokio::test]
async fn long_keys_and_numbers_that_are_none_are_warned_of_once_a_load() {
    let mut bench = Bench::new(true);
    let said = Said {
        version: None,
        events: Vec::new(),
    };
    for (id, value) in [("k".repeat(255), "NaN"), ("ä".repeat(256), "-Infinity")] {
        bench.say(&said);
        let part = bench.log.last_mut().unwrap();
        let data = format!(r#"{{"id":"{id}","value":{value}}}"#);
        let message = format!(r#"{{"action":"upsert","sequence":1,"data":{data}}}"#);
        part.messages = message.into();
        part.record_count = 1;
        if value == "NaN" {
            bench.load().await;
            let finite = ["WARNING t: 1 values that are no numbers became NULL"];
            assert_eq!(
                bench.lines, finite,
                "a key of 255 characters is none to warn of"
            );
        }
    }
    bench.say(&said);
    let again = bench.log[1].messages.clone();
    let part = bench.log.last_mut().unwrap();
    (part.messages, part.record_count) = (again, 1);
    // Typed anew in between.
    part.header.typing = Typing::Tag;
    bench.load().await;
    assert_eq!(
        bench.lines,
        [
            "WARNING t: 2 values that are no numbers became NULL",
            "WARNING t: the key field id has values of 256 characters or more, which not every destination holds",
        ]
    );
}

#[tokio::test]
async fn activating_a_version_without_records_empties_the_table() {
    let mut bench = Bench::new(false);
    let events = vec![Event::Record { sequence: 1, id: 1 }];
    bench.say(&Said {
        version: None,
        events,
    });
    bench.load().await;
    let events = vec![Event::Activate { sequence: 2 }];
    bench.say(&Said {
        version: Some(7),
        events,
    });
    assert!(bench.load().await.replaced);
    assert!(bench.rows().is_empty());
    let versions: BTreeSet<_> = bench.position.table_version.into_iter().collect();
    assert_eq!(versions, BTreeSet::from([7]));
}
