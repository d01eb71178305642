//! Bodies of batches, next to reading the same bytes with JSON libraries that check nothing, in one run and on one core.
//!
//! `cargo xtask bench intake` runs it. The rounds of all alternate; the quickest of each is shown, as other programs only make
//! rounds slower. Each body has 20,000 records, the most that a request may bring.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use selvedge_intake::batch;
use serde_json::{Value, json};
use sonic_rs::JsonValueTrait as _;

const RECORDS: u64 = 20_000;
const ROUNDS: usize = 31;

struct Workload {
    name: &'static str,
    body: Bytes,
}

fn workload(
    name: &'static str,
    schema: &Value,
    spaced: bool,
    record: impl Fn(u64, &mut String),
) -> Workload {
    let mut body = format!("{{\"table_name\":\"orders\",\"schema\":{schema},\"messages\":[");
    for number in 0..RECORDS {
        if number > 0 {
            body.push(',');
        }
        let sequence = 1_700_000_000_000 + number;
        let _ = write!(
            body,
            "{{\"action\":\"upsert\",\"sequence\":{sequence},\"data\":"
        );
        record(number, &mut body);
        body.push('}');
    }
    body.push_str("],\"key_names\":[\"id\"]}");
    if spaced {
        body = body.replace(",\"", ", \"").replace("\":", "\": ");
    }
    Workload {
        name,
        body: body.into(),
    }
}

/// Different from record to record, the same from run to run.
fn mix(number: u64) -> u64 {
    let mixed = (number ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

fn flat(number: u64, text: &mut String) {
    let odd = mix(number);
    let _ = write!(
        text,
        "{{\"id\":{number},\"customer\":\"customer {}\",\"email\":\"person{}@example.com\",\"total\":{}.{:02},\
         \"fee\":{}.25,\"paid\":{},\"changed_at\":\"2024-0{}-1{}T10:{:02}:00Z\",\"note\":null,\"quantity\":{}}}",
        odd % 5_000,
        odd % 70_000,
        odd % 900,
        odd % 100,
        odd % 40,
        odd.is_multiple_of(3),
        odd % 9 + 1,
        odd % 10,
        odd % 60,
        odd % 12,
    );
}

fn nested(number: u64, text: &mut String) {
    let odd = mix(number);
    let _ = write!(
        text,
        "{{\"id\":{number},\"customer\":{{\"name\":\"customer {}\",\"address\":{{\"city\":\"Göteborg\",\"zip\":\"{:05}\"}}}},\
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
}

fn workloads() -> Vec<Workload> {
    let text = json!({"type": ["null", "string"]});
    let order = json!({"type": "object", "properties": {
        "id": {"type": "integer"}, "customer": text, "email": text,
        "total": {"type": ["null", "number"]}, "fee": {"type": "number", "multipleOf": 0.01},
        "paid": {"type": "boolean"},
        "changed_at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "note": text, "quantity": {"type": "integer", "minimum": -2_147_483_648_i64, "maximum": 2_147_483_647},
    }});
    let document = json!({"type": "object", "properties": {
        "id": {"type": "integer"},
        "customer": {"type": ["null", "object"], "properties": {
            "name": text, "address": {"type": "object", "properties": {"city": text, "zip": text}},
        }},
        "lines": {"type": "array", "items": {"type": "object", "properties": {
            "sku": text, "quantity": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}},
        }}},
    }});
    let undeclared = json!({"type": "object", "properties": {"id": {"type": "integer"}}});
    vec![
        workload("flat", &order, false, flat),
        workload("spaced", &order, true, flat),
        workload("nested", &document, false, nested),
        workload("undeclared", &undeclared, false, flat),
    ]
}

fn with_serde_json(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok()
}

fn with_sonic_rs(body: &[u8]) -> bool {
    sonic_rs::from_slice::<sonic_rs::Value>(body).is_ok()
}

/// Finds the records without building them, as a server would that kept their text.
fn with_lazy_sonic_rs(body: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(body) else {
        return false;
    };
    let Ok(messages) = sonic_rs::get(text, ["messages"]) else {
        return false;
    };
    let Some(messages) = messages.into_array_iter() else {
        return false;
    };
    messages.flatten().all(|message| {
        let sequence = message.get("sequence").and_then(|value| value.as_i64());
        sequence.is_some() && message.get("data").is_some()
    })
}

fn seconds(work: impl FnOnce() -> bool) -> f64 {
    let start = Instant::now();
    let done = black_box(work());
    let elapsed = start.elapsed().as_secs_f64();
    assert!(done, "a body was not taken");
    elapsed
}

fn least(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[0]
}

fn main() {
    println!("{RECORDS} records each, in ms and MB/s");
    println!(
        "body             MB        batch()          serde_json::Value    sonic_rs::Value      sonic_rs lazily"
    );
    for Workload { name, body } in workloads() {
        let mut times: [Vec<f64>; 4] = Default::default();
        for _ in 0..ROUNDS {
            times[0].push(seconds(|| batch(body.clone()).is_ok()));
            times[1].push(seconds(|| with_serde_json(&body)));
            times[2].push(seconds(|| with_sonic_rs(&body)));
            times[3].push(seconds(|| with_lazy_sonic_rs(&body)));
        }
        let megabytes = body.len() as f64 / 1e6;
        print!("{name:<12} {megabytes:>6.2}");
        for times in times {
            let time = least(times);
            print!(" {:>8.2} ms {:>6.0}/s", time * 1e3, megabytes / time);
        }
        println!();
    }
}
