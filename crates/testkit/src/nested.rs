//! Random loads of nested records against a model that is slow and obviously right, for any destination with subtables.
//!
//! A stream lives through several runs, which merge or replace, are finished or cut short; the batches of a run have
//! records in any order, with keys, sequences and arrays of a narrow choice, so that everything meets everything. After
//! each run the tables hold what the model says, and the books account for every record.

use std::collections::BTreeMap;

use async_trait::async_trait;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use selvedge_connector::{
    Books, Checkpoint, CommitReport, Instants, LoadMode, Nesting, ShapedBatch, SystemValues,
    TableWriter,
};
use selvedge_shape::json::JsonShaper;
use selvedge_types::Timestamp;

/// Key of the stream.
pub const KEY: [&str; 2] = ["k1", "k2"];

/// The destination under test, fresh for each life of a stream.
#[async_trait]
pub trait Ground: Sync {
    /// A writer for a stream with the key [`KEY`], by the run of this number (also its fence), from 1.
    async fn open(&self, run: i64, mode: LoadMode) -> Box<dyn TableWriter>;

    /// Everything that is stored, sorted, one text for each row: `orders|k1|k2|name|sequence`,
    /// `lines|k1|k2|level 0|at|sequence`, `marks|k1|k2|level 0|level 1|value|sequence`, `tags|k1|k2|level 0|value|sequence`, and
    /// `null` for NULL. A table or a column that is not there has no rows or is NULL.
    async fn stored(&self) -> Vec<String>;
}

/// An order with lines, each with marks, and with tags.
#[derive(Clone, Debug)]
struct Order {
    /// `None` is a key that is not complete.
    k1: Option<u8>,
    k2: u8,
    sequence: i64,
    name: u16,
    lines: Vec<Vec<u8>>,
    tags: Vec<Option<u8>>,
    /// Two fields of one name in a line, which reject the record.
    collides: bool,
}

impl Order {
    fn text(&self) -> String {
        let k1 = self.k1.map_or("null".to_owned(), |k1| format!("\"{k1}\""));
        let lines: Vec<String> = self
            .lines
            .iter()
            .enumerate()
            .map(|(at, marks)| {
                let twin = match self.collides && at == 0 {
                    true => ",\"at!\":1",
                    false => "",
                };
                format!("{{\"at\":{at}{twin},\"marks\":{marks:?}}}")
            })
            .collect();
        let tags: Vec<String> = self
            .tags
            .iter()
            .map(|tag| tag.map_or("null".to_owned(), |tag| format!("\"t{tag}\"")))
            .collect();
        format!(
            "{{\"k1\":{k1},\"k2\":{},\"name\":{},\"lines\":[{}],\"tags\":[{}]}}",
            self.k2,
            self.name,
            lines.join(","),
            tags.join(",")
        )
    }

    fn rejected(&self) -> bool {
        self.collides && !self.lines.is_empty()
    }

    fn sub_rows(&self) -> u64 {
        let marks: usize = self.lines.iter().map(Vec::len).sum();
        (self.lines.len() + marks + self.tags.len()) as u64
    }

