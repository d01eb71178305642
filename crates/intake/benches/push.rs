//! Bodies of push, next to parsing the same bytes into `serde_json::Value`, in one run and on one core.
//!
//! `cargo bench -p selvedge-intake --bench push` runs it. The rounds of all contestants alternate; medians are shown.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use selvedge_intake::{push, push_transit};
use selvedge_types::AccountId;
use serde_json::Value;

const ACCOUNT: AccountId = AccountId(4821);
const RECORDS: u64 = 20_000;
const ROUNDS: usize = 15;
/// Requests of one record in a round.
const REQUESTS: usize = 20_000;

/// Different from record to record, the same from run to run.
fn mix(number: u64) -> u64 {
    let mixed = (number ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

fn record(table: &str, number: u64, text: &mut String) {
    let odd = mix(number);
    let _ = write!(
        text,
        "{{\"client_id\":4821,\"table_name\":\"{table}\",\"sequence\":{},\"action\":\"upsert\",\"key_names\":[\"id\"],\
         \"data\":{{\"id\":{number},\"customer\":\"customer {}\",\"status\":\"{}\",\"total\":{}.{:02},\
         \"changed_at\":\"2024-05-{:02}T10:00:00Z\",\"note\":null}}}}",
        1_700_000_000_000 + number,
        odd % 90_000,
        ["new", "paid", "sent"][(odd % 3) as usize],
        odd % 5_000,
        odd % 100,
        odd % 28 + 1,
    );
}

fn body(table: impl Fn(u64) -> &'static str, count: u64) -> Bytes {
    let mut text = String::from("[");
    for number in 0..count {
        text.push_str(if number == 0 { "" } else { "," });
        record(table(number), number, &mut text);
    }
    text.push(']');
    Bytes::from(text)
}

/// The same records as compact Transit.
fn transit() -> Bytes {
    let mut text = String::from("[");
    for number in 0..RECORDS {
        let odd = mix(number);
        let names: Vec<String> = [
            "client_id",
            "table_name",
            "sequence",
            "action",
            "key_names",
            "data",
            "customer",
            "status",
            "total",
            "changed_at",
            "note",
        ]
        .iter()
        .enumerate()
        .map(|(index, name)| match number {
            0 => format!("~:{name}"),
            _ => format!("^{}", char::from(b'0' + index as u8)),
        })
        .collect();
        let _ = write!(
            text,
            "{}[\"^ \",\"{}\",4821,\"{}\",\"visits\",\"{}\",{},\"{}\",\"upsert\",\"{}\",[\"id\"],\"{}\",[\"^ \",\"id\",{number},\
             \"{}\",\"customer {}\",\"{}\",\"new\",\"{}\",\"~f{}.{:02}\",\"{}\",\"~m{}\",\"{}\",null]]",
            if number == 0 { "" } else { "," },
            names[0],
            names[1],
            names[2],
            1_700_000_000_000 + number,
            names[3],
            names[4],
            names[5],
            names[6],
            odd % 90_000,
            names[7],
            names[8],
            odd % 5_000,
            odd % 100,
            names[9],
            1_700_000_000_000 + odd % 1_000_000_000,
            names[10],
        );
    }
    text.push(']');
    Bytes::from(text)
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[ROUNDS / 2]
}

fn line(name: &str, body: &Bytes, take: fn(Bytes, AccountId) -> bool) {
    assert!(take(body.clone(), ACCOUNT), "{name}");
    let taken = median(|| {
        black_box(take(black_box(body.clone()), ACCOUNT));
    });
    let parsed = median(|| {
        let value: Result<Value, _> = serde_json::from_slice(black_box(body));
        black_box(value.is_ok());
    });
    let megabytes = body.len() as f64 / 1e6;
    println!(
        "{name:<24} {:>6.2} MB {:>7.0} MB/s {:>9.0} records/s {:>11.0} MB/s {:>8.2}",
        megabytes,
        megabytes / taken,
        RECORDS as f64 / taken,
        megabytes / parsed,
        parsed / taken
    );
}

fn main() {
    println!(
        "20,000 records                size     taken                  serde_json::Value    ratio"
    );
    let json: fn(Bytes, AccountId) -> bool = |body, account| push(body, account).is_ok();
    line("one table", &body(|_| "visits", RECORDS), json);
    let table = |number: u64| ["visits", "rooms", "guests"][(mix(number) % 3) as usize];
    line("three tables, mixed", &body(table, RECORDS), json);
    line("Transit, compact", &transit(), |body, account| {
        push_transit(body, account).is_ok()
    });
    let small = body(|_| "visits", 1);
    let seconds = median(|| {
        for _ in 0..REQUESTS {
            black_box(push(black_box(small.clone()), ACCOUNT).is_ok());
        }
    });
    println!(
        "one record of {} bytes: {:.0} ns",
        small.len(),
        seconds / REQUESTS as f64 * 1e9
    );
}
