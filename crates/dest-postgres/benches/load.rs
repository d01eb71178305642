//! Loading prepared batches, against the server's own COPY of the same rows from a file.
//!
//! Both sides fill a new table with the same columns, system columns included, and build its key at the end; they take turns.
//! The server is the one that `SELVEDGE_TEST_POSTGRES_URL` names. `cargo xtask bench load` provides one.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use selvedge_connector::{
    Checkpoint, ConnectionConfig, Destination, Field, Instants, LoadContext, LoadMode, LogicalType,
    Sequences, ShapedBatch, StreamIdentity, StreamSchema, SystemValues, TableTarget,
};
use selvedge_dest_postgres::PostgresDestination;
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_testkit::clock::FakeClock;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_types::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

const BATCH_ROWS: i64 = 10_000;
const ROUNDS: usize = 3;
const COPY_CHUNK: usize = 256 * 1024;

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
    fn batch(&self, ids: std::ops::Range<i64>) -> ShapedBatch {
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

    /// All rows, prepared before the clock starts.
    fn batches(&self) -> Vec<ShapedBatch> {
        (0..self.rows)
            .step_by(BATCH_ROWS as usize)
            .map(|first| self.batch(first..(first + BATCH_ROWS).min(self.rows)))
            .collect()
    }
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

fn destination(database: &TestDatabase) -> PostgresDestination {
    let properties = json!({
        "host": database.host, "port": database.port, "database": database.name,
        "username": database.user, "password": database.password,
    });
    let Value::Object(properties) = properties else {
        unreachable!("settings are an object")
    };
    PostgresDestination::new(&ConnectionConfig::new(properties)).expect("settings are complete")
}

/// Ours: into `ours.orders`, which is not there yet.
async fn load(destination: &PostgresDestination, key: &[&str], batches: Vec<ShapedBatch>) {
    let target = TableTarget {
        identity: StreamIdentity {
            source_id: 1,
            tap_stream_id: "orders".to_owned(),
            epoch: 1,
        },
        schema_name: "ours".to_owned(),
        table_name: "orders".to_owned(),
        schema: batches[0].schema.clone(),
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        mode: LoadMode::Replace,
        table_version: 0,
    };
    let mut writer = destination.open(context(), target).await.expect("opened");
    for batch in batches {
        writer.write(batch).await.expect("written");
    }
    let end = Checkpoint {
        number: 1,
        position: None,
    };
    writer.finish(end).await.expect("finished");
}

/// What our table holds, as the text of COPY.
async fn unload(client: &Client, file: &Path) -> u64 {
    let rows = client.copy_out("copy ours.orders to stdout").await;
    let mut rows = pin!(rows.expect("the table can be read"));
    let mut out = tokio::fs::File::create(file).await.expect("a file");
    let mut size_bytes = 0;
    while let Some(piece) = rows.try_next().await.expect("rows") {
        size_bytes += piece.len() as u64;
        out.write_all(&piece).await.expect("room on the disk");
    }
    out.flush().await.expect("room on the disk");
    size_bytes
}

/// Theirs: COPY from the file into a new table of the same columns, then its key.
async fn copy(client: &Client, key: &[&str], file: &Path) {
    client
        .batch_execute(
            "create table theirs.orders (like ours.orders); alter table theirs.orders alter id drop not null",
        )
        .await
        .expect("a table");
    let sink = client
        .copy_in::<_, Bytes>("copy theirs.orders from stdin")
        .await;
    let mut sink = pin!(sink.expect("COPY begins"));
    let mut rows = tokio::fs::File::open(file).await.expect("the file");
    loop {
        let mut piece = Vec::with_capacity(COPY_CHUNK);
        if rows.read_buf(&mut piece).await.expect("the file") == 0 {
            break;
        }
        sink.send(Bytes::from(piece)).await.expect("COPY goes on");
    }
    sink.finish().await.expect("COPY ends");
    if !key.is_empty() {
        let add = format!(
            "alter table theirs.orders add primary key ({})",
            key.join(", ")
        );
        client.batch_execute(&add).await.expect("keys are unique");
    }
}

/// Both tables have all rows, and the same ones.
async fn check(client: &Client, rows: i64) {
    let query = |schema: &str| {
        format!(
            "select count(*), sum(id)::text, sum(quantity)::text, sum(price)::text, count(note), max(placed_at)::text,
                    sum(hashtext(customer))::text, sum(_sdc_sequence)::text
             from {schema}.orders"
        )
    };
    let ours = client
        .query_one(&query("ours"), &[])
        .await
        .expect("our table");
    let theirs = client
        .query_one(&query("theirs"), &[])
        .await
        .expect("their table");
    assert_eq!(ours.get::<_, i64>(0), rows);
    assert_eq!(ours.get::<_, i64>(4), theirs.get::<_, i64>(4));
    for column in [1, 2, 3, 5, 6, 7] {
        let (ours, theirs): (&str, &str) = (ours.get(column), theirs.get(column));
        assert_eq!(ours, theirs, "column {column}");
    }
}

/// User and system time of this process in seconds, in hundredths; `None` where the system does not tell.
fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let times = stat.rsplit_once(')')?.1;
    let ticks: Vec<f64> = times
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    Some(ticks.iter().sum::<f64>() / 100.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn contest(name: &str, key: &[&str], workload: &Workload) {
    let database = TestDatabase::create().await;
    let client = database.connect().await;
    let destination = destination(&database);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("orders.copy");
    let (mut ours, mut theirs, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    let mut size_bytes = 0;
    for _ in 0..ROUNDS {
        let fresh = "drop schema if exists ours cascade; drop schema if exists theirs cascade; create schema theirs";
        client
            .batch_execute(fresh)
            .await
            .expect("an empty database");
        let batches = workload.batches();
        let (started, cpu_before) = (Instant::now(), cpu_seconds());
        load(&destination, key, batches).await;
        ours.push(started.elapsed().as_secs_f64());
        cpu.extend(
            cpu_seconds()
                .zip(cpu_before)
                .map(|(after, before)| after - before),
        );
        size_bytes = unload(&client, &file).await;
        let started = Instant::now();
        copy(&client, key, &file).await;
        theirs.push(started.elapsed().as_secs_f64());
        check(&client, workload.rows).await;
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let cpu = match cpu.is_empty() {
        true => "-".to_owned(),
        false => format!("{:.2}", median(cpu)),
    };
    println!(
        "{name:<14} {:>9} {:>6.0} MB {ours:>8.2} s {:>9.0}/s {cpu:>8} s {theirs:>8.2} s {:>9.0}/s {:>6.2}",
        workload.rows,
        size_bytes as f64 / 1e6,
        workload.rows as f64 / ours,
        workload.rows as f64 / theirs,
        theirs / ours,
    );
}

fn main() {
    // A test run only wants to know that it works.
    let rows = match std::env::args().any(|argument| argument == "--bench") {
        true => 1_000_000,
        false => 20_000,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!(
        "PostgreSQL          rows  as text        loaded                our CPU      COPY of a file        ratio"
    );
    runtime.block_on(async {
        let workload = Workload::new(rows);
        contest("with a key", &["id"], &workload).await;
        contest("without a key", &[], &workload).await;
    });
}