    /// The rows of all tables for this record.
    fn rows(&self) -> Vec<String> {
        let Some(k1) = self.k1 else { return Vec::new() };
        let (k2, sequence) = (self.k2, self.sequence);
        let mut rows = vec![format!("orders|{k1}|{k2}|{}|{sequence}", self.name)];
        for (line, marks) in self.lines.iter().enumerate() {
            rows.push(format!("lines|{k1}|{k2}|{line}|{line}|{sequence}"));
            for (at, mark) in marks.iter().enumerate() {
                rows.push(format!("marks|{k1}|{k2}|{line}|{at}|{mark}|{sequence}"));
            }
        }
        for (at, tag) in self.tags.iter().enumerate() {
            let tag = tag.map_or("null".to_owned(), |tag| format!("t{tag}"));
            rows.push(format!("tags|{k1}|{k2}|{at}|{tag}|{sequence}"));
        }
        rows
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Finish,
    /// The writer is dropped; what was committed stays.
    Drop,
}

/// Something that happens to a writer.
#[derive(Clone, Debug)]
enum Step {
    Write(Vec<Order>),
    Commit,
}

#[derive(Clone, Debug)]
struct Run {
    mode: LoadMode,
    steps: Vec<Step>,
    end: End,
}

fn order() -> impl Strategy<Value = Order> {
    let key = (prop::option::weighted(0.95, 0..4_u8), 0..3_u8);
    let lines = vec(vec(0..9_u8, 0..3), 0..4);
    let tags = vec(prop::option::weighted(0.9, 0..5_u8), 0..3);
    let collides = prop::bool::weighted(0.04);
    (key, 1..40_i64, any::<u16>(), lines, tags, collides).prop_map(
        |((k1, k2), sequence, name, lines, tags, collides)| Order {
            k1,
            k2,
            sequence,
            name,
            lines,
            tags,
            collides,
        },
    )
}

/// Sometimes sorted by key, as the source of a first load reads.
fn orders() -> impl Strategy<Value = Vec<Order>> {
    (vec(order(), 1..12), any::<bool>()).prop_map(|(mut orders, sorted)| {
        if sorted {
            orders.sort_by_key(|order| (order.k1, order.k2));
            orders.dedup_by_key(|order| (order.k1, order.k2));
        }
        orders
    })
}

fn run() -> impl Strategy<Value = Run> {
    let step = prop_oneof![
        3 => orders().prop_map(Step::Write),
        1 => Just(Step::Commit),
    ];
    let mode = prop_oneof![3 => Just(LoadMode::Merge), 1 => Just(LoadMode::Replace)];
    let end = prop_oneof![2 => Just(End::Finish), 1 => Just(End::Drop)];
    (mode, vec(step, 0..5), end).prop_map(|(mode, steps, end)| Run { mode, steps, end })
}

type Table = BTreeMap<(u8, u8), Order>;

/// One load: of a key the greatest sequence, of equals the later; against what is stored only a greater one.
fn load(table: &mut Table, orders: &[Order], books: &mut Books) {
    let mut best = Table::new();
    for order in orders {
        let Some(k1) = order.k1 else {
            books.null_key += 1;
            continue;
        };
        if order.rejected() {
            books.rejected += 1;
            continue;
        }
        let key = (k1, order.k2);
        if best
            .get(&key)
            .is_none_or(|best| best.sequence <= order.sequence)
        {
            best.insert(key, order.clone());
        }
    }
    for (key, order) in best {
        if table
            .get(&key)
            .is_none_or(|stored| stored.sequence < order.sequence)
        {
            books.written += 1;
            table.insert(key, order);
        }
    }
}

/// What the file holds.
#[derive(Clone, Debug, Default)]
struct Model {
    table: Table,
    /// Some run came to its end: from then on replacements are made beside the table.
    finished: bool,
}

fn rows_of(table: &Table) -> Vec<String> {
    let mut rows: Vec<String> = table.values().flat_map(Order::rows).collect();
    rows.sort();
    rows
}

/// Plays the runs against the destination and the model; whatever differs is told.
async fn play(ground: &impl Ground, runs: &[Run]) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for (number, run) in (1..).zip(runs) {
        let mut writer = ground.open(number, run.mode).await;
        let mut table = match run.mode {
            LoadMode::Merge => model.table.clone(),
            LoadMode::Replace => Table::new(),
        };
        let (mut waiting, mut replacing) = (Vec::<Order>::new(), Vec::<Order>::new());
        let mut expected = Books::default();
        let mut told = CommitReport::default();
        let mut add = |report: CommitReport| {
            told.books += report.books;
            told.subtables.extend(report.subtables);
        };
        let mut sub_rows = 0;
        let mut settle = |table: &mut Table, waiting: &mut Vec<Order>, expected: &mut Books| {
            let before = table.clone();
            load(table, waiting, expected);
            waiting.clear();
            for (key, order) in table.iter() {
                let new = before
                    .get(key)
                    .is_none_or(|old| old.sequence < order.sequence);
                sub_rows += if new { order.sub_rows() } else { 0 };
            }
        };
        let mut records = 0;
        for (at, step) in (1..).zip(&run.steps) {
            match step {
                Step::Write(orders) => {
                    records += orders.len() as u64;
                    let texts: Vec<(i64, String)> = orders
                        .iter()
                        .map(|order| (order.sequence, order.text()))
                        .collect();
                    writer.write(batch(&texts)).await.unwrap();
                    waiting.extend(orders.iter().cloned());
                }
                Step::Commit => {
                    let report = writer.commit(checkpoint(at)).await.unwrap();
                    // A replacement without a table to replace may be as durable as any load.
                    prop_assert!(report.durable || run.mode == LoadMode::Replace);
                    add(report);
                    match run.mode {
                        LoadMode::Merge => {
                            settle(&mut table, &mut waiting, &mut expected);
                            model.table.clone_from(&table);
                        }
                        // Rows of a replacement are one load, whatever is committed in between.
                        LoadMode::Replace => replacing.append(&mut waiting),
                    }
                }
            }
        }
        match run.end {
            End::Drop => {
                drop(writer);
                // Without a finished run before it, a replacement may go straight into the table.
                if run.mode == LoadMode::Replace && !model.finished {
                    let mut visible = Table::new();
                    load(&mut visible, &replacing, &mut Books::default());
                    if ground.stored().await == rows_of(&visible) {
                        model.table = visible;
                    }
                }
            }
            End::Finish => {
                add(writer.finish(checkpoint(99)).await.unwrap());
                replacing.append(&mut waiting);
                settle(&mut table, &mut replacing, &mut expected);
                expected.superseded = records
                    - expected.written
                    - expected.null_key
                    - expected.rejected
                    - told.books.older_sequence;
                expected.older_sequence = told.books.older_sequence;
                prop_assert_eq!(told.books, expected);
                prop_assert_eq!(told.subtable_rows(), sub_rows);
                model.table = table;
                model.finished |= records > 0;
            }
        }
        prop_assert_eq!(
            ground.stored().await,
            rows_of(&model.table),
            "after run {}",
            number
        );
    }
    Ok(())
}

