//! What a load has brought so far, for those who are told of it when it ends.
//!
//! A load is told once, when its stream is read to the end, however many commits it took. The sums until then live in the
//! stream's position, so that an interruption forgets none of them: whatever became durable is told by the load that
//! comes to its end next.

use std::collections::BTreeMap;

use selvedge_connector::{CommitReport, Instants, ShapedBatch};
use selvedge_types::Timestamp;
use selvedge_types::load::{FinishedLoad, LoadedTable};
use serde::{Deserialize, Serialize};

use crate::bookmark::{KeyRanges, ReplicationKeys};

/// Bytes of object names after which a load is told although it goes on: they are kept in the position, which is written
/// with every commit.
const MOST_OBJECT_BYTES: usize = 64 * 1024;

/// The sums of commits that nobody was told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoadSummary {
    /// Records handed to the writer.
    given: u64,
    /// Those of them that a report has accounted for.
    accounted: u64,
    written: u64,
    rejected: u64,
    /// In microseconds since 1970, like the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_batched_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_extracted_at: Option<i64>,
    #[serde(skip_serializing_if = "KeyRanges::is_empty")]
    keys: KeyRanges,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<Vec<String>>,
    /// By name in the destination.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    subtables: BTreeMap<String, SubtableSummary>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SubtableSummary {
    path: Vec<String>,
    written: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objects: Option<Vec<String>>,
}

/// What a load is told with, beside its sums.
#[derive(Clone, Copy, Debug)]
pub struct LoadNames<'a> {
    /// The table as the source calls it.
    pub source_table: &'a str,
    /// The table as the destination calls it.
    pub destination_table: &'a str,
    pub table_version: i64,
    /// The rows took the place of all others.
    pub new_version: bool,
    pub primary_keys: &'a [String],
    /// When the load ended.
    pub now: Timestamp,
}

impl LoadSummary {
    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Notes a batch that is about to be written.
    pub fn observe(&mut self, batch: &ShapedBatch, keys: ReplicationKeys<'_>) {
        self.given += batch.record_count() as u64;
        let batched_at = batch.system.batched_at.as_micros();
        let min = self.min_batched_at.unwrap_or(batched_at);
        self.min_batched_at = Some(min.min(batched_at));
        let extracted_at = match &batch.system.extracted_at {
            Instants::Same(instant) => instant.map(Timestamp::as_micros),
            Instants::Each(each) => each.iter().copied().flatten().max(),
        };
        // `None` is less than any instant.
        self.max_extracted_at = self.max_extracted_at.max(extracted_at);
        self.keys.observe(batch, keys);
    }

    /// Adds what a commit achieved.
    pub fn add(&mut self, report: &CommitReport) {
        self.accounted += report.books.total();
        self.written += report.books.written;
        self.rejected += report.books.rejected;
        append(&mut self.objects, report.objects.as_deref());
        for subtable in &report.subtables {
            let sums = self
                .subtables
                .entry(subtable.table_name.clone())
                .or_default();
            sums.path.clone_from(&subtable.path);
            sums.written += subtable.row_count;
            append(&mut sums.objects, subtable.objects.as_deref());
        }
    }

    /// The sums of a run that was interrupted. What became of records that no report has accounted for is not known any
    /// more: they count as written.
    pub fn interrupted(mut self) -> Self {
        self.written += self.given.saturating_sub(self.accounted);
        self.accounted = self.given;
        self
    }

    /// The sums as they were written beside the rows of a commit that nobody heard of; `heard` are those of the commits before
    /// it. Items and objects of that very commit are missing.
    pub fn of_unheard_commit(mut self, heard: &Self) -> Self {
        self.objects.clone_from(&heard.objects);
        self.subtables.clone_from(&heard.subtables);
        self.interrupted()
    }

    /// The same without names: what goes beside the rows of each commit stays small.
    pub fn without_tables(&self) -> Self {
        Self {
            objects: None,
            subtables: BTreeMap::new(),
            keys: self.keys.clone(),
            ..*self
        }
    }

