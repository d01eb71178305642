//! JSON to columns, next to parsing the same bytes into `serde_json::Value`, in one run and on one core.
//!
//! `cargo xtask bench shape` runs it. The rounds of both alternate; medians are shown.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use selvedge_connector::{Instants, Nesting, Sequences, SystemValues};
use selvedge_shape::json::JsonShaper;
use selvedge_types::Timestamp;
use serde_json::{Value, json};

/// Bytes of each kind of records.
const BYTES: usize = 32 << 20;
const ROUNDS: usize = 5;
/// A batch is finished after so many bytes.
const BATCH_BYTES: usize = 8 << 20;

struct Workload {
    name: &'static str,
    schema: Value,
    records: Vec<String>,
}

fn workload(name: &'static str, schema: Value, record: impl Fn(u64, &mut String)) -> Workload {
    let mut records = Vec::new();
    let mut size = 0;
    let mut number = 0;
    while size < BYTES {
        let mut text = String::new();
        record(number, &mut text);
        size += text.len();
        records.push(text);
        number += 1;
    }
    Workload {
        name,
        schema,
        records,
    }
}

/// Different from record to record, the same from run to run.
fn mix(number: u64) -> u64 {
    let mixed = (number ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

fn workloads() -> Vec<Workload> {
    let instant = json!({"type": ["null", "string"], "format": "date-time"});
    let flat = workload(
        "flat",
        json!({"properties": {
            "id": {"type": "integer"}, "changed_at": instant, "total": {"type": "number"},
            "fee": {"type": "number", "multipleOf": 0.01},
        }}),
        |number, text| {
            let odd = mix(number);
            let _ = write!(
                text,
                "{{\"id\":{number},\"customer\":\"customer {}\",\"email\":\"person{}@example.com\",\"total\":{}.{:02},\
                 \"fee\":{}.25,\"paid\":{},\"changed_at\":\"2024-0{}-1{}T10:{:02}:00.{:06}Z\",\"note\":null,\"quantity\":{},\
                 \"city\":\"Göteborg\"}}",
                odd % 5_000,
                odd % 70_000,
                odd % 900,
                odd % 100,
                odd % 40,
                odd.is_multiple_of(3),
                odd % 9 + 1,
                odd % 10,
                odd % 60,
                odd % 1_000_000,
                odd % 12,
            );
        },
    );
    let wide = workload("wide", json!({}), |number, text| {
        text.push('{');
        for field in 0..200_u64 {
            let odd = mix(number * 200 + field);
            let comma = if field == 0 { "" } else { "," };
            let _ = match field % 4 {
                0 => write!(text, "{comma}\"column_{field}\":{}", odd % 1_000_000),
                1 => write!(text, "{comma}\"column_{field}\":\"value {}\"", odd % 1_000),
                2 => write!(text, "{comma}\"column_{field}\":{}.5", odd % 1_000),
                _ => write!(text, "{comma}\"column_{field}\":{}", odd.is_multiple_of(2)),
            };
        }
        text.push('}');
    });
    let nested = workload("nested", json!({}), |number, text| {
        let odd = mix(number);
        let _ = write!(
            text,
            "{{\"id\":{number},\"customer\":{{\"name\":\"customer {}\",\"address\":{{\"city\":\"Lund\",\"zip\":\"{:05}\"}}}},\
             \"lines\":[",
            odd % 5_000,
            odd % 99_999,
        );
        for line in 0..odd % 5 {
            let comma = if line == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}{{\"sku\":\"sku-{}\",\"quantity\":{line},\"tags\":[\"a\",\"b {line}\"]}}",
                odd % 300
            );
        }
        text.push_str("]}");
    });
    vec![flat, wide, nested]
}

fn parse(records: &[String]) {
    for record in records {
        let value: Result<Value, _> = serde_json::from_str(record);
        black_box(value.is_ok());
    }
}

fn shape(workload: &Workload) {
    let key = ["id".to_owned()];
    let mut shaper =
        JsonShaper::with_schema(Nesting::Subtables, "PostgreSQL", &key, &workload.schema);
    let instant = Timestamp::from_micros(0);
    let system = SystemValues {
        extracted_at: Instants::Same(Some(instant)),
        received_at: Instants::Same(Some(instant)),
        batched_at: instant,
        sequences: Sequences::From(1),
        table_version: 0,
    };
    for record in &workload.records {
        let taken = shaper.push(record);
        assert!(matches!(taken, Ok(true)), "{record}: {taken:?}");
        if shaper.size_bytes() >= BATCH_BYTES || shaper.is_full() {
            black_box(shaper.finish(system.clone()).is_ok());
        }
    }
    black_box(shaper.finish(system).is_ok());
}

fn seconds(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    println!("records  bytes/record  to columns           serde_json::Value    ratio");
    for workload in workloads() {
        let size: usize = workload.records.iter().map(String::len).sum();
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            columns.push(seconds(|| shape(&workload)));
            values.push(seconds(|| parse(&workload.records)));
        }
        let (columns, values) = (median(columns), median(values));
        let megabytes = size as f64 / 1e6;
        let count = workload.records.len() as f64;
        println!(
            "{:<8} {:>12} {:>6.0} MB/s {:>8.0}/s {:>6.0} MB/s {:>8.0}/s {:>6.2}",
            workload.name,
            size / workload.records.len(),
            megabytes / columns,
            count / columns,
            megabytes / values,
            count / values,
            values / columns,
        );
    }
}