fn batch(records: &[(i64, String)]) -> ShapedBatch {
    let mut shaper = JsonShaper::new(
        Nesting::Subtables,
        "the destination",
        &KEY.map(str::to_owned),
    );
    for (_, record) in records {
        assert!(matches!(shaper.push(record), Ok(true)), "{record}");
    }
    let instant = Timestamp::from_micros(1_700_000_000_000_000);
    let system = SystemValues {
        extracted_at: Instants::Same(Some(instant)),
        received_at: Instants::Same(Some(instant)),
        batched_at: instant,
        sequences: records.iter().map(|(sequence, _)| *sequence).collect(),
        table_version: 0,
    };
    shaper.finish(system).unwrap()
}

fn checkpoint(number: i64) -> Checkpoint {
    Checkpoint {
        number,
        position: Some(format!("p{number}")),
    }
}

/// Lets `cases` streams live (or as many as `SELVEDGE_SEEDS` says, where that is more), each on a ground of its own, and tells the smallest life that goes wrong.
///
/// # Panics
/// When the destination holds, or reports, something else than the model.
pub fn play_lives<G: Ground>(cases: u32, fresh: impl AsyncFn() -> G) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let seeds = crate::effort::seeds(cases.into()).count();
    let config = Config {
        cases: u32::try_from(seeds).unwrap_or(cases).max(cases),
        failure_persistence: None,
        ..Config::default()
    };
    // The suite plays the same lives every time; a soak, which plays more of them, always others.
    let mut runner = match seeds > cases as usize {
        true => TestRunner::new(config),
        false => {
            let random = TestRng::deterministic_rng(config.rng_algorithm);
            TestRunner::new_with_rng(config, random)
        }
    };
    let played = runner.run(&vec(run(), 1..5), |runs| {
        runtime.block_on(async { play(&fresh().await, &runs).await })
    });
    if let Err(error) = played {
        panic!("{error}");
    }
}
