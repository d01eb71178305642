//! What was measured: a table for people, JSON for later.

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::bench::report::median;
use crate::workspace;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contestant {
    Selvedge,
    Bare,
}

impl Contestant {
    pub(super) const ALL: [Contestant; 2] = [Contestant::Selvedge, Contestant::Bare];

    pub(super) fn name(self) -> &'static str {
        match self {
            Contestant::Selvedge => "selvedge",
            Contestant::Bare => "bare",
        }
    }
}

/// One contestant asked for one span of time.
pub(super) struct Sample {
    pub(super) store: &'static str,
    pub(super) kind: &'static str,
    pub(super) contestant: Contestant,
    pub(super) requests_per_second: f64,
    pub(super) p50_micros: f64,
    pub(super) p99_micros: f64,
    /// Of one answer, as it went over the wire.
    pub(super) body_bytes: f64,
    /// Of the server, per request; without the store's own server.
    pub(super) cpu_micros: f64,
    /// Of the server since its start.
    pub(super) peak_bytes: u64,
}

pub(super) struct Report {
    /// `20310203T040506Z`.
    started_at: String,
    connections: usize,
    samples: Vec<Sample>,
}

/// The samples of one contestant for one kind of request on one store.
struct Group<'a>(Vec<&'a Sample>);

impl Report {
    pub(super) fn new(started_at: String, connections: usize) -> Self {
        Self {
            started_at,
            connections,
            samples: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// Writes the JSON form and says where.
    pub(super) fn write(&self) -> Result<PathBuf> {
        let folder = workspace::root().join("target/bench");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("api-{}.json", self.started_at));
        std::fs::write(&path, format!("{:#}\n", self.to_json()))?;
        Ok(path.canonicalize()?)
    }

    fn to_json(&self) -> Value {
        let results: Vec<Value> = self
            .groups()
            .iter()
            .map(|group| {
                let first = group.first();
                let all = |figure: fn(&Sample) -> f64| -> Vec<f64> {
                    group.0.iter().map(|sample| figure(sample)).collect()
                };
                json!({
                    "store": first.store,
                    "request": first.kind,
                    "contestant": first.contestant.name(),
                    "body_bytes": first.body_bytes,
                    "requests_per_second": all(|sample| sample.requests_per_second),
                    "p50_micros": all(|sample| sample.p50_micros),
                    "p99_micros": all(|sample| sample.p99_micros),
                    "cpu_micros_per_request": all(|sample| sample.cpu_micros),
                    "peak_bytes": group.peak_bytes(),
                    "ratio_to_bare": self.ratio(group),
                })
            })
            .collect();
        json!({
            "benchmark": "api",
            "started_at": self.started_at,
            "connections": self.connections,
            "processors": std::thread::available_parallelism().map_or(0, usize::from),
            "results": results,
        })
    }

    /// In the order they were first measured.
    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        let key = |sample: &Sample| (sample.store, sample.kind, sample.contestant);
        for sample in &self.samples {
            match groups
                .iter_mut()
                .find(|group| key(group.first()) == key(sample))
            {
                Some(group) => group.0.push(sample),
                None => groups.push(Group(vec![sample])),
            }
        }
        groups
    }

    /// Our rate divided by the bare handler's; `None` for the bare handler itself.
    fn ratio(&self, group: &Group<'_>) -> Option<f64> {
        let ours = group.first();
        let groups = self.groups();
        let bare = groups.iter().find(|bare| {
            let bare = bare.first();
            (bare.store, bare.kind, bare.contestant) == (ours.store, ours.kind, Contestant::Bare)
        })?;
        (ours.contestant == Contestant::Selvedge).then(|| {
            group.median(|sample| sample.requests_per_second)
                / bare.median(|sample| sample.requests_per_second)
        })
    }
}

impl Group<'_> {
    fn first(&self) -> &Sample {
        self.0[0]
    }

    fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(self.0.iter().map(|sample| figure(sample)))
    }

    fn peak_bytes(&self) -> u64 {
        let peaks = self.0.iter().map(|sample| sample.peak_bytes);
        peaks.max().unwrap_or(0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{} connections; medians; CPU and memory of the answering process",
            self.connections
        )?;
        writeln!(
            formatter,
            "{:<9} {:<19} {:<9} {:>9} {:>11} {:>8} {:>8} {:>12} {:>8} {:>6}",
            "store",
            "request",
            "contestant",
            "bytes",
            "requests/s",
            "p50 ms",
            "p99 ms",
            "CPU µs each",
            "peak MB",
            "ratio"
        )?;
        for group in self.groups() {
            let ratio = self
                .ratio(&group)
                .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            writeln!(
                formatter,
                "{:<9} {:<19} {:<10} {:>9.0} {:>11.0} {:>8.2} {:>8.2} {:>12.1} {:>8.1} {:>6}",
                group.first().store,
                group.first().kind,
                group.first().contestant.name(),
                group.first().body_bytes,
                group.median(|sample| sample.requests_per_second),
                group.median(|sample| sample.p50_micros / 1e3),
                group.median(|sample| sample.p99_micros / 1e3),
                group.median(|sample| sample.cpu_micros),
                group.peak_bytes() as f64 / 1e6,
                ratio
            )?;
        }
        writeln!(
            formatter,
            "ratio: selvedge's requests per second divided by the bare handler's"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(contestant: Contestant, requests_per_second: f64) -> Sample {
        Sample {
            store: "sqlite",
            kind: "one source",
            contestant,
            requests_per_second,
            p50_micros: 1.0,
            p99_micros: 2.0,
            body_bytes: 3.0,
            cpu_micros: 4.0,
            peak_bytes: 5,
        }
    }

    #[test]
    fn the_ratio_is_that_of_the_median_rates() {
        let mut report = Report::new("now".to_owned(), 50);
        for rate in [10.0, 30.0, 20.0] {
            report.add(sample(Contestant::Selvedge, rate));
            report.add(sample(Contestant::Bare, rate * 2.0));
        }
        let groups = report.groups();
        assert_eq!(groups.len(), 2);
        assert_eq!(report.ratio(&groups[0]), Some(0.5));
        assert_eq!(report.ratio(&groups[1]), None);
    }
}
