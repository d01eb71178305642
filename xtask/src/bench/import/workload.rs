//! The bodies that are sent, the same on every machine.

use std::fmt::Write as _;

use serde_json::json;

use crate::bench::import::report::Contestant;

/// What the load program replaces by a number of its own in each body.
pub(super) const NUMBER: &str = "{number}";

const BATCH_RECORDS: u64 = 20_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workload {
    /// The most records that a batch may bring, with a schema.
    Batches,
    /// One record at a time.
    Pushes,
}

impl Workload {
    pub(super) const ALL: [Workload; 2] = [Workload::Batches, Workload::Pushes];

    pub(super) fn name(self) -> &'static str {
        match self {
            Workload::Batches => "batches",
            Workload::Pushes => "pushes",
        }
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Workload::Batches => "/v2/import/batch",
            Workload::Pushes => "/v2/import/push",
        }
    }

    /// Who is measured, ourselves first.
    pub(super) fn contestants(self) -> &'static [Contestant] {
        use Contestant::{Bare, Parsing, Selvedge, Writing};
        match self {
            Workload::Batches => &[Selvedge, Parsing, Writing, Bare],
            Workload::Pushes => &[Selvedge, Writing, Bare],
        }
    }

    /// The ratio that is aimed at.
    pub(super) fn target(self, clients: u64) -> Option<f64> {
        match self {
            Workload::Batches => Some(0.5),
            Workload::Pushes => (clients == 64).then_some(0.5),
        }
    }

    /// A rate in the unit that says most.
    pub(super) fn rate(self, requests_per_second: f64, body_bytes: u64) -> String {
        match self {
            Workload::Batches => {
                format!("{:.0} MB/s", requests_per_second * body_bytes as f64 / 1e6)
            }
            Workload::Pushes => format!("{requests_per_second:.0}/s"),
        }
    }

    /// A body for this account; [`NUMBER`] in it stands for a number.
    pub(super) fn body(self, account: i64) -> String {
        match self {
            Workload::Batches => batch(),
            Workload::Pushes => format!(
                r#"[{{"client_id":{account},"table_name":"visits","sequence":{NUMBER},"action":"upsert","key_names":["visit_id"],"data":{{"visit_id":{NUMBER},"page":"/products/lamps?sort=price","referrer":"https://www.example.com/","seconds":12.5,"mobile":true,"country":"se","at":"2024-05-01T10:00:00Z","campaign":null}}}}]"#
            ),
        }
    }
}

fn batch() -> String {
    let schema = json!({"type": "object", "properties": {
        "id": {"type": "integer"}, "quantity": {"type": ["null", "integer"]},
        "total": {"type": "number"}, "customer": {"type": "string"}, "note": {"type": ["null", "string"]},
        "changed_at": {"type": "string", "format": "date-time"},
    }});
    let mut body = format!(r#"{{"table_name":"orders","schema":{schema},"messages":["#);
    for number in 0..BATCH_RECORDS {
        let comma = if number == 0 { "" } else { "," };
        let odd = mix(number);
        write!(
            body,
            r#"{comma}{{"action":"upsert","sequence":{},"data":{{"id":{number},"quantity":{},"total":{}.{:02},"customer":"customer {}","note":"parcel {odd:x}, to the door","changed_at":"2024-0{}-1{}T10:{:02}:00Z"}}}}"#,
            1_700_000_000_000 + number,
            odd % 12,
            odd % 900,
            odd % 100,
            odd % 5_000,
            odd % 9 + 1,
            odd % 10,
            odd % 60,
        )
        .expect("a String takes text");
    }
    body.push_str(r#"],"key_names":["id"]}"#);
    body
}

/// Different from record to record, the same from run to run.
fn mix(number: u64) -> u64 {
    let mixed = (number ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_of_the_size_that_is_told() {
        for (workload, sizes) in [
            (Workload::Batches, 3_800_000..4_300_000),
            (Workload::Pushes, 280..340),
        ] {
            let body = workload.body(100_001).replace(NUMBER, "1000000");
            assert!(sizes.contains(&body.len()), "{}", body.len());
            serde_json::from_str::<serde_json::Value>(&body).unwrap();
        }
    }
}
