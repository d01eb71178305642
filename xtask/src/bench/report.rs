//! What was measured: a table for people, JSON for later.

use std::fmt;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use crate::bench::contest::Contestant;
use crate::bench::layout::Fidelity;
use crate::bench::measure::Usage;
use crate::workspace;

/// One copy.
pub(crate) struct Sample {
    pub(crate) table: &'static str,
    pub(crate) rows: u64,
    pub(crate) fidelity: Fidelity,
    pub(crate) contestant: Contestant,
    pub(crate) usage: Usage,
}

/// All copies of a run.
pub(crate) struct Report {
    /// `20310203T040506Z`.
    started_at: String,
    server_version: String,
    settings: Vec<String>,
    samples: Vec<Sample>,
}

/// The copies of one table by one contestant with one fidelity.
struct Group<'a> {
    first: &'a Sample,
    usages: Vec<Usage>,
}

impl Report {
    pub(crate) fn new(started_at: String, server_version: String, settings: &[&str]) -> Self {
        Self {
            started_at,
            server_version,
            settings: settings.iter().map(|&text| text.to_owned()).collect(),
            samples: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    /// Writes the JSON form and says where.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let folder = workspace::root().join("target/bench");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("pg-to-pg-{}.json", self.started_at));
        std::fs::write(&path, format!("{:#}\n", self.to_json()))?;
        Ok(path.canonicalize()?)
    }

    fn to_json(&self) -> Value {
        let results: Vec<_> = self
            .groups()
            .iter()
            .map(|group| {
                json!({
                    "table": group.first.table,
                    "rows": group.first.rows,
                    "fidelity": group.first.fidelity.name(),
                    "contestant": group.first.contestant.name(),
                    "wall_seconds": group.usages.iter().map(|usage| usage.wall_seconds).collect::<Vec<_>>(),
                    "cpu_seconds": group.usages.iter().map(|usage| usage.cpu_seconds).collect::<Vec<_>>(),
                    "peak_bytes": group.usages.iter().map(|usage| usage.peak_bytes).collect::<Vec<_>>(),
                    "median_wall_seconds": group.seconds(),
                    "ratio_to_selvedge": self.ratio(group),
                })
            })
            .collect();
        json!({
            "benchmark": "pg-to-pg",
            "started_at": self.started_at,
            "server_version": self.server_version,
            "server_settings": self.settings,
            "processors": std::thread::available_parallelism().map_or(0, usize::from),
            "results": results,
        })
    }

    /// In the order they were first measured.
    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for sample in &self.samples {
            match groups.iter_mut().find(|group| {
                (
                    group.first.table,
                    group.first.fidelity,
                    group.first.contestant,
                ) == (sample.table, sample.fidelity, sample.contestant)
            }) {
                Some(group) => group.usages.push(sample.usage),
                None => groups.push(Group {
                    first: sample,
                    usages: vec![sample.usage],
                }),
            }
        }
        groups
    }

    /// The group's seconds in ours: above 1, we are faster. `None` for our own, and when we were not measured.
    fn ratio(&self, group: &Group<'_>) -> Option<f64> {
        let groups = self.groups();
        let ours = groups.iter().find(|ours| {
            ours.first.contestant == Contestant::Ours
                && (ours.first.table, ours.first.fidelity)
                    == (group.first.table, group.first.fidelity)
        })?;
        (group.first.contestant != Contestant::Ours).then(|| group.seconds() / ours.seconds())
    }
}

impl Group<'_> {
    fn seconds(&self) -> f64 {
        median(self.usages.iter().map(|usage| usage.wall_seconds))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "PostgreSQL {}; medians; CPU and memory of the clients, memory of the largest process",
            self.server_version
        )?;
        writeln!(
            formatter,
            "{:<7} {:<7} {:<19} {:>9} {:>8} {:>17} {:>9} {:>7} {:>8} {:>8}",
            "table",
            "types",
            "contestant",
            "rows",
            "seconds",
            "(range)",
            "rows/s",
            "CPU s",
            "peak MB",
            "ratio"
        )?;
        for group in self.groups() {
            let walls = || group.usages.iter().map(|usage| usage.wall_seconds);
            let range = format!(
                "({:.2}–{:.2})",
                walls().fold(f64::INFINITY, f64::min),
                walls().fold(0.0, f64::max)
            );
            let ratio = self
                .ratio(&group)
                .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            writeln!(
                formatter,
                "{:<7} {:<7} {:<19} {:>9} {:>8.2} {:>17} {:>9.0} {:>7.2} {:>8.1} {:>8}",
                group.first.table,
                group.first.fidelity.name(),
                group.first.contestant.name(),
                group.first.rows,
                group.seconds(),
                range,
                group.first.rows as f64 / group.seconds(),
                median(group.usages.iter().map(|usage| usage.cpu_seconds)),
                median(
                    group
                        .usages
                        .iter()
                        .map(|usage| usage.peak_bytes as f64 / 1e6)
                ),
                ratio
            )?;
        }
        writeln!(
            formatter,
            "ratio: the pipe's seconds divided by selvedge's; above 1, selvedge is faster"
        )
    }
}

/// The middle value; of two middle ones their mean.
pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(low), values.get(high)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_two() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
    }
}
