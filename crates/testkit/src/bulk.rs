//! Loading prepared batches, against the destination's own way of taking the same rows in bulk.
//!
//! Both sides fill a new table with the same columns, system columns and key included, in turn. What is particular about a
//! destination is a [`Contender`]; its benchmark prints a line for each [`Bench::contest`]:
//!
//! ```text
//!                      rows   bytes        loaded                       CPU    memory       COPY of a file     ratio
//! with a key        1000000  135 MB    2.96 s   338000/s   46 MB/s   1.71 s     14 MB    2.45 s   408000/s    0.83
//! ```
//!
//! CPU and memory are this process's, while it loads: memory is how much more is resident at the highest than before, the rows
//! themselves not counted.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use async_trait::async_trait;
use selvedge_connector::{
    Checkpoint, Destination, Field, Instants, LoadContext, LoadMode, LogicalType, Sequences,
    ShapedBatch, StreamIdentity, StreamSchema, SystemValues, TableTarget,
};
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_types::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::clock::FakeClock;

/// The table that is filled.
pub const TABLE: &str = "orders";

const BATCH_ROWS: usize = 10_000;
const ROUNDS: usize = 3;

/// A destination and its own bulk load.
#[async_trait]
pub trait Contender: Send {
    fn destination(&self) -> &dyn Destination;

    /// The schema that we load into.
    fn schema_name(&self) -> String;

    /// Removes what both sides have loaded.
    async fn start_over(&mut self);

    /// Writes what we have loaded into a file for the other side; its size in bytes.
    async fn unload(&mut self) -> u64;

    /// Loads that file into a table like ours, which gets the same key.
    async fn bulk_load(&mut self, key: &[&str]);

    /// Panics unless both have all rows, and the same ones.
    async fn check(&mut self, rows: u64);
}

/// A benchmark under way.
pub struct Bench {
    workload: Workload,
}

impl Bench {
    /// Prints the head of the table. A run as a test only wants to know that it works.
    pub fn start(destination: &str, other: &str) -> Self {
        let rows = match std::env::args().any(|argument| argument == "--bench") {
            true => 1_000_000,
            false => 20_000,
        };
        println!(
            "{destination:<16} {:>9} {:>9} {:>9} {:>11} {:>10} {:>8} {:>9} {other:>21} {:>6}",
            "rows", "bytes", "loaded", "", "", "CPU", "memory", "ratio"
        );
        Self {
            workload: Workload::new(rows),
        }
    }

    /// Rounds of both sides in turn, and a line with their medians.
    pub async fn contest(&self, name: &str, key: &[&str], contender: &mut dyn Contender) {
        let rows = self.workload.rows as u64;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut size_bytes = 0;
        for _ in 0..ROUNDS {
            contender.start_over().await;
            ours.push(self.measured(key, contender).await);
            size_bytes = contender.unload().await;
            let started = Instant::now();
            contender.bulk_load(key).await;
            theirs.push(started.elapsed().as_secs_f64());
            contender.check(rows).await;
        }
        let of = |value: fn(&Usage) -> f64| median(ours.iter().map(value).collect());
        let (seconds, theirs) = (of(|usage| usage.seconds), median(theirs));
        let (size, rate) = (size_bytes as f64 / 1e6, rows as f64 / seconds);
        println!(
            "{name:<16} {rows:>9} {size:>6.0} MB {seconds:>7.2} s {rate:>9.0}/s {:>5.0} MB/s {:>6.2} s {:>6.0} MB \
             {theirs:>8.2} s {:>9.0}/s {:>6.2}",
            size / seconds,
            of(|usage| usage.cpu_seconds),
            of(|usage| usage.memory_bytes) / 1e6,
            rows as f64 / theirs,
            theirs / seconds,
        );
    }

    /// One load of ours, with batches that are prepared before the clock starts.
    async fn measured(&self, key: &[&str], contender: &mut dyn Contender) -> Usage {
        let batches = self.workload.batches();
        // Held to the end, so that their memory is neither ours nor given back meanwhile.
        let records: Vec<RecordBatch> = batches.iter().map(|batch| batch.records.clone()).collect();
        forget_peak();
        let (resident, cpu, started) = (resident_bytes("VmRSS"), cpu_seconds(), Instant::now());
        load(contender, key, batches).await;
        let usage = Usage {
            seconds: started.elapsed().as_secs_f64(),
            cpu_seconds: cpu_seconds() - cpu,
            memory_bytes: resident_bytes("VmHWM") - resident,
        };
        drop(records);
        usage
    }
}