    /// Whether the load is to be told although it has not come to its end.
    pub fn is_full(&self) -> bool {
        let subtables = self.subtables.values();
        let lists = subtables.map(|subtable| &subtable.objects);
        let objects = lists.chain([&self.objects]).flatten().flatten();
        objects.map(String::len).sum::<usize>() >= MOST_OBJECT_BYTES
    }

    /// The load as it is told, unless nothing was loaded or rejected. A table that was emptied is told as well.
    pub fn finished(self, names: LoadNames<'_>) -> Option<FinishedLoad> {
        if self.written == 0 && self.rejected == 0 && !names.new_version {
            return None;
        }
        let bookmarks = match self.written {
            0 => Vec::new(),
            _ => self.keys.into_told(),
        };
        let subtables = self.subtables.into_iter();
        Some(FinishedLoad {
            table_version: names.table_version,
            new_version: names.new_version,
            min_batched_at: self
                .min_batched_at
                .map_or(names.now, Timestamp::from_micros),
            max_extracted_at: self.max_extracted_at.map(Timestamp::from_micros),
            bookmarks,
            primary_keys: names.primary_keys.to_vec(),
            root: LoadedTable {
                source_name: names.source_table.to_owned(),
                destination_name: names.destination_table.to_owned(),
                row_count: self.written,
                rejected_count: self.rejected,
                objects: self.objects,
            },
            subtables: subtables
                .map(|(name, sums)| LoadedTable {
                    source_name: sums.path.join("__"),
                    destination_name: name,
                    row_count: sums.written,
                    rejected_count: 0,
                    objects: sums.objects,
                })
                .collect(),
        })
    }
}

