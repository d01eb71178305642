//! What was measured: tables for people, JSON for later.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::bench::import::workload::Workload;
use crate::bench::report::median;

/// Who does something with the bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contestant {
    Selvedge,
    /// A fast JSON library.
    Parsing,
    /// Plain files, synced.
    Writing,
    /// An HTTP handler that forgets them.
    Bare,
}

impl Contestant {
    pub(super) fn name(self) -> &'static str {
        match self {
            Contestant::Selvedge => "selvedge",
            Contestant::Parsing => "parsing alone",
            Contestant::Writing => "writing alone",
            Contestant::Bare => "bare handler",
        }
    }

    /// Whether our rate is held against this one's.
    fn counts(self) -> bool {
        matches!(self, Contestant::Parsing | Contestant::Writing)
    }
}

/// One contestant measured for one span of time.
pub(super) struct Sample {
    pub(super) workload: Workload,
    pub(super) clients: u64,
    pub(super) contestant: Contestant,
    pub(super) body_bytes: u64,
    pub(super) requests_per_second: f64,
    pub(super) p50_micros: f64,
    pub(super) p99_micros: f64,
    /// Of the answering process, per request; of those that answer.
    pub(super) cpu_micros: Option<f64>,
    /// Of the answering process since its start.
    pub(super) peak_bytes: Option<u64>,
}

pub(super) struct Report {
    /// `20310203T040506Z`.
    started_at: String,
    with_loading: bool,
    samples: Vec<Sample>,
}

/// The samples of one contestant with one kind of body and one number of clients.
struct Group<'a>(Vec<&'a Sample>);

pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Report {
    pub(super) fn new(started_at: String, with_loading: bool) -> Self {
        Self {
            started_at,
            with_loading,
            samples: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// Writes the JSON form and says where.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf> {
        let path = folder.join(format!("import-{}.json", self.started_at));
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
                    "bodies": first.workload.name(),
                    "clients": first.clients,
                    "contestant": first.contestant.name(),
                    "body_bytes": first.body_bytes,
                    "requests_per_second": all(|sample| sample.requests_per_second),
                    "p50_micros": all(|sample| sample.p50_micros),
                    "p99_micros": all(|sample| sample.p99_micros),
                    "cpu_micros_per_request": group.cpu_micros(),
                    "peak_bytes": group.peak_bytes(),
                    "ratio": self.ratio(group),
                    "target": first.workload.target(first.clients),
                })
            })
            .collect();
        json!({
            "benchmark": "import",
            "started_at": self.started_at,
            "with_loading": self.with_loading,
            "processors": processors(),
            "results": results,
        })
    }

    /// In the order they were first measured.
    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        let key = |sample: &Sample| (sample.workload, sample.clients, sample.contestant);
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

    /// What others did with the same bodies and clients.
    fn beside(&self, ours: &Group<'_>, contestant: Contestant) -> Option<Group<'_>> {
        let ours = ours.first();
        self.groups().into_iter().find(|group| {
            let first = group.first();
            (first.workload, first.clients, first.contestant)
                == (ours.workload, ours.clients, contestant)
        })
    }

    /// Our rate divided by the lowest of those that it is held against; `None` for others.
    fn ratio(&self, ours: &Group<'_>) -> Option<f64> {
        let first = ours.first();
        let slowest = first
            .workload
            .contestants()
            .iter()
            .filter(|contestant| contestant.counts())
            .filter_map(|contestant| self.beside(ours, *contestant))
            .map(|group| group.requests_per_second())
            .min_by(f64::total_cmp)?;
        (first.contestant == Contestant::Selvedge).then(|| ours.requests_per_second() / slowest)
    }
}

impl Group<'_> {
    fn first(&self) -> &Sample {
        self.0[0]
    }

    fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(self.0.iter().map(|sample| figure(sample)))
    }

    fn requests_per_second(&self) -> f64 {
        self.median(|sample| sample.requests_per_second)
    }

    fn rate(&self) -> String {
        let first = self.first();
        first
            .workload
            .rate(self.requests_per_second(), first.body_bytes)
    }

    fn cpu_micros(&self) -> Option<f64> {
        self.first().cpu_micros?;
        Some(median(self.0.iter().filter_map(|sample| sample.cpu_micros)))
    }

    fn peak_bytes(&self) -> Option<u64> {
        self.0.iter().filter_map(|sample| sample.peak_bytes).max()
    }
}

impl fmt::Display for Report {
    /// As the README shows it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let loading = match self.with_loading {
            true => "loaded meanwhile",
            false => "not loaded meanwhile",
        };
        writeln!(
            formatter,
            "{} processors; medians; {loading}; CPU and memory of the server\n",
            processors()
        )?;
        writeln!(
            formatter,
            "| Bodies | Clients | Accepted | p50 | p99 | CPU each | Peak memory | Parsing alone | Writing alone | Bare handler | Ratio | Target |"
        )?;
        writeln!(formatter, "|{}", " --- |".repeat(12))?;
        let none = || "–".to_owned();
        for group in self.groups() {
            let first = group.first();
            let Some(ratio) = self.ratio(&group) else {
                continue;
            };
            let rate = |contestant| {
                let beside = self.beside(&group, contestant);
                beside.map_or_else(none, |beside| beside.rate())
            };
            writeln!(
                formatter,
                "| {} of {} B | {} | {} | {} | {} | {} | {} | {} | {} | {} | {ratio:.2} | {} |",
                first.workload.name(),
                first.body_bytes,
                first.clients,
                group.rate(),
                time(group.median(|sample| sample.p50_micros)),
                time(group.median(|sample| sample.p99_micros)),
                group.cpu_micros().map_or_else(none, time),
                group
                    .peak_bytes()
                    .map_or_else(none, |bytes| { format!("{:.0} MB", bytes as f64 / 1e6) }),
                rate(Contestant::Parsing),
                rate(Contestant::Writing),
                rate(Contestant::Bare),
                first
                    .workload
                    .target(first.clients)
                    .map_or_else(none, |target| target.to_string()),
            )?;
        }
        writeln!(
            formatter,
            "\nratio: selvedge's rate divided by the slower of parsing and writing alone"
        )
    }
}

fn time(micros: f64) -> String {
    match micros < 1_000.0 {
        true => format!("{micros:.0} µs"),
        false => format!("{:.1} ms", micros / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(contestant: Contestant, requests_per_second: f64) -> Sample {
        Sample {
            workload: Workload::Batches,
            clients: 8,
            contestant,
            body_bytes: 4_000_000,
            requests_per_second,
            p50_micros: 1.0,
            p99_micros: 2.0,
            cpu_micros: None,
            peak_bytes: None,
        }
    }

    #[test]
    fn the_ratio_is_that_to_the_slower_of_parsing_and_writing() {
        let mut report = Report::new("now".to_owned(), false);
        for rate in [10.0, 30.0, 20.0] {
            report.add(sample(Contestant::Selvedge, rate));
            report.add(sample(Contestant::Parsing, rate * 5.0));
            report.add(sample(Contestant::Writing, rate * 4.0));
            report.add(sample(Contestant::Bare, rate * 2.0));
        }
        let groups = report.groups();
        let ratios: Vec<_> = groups.iter().map(|group| report.ratio(group)).collect();
        assert_eq!(ratios, [Some(0.25), None, None, None]);
        assert_eq!(report.to_string().lines().count(), 7);
    }
}