async fn load(contender: &mut dyn Contender, key: &[&str], batches: Vec<ShapedBatch>) {
    let target = TableTarget {
        identity: StreamIdentity {
            source_id: 1,
            tap_stream_id: TABLE.to_owned(),
            epoch: 1,
        },
        schema_name: contender.schema_name(),
        table_name: TABLE.to_owned(),
        schema: batches[0].schema.clone(),
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        mode: LoadMode::Replace,
        table_version: 0,
    };
    let opened = contender.destination().open(context(), target).await;
    let mut writer = opened.expect("opened");
    for batch in batches {
        writer.write(batch).await.expect("written");
    }
    let end = Checkpoint {
        number: 1,
        position: None,
    };
    writer.finish(end).await.expect("finished");
}

fn context() -> LoadContext {
    let policy = NetworkPolicy {
        private: true,
        ..NetworkPolicy::default()
    };
    LoadContext {
        dialer: Dialer::new(policy, Duration::from_secs(10)),
        clock: Arc::new(FakeClock::at("2031-02-03T05:00:00Z")),
        stop: CancellationToken::new(),
        fence: 1,
        run_seed: 42,
    }
}

/// Rows of six columns, about 90 bytes of text each.
struct Workload {
    schema: Arc<StreamSchema>,
    rows: i64,
}

impl Workload {
    fn new(rows: i64) -> Self {
        let fields = [
            ("id", LogicalType::Int64),
            ("quantity", LogicalType::Int32),
            ("price", LogicalType::Float64),
            ("placed_at", LogicalType::Timestamp),
            ("customer", LogicalType::Text),
            ("note", LogicalType::Text),
        ];
        let fields = fields.map(|(name, logical_type)| Field::new(name, logical_type));
        Self {
            schema: StreamSchema::new(fields.into()),
            rows,
        }
    }

    /// The rows with these ids.
    fn batch(&self, ids: Range<i64>) -> ShapedBatch {
        let texts = |make: fn(i64) -> Option<String>| -> ArrayRef {
            Arc::new(StringArray::from_iter(ids.clone().map(make)))
        };
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(ids.clone())),
            Arc::new(Int32Array::from_iter_values(
                ids.clone().map(|id| (id % 100) as i32),
            )),
            Arc::new(Float64Array::from_iter_values(
                ids.clone().map(|id| id as f64 / 8.0),
            )),
            Arc::new(TimestampMicrosecondArray::from_iter_values(
                ids.clone().map(|id| 1_700_000_000_000_000 + id * 1_000),
            )),
            texts(|id| Some(format!("customer {}", id % 9_973))),
            texts(|id| (id % 3 > 0).then(|| format!("a note of some length about order {id}"))),
        ];
        let records = RecordBatch::try_new(self.schema.arrow_schema(), arrays)
            .expect("arrays have the schema's types");
        let instant = Timestamp::from_micros(1_700_000_000_000_000);
        let system = SystemValues {
            extracted_at: Instants::Same(Some(instant)),
            received_at: Instants::Same(Some(instant)),
            batched_at: instant,
            sequences: Sequences::From(1_700_000_000_000_000_000 + ids.start),
            table_version: 0,
        };
        ShapedBatch::of_columns(Arc::clone(&self.schema), records, system)
    }

    fn batches(&self) -> Vec<ShapedBatch> {
        (0..self.rows)
            .step_by(BATCH_ROWS)
            .map(|first| self.batch(first..(first + BATCH_ROWS as i64).min(self.rows)))
            .collect()
    }
}

/// What a load took.
struct Usage {
    seconds: f64,
    cpu_seconds: f64,
    memory_bytes: f64,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// User and system time of this process, in hundredths; NaN where the system does not tell.
fn cpu_seconds() -> f64 {
    let seconds = || {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let mut times = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut next = || times.next()?.parse::<f64>().ok();
        Some((next()? + next()?) / 100.0)
    };
    seconds().unwrap_or(f64::NAN)
}

/// A line of what the system says of this process's memory; NaN where it does not.
fn resident_bytes(line: &str) -> f64 {
    let kibibytes = || {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|told| told.strip_prefix(line))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    kibibytes().map_or(f64::NAN, |kibibytes| kibibytes * 1024.0)
}

/// Lets the greatest resident memory begin anew. Where that is not possible, it is the greatest of all rounds.
fn forget_peak() {
    drop(std::fs::write("/proc/self/clear_refs", "5"));
}