/// Adds objects to those there are.
fn append(all: &mut Option<Vec<String>>, more: Option<&[String]>) {
    if let Some(more) = more {
        all.get_or_insert_default().extend_from_slice(more);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, RecordBatch};
    use selvedge_connector::{
        Books, Field, LogicalType, Sequences, StreamSchema, SubtableReport, SystemValues,
    };

    use super::*;

    fn batch(batched_at: i64, extracted_at: Instants, keys: &[Option<i64>]) -> ShapedBatch {
        let schema = StreamSchema::new(vec![Field::new("changed", LogicalType::Int64)]);
        let column = Arc::new(Int64Array::from(keys.to_vec()));
        let records = RecordBatch::try_new(schema.arrow_schema(), vec![column]).unwrap();
        let system = SystemValues {
            extracted_at,
            received_at: Instants::Same(None),
            batched_at: Timestamp::from_micros(batched_at),
            sequences: Sequences::From(1),
            table_version: 0,
        };
        ShapedBatch::of_columns(schema, records, system)
    }

    fn same(micros: i64) -> Instants {
        Instants::Same(Some(Timestamp::from_micros(micros)))
    }

    fn report(written: u64, rejected: u64, object: Option<&str>) -> CommitReport {
        let objects = object.map(|object| vec![object.to_owned()]);
        CommitReport {
            books: Books {
                written,
                rejected,
                ..Books::default()
            },
            subtables: vec![SubtableReport {
                table_name: "orders__lines".to_owned(),
                path: vec!["lines".to_owned()],
                row_count: 2 * written,
                objects: objects.clone(),
            }],
            objects,
            durable: true,
            notes: Vec::new(),
        }
    }

    const CHANGED: ReplicationKeys<'_> = ReplicationKeys::Ascending("changed");

    const NAMES: LoadNames<'_> = LoadNames {
        source_table: "Orders",
        destination_table: "orders",
        table_version: 0,
        new_version: false,
        primary_keys: &[],
        now: Timestamp::from_micros(99),
    };

    #[test]
    fn commits_add_up_to_one_load() {
        let mut summary = LoadSummary::default();
        summary.observe(&batch(20, same(10), &[None, Some(3), Some(4)]), CHANGED);
        summary.add(&report(2, 1, Some("b/1")));
        summary.observe(&batch(30, same(11), &[None, None]), CHANGED);
        let each = Instants::Each(vec![Some(9), None, Some(12)].into());
        summary.observe(&batch(31, each, &[Some(4), Some(7), Some(9)]), CHANGED);
        summary.add(&report(5, 0, Some("b/2")));
        let kept = serde_json::to_string(&summary).unwrap();
        let summary: LoadSummary = serde_json::from_str(&kept).unwrap();
        let load = summary.finished(NAMES).unwrap();
        assert_eq!(load.min_batched_at, Timestamp::from_micros(20));
        assert_eq!(load.max_extracted_at, Some(Timestamp::from_micros(12)));
        let [bookmark] = load.bookmarks.try_into().unwrap();
        assert_eq!((&*bookmark.min_value, &*bookmark.max_value), ("3", "9"));
        assert_eq!((load.root.row_count, load.root.rejected_count), (7, 1));
        assert_eq!(load.root.objects.as_deref().unwrap(), ["b/1", "b/2"]);
        let [lines] = load.subtables.try_into().unwrap();
        assert_eq!(
            (&*lines.source_name, &*lines.destination_name),
            ("lines", "orders__lines")
        );
        assert_eq!((lines.row_count, lines.rejected_count), (14, 0));
    }

    #[test]
    fn nothing_loaded_is_not_told_but_an_emptied_table_is() {
        let older = CommitReport {
            books: Books {
                older_sequence: 3,
                ..Books::default()
            },
            ..CommitReport::default()
        };
        let mut summary = LoadSummary::default();
        summary.observe(&batch(1, same(1), &[Some(1); 3]), ReplicationKeys::NONE);
        summary.add(&older);
        assert_eq!(summary.clone().finished(NAMES), None);
        let emptied = LoadNames {
            new_version: true,
            ..NAMES
        };
        let load = LoadSummary::default().finished(emptied).unwrap();
        assert_eq!((load.root.row_count, load.min_batched_at), (0, NAMES.now));
    }

    #[test]
    fn a_load_of_rejections_alone_has_no_bookmark() {
        let mut summary = LoadSummary::default();
        summary.observe(&batch(1, same(1), &[Some(1), Some(2)]), CHANGED);
        summary.add(&report(0, 2, None));
        let load = summary.finished(NAMES).unwrap();
        assert_eq!((load.root.row_count, load.root.rejected_count), (0, 2));
        assert_eq!((load.bookmarks, load.root.objects), (Vec::new(), None));
    }

    #[test]
    fn records_of_an_unheard_commit_count_as_written() {
        let mut heard = LoadSummary::default();
        heard.observe(&batch(1, same(1), &[Some(1), Some(2)]), CHANGED);
        heard.add(&report(1, 1, Some("b/1")));
        let mut summary = heard.clone();
        summary.observe(&batch(2, same(2), &[Some(3), Some(4), Some(5)]), CHANGED);
        let beside_the_rows = summary.without_tables();
        let load = beside_the_rows
            .of_unheard_commit(&heard)
            .finished(NAMES)
            .unwrap();
        assert_eq!((load.root.row_count, load.root.rejected_count), (4, 1));
        assert_eq!(load.root.objects.as_deref().unwrap(), ["b/1"]);
        assert_eq!(load.subtables[0].row_count, 2);
        assert_eq!(load.bookmarks[0].max_value, "5");
    }

    #[test]
    fn a_load_of_very_many_objects_is_told_in_parts() {
        let mut summary = LoadSummary::default();
        let object = format!("bucket/{}", "k".repeat(1_000));
        for _ in 0..32 {
            assert!(!summary.is_full());
            summary.add(&report(1, 0, Some(&object)));
        }
        assert!(!summary.without_tables().is_full());
        summary.add(&report(1, 0, Some(&object)));
        assert!(summary.is_full());
    }
}
