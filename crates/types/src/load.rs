//! Loads that ended, as post-load hooks tell of them.

use crate::Timestamp;

/// What became durable in the tables of one stream, from the end of the load before to this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedLoad {
    /// 0 for tables without versions.
    pub table_version: i64,
    /// The rows of this load took the place of all others.
    pub new_version: bool,
    /// No row of the load has a lower `_sdc_batched_at`, and as a rule one has this.
    pub min_batched_at: Timestamp,
    /// When the last row was extracted; `None` where nobody said so.
    pub max_extracted_at: Option<Timestamp>,
    /// What the replication keys were in the records of the load, rejected and superseded ones included; empty where there is
    /// no key, or no record became a row.
    pub bookmarks: Vec<BookmarkRange>,
    /// Key fields of the table, by source name.
    pub primary_keys: Vec<String>,
    /// The stream's own table.
    pub root: LoadedTable,
    /// Tables with items of its records' arrays.
    pub subtables: Vec<LoadedTable>,
}

impl FinishedLoad {
    /// Rows of all tables.
    pub fn row_count(&self) -> u64 {
        let tables = self.subtables.iter().chain([&self.root]);
        tables.map(|table| table.row_count).sum()
    }
}

/// Least and greatest value of a replication key, in canonical text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookmarkRange {
    pub key: String,
    pub min_value: String,
    pub max_value: String,
}

/// One table of a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedTable {
    /// As the source calls it; for a subtable the array's place in the record, its property names joined by `__`.
    pub source_name: String,
    /// As the destination calls it, without its schema.
    pub destination_name: String,
    pub row_count: u64,
    /// Records that were rejected; what keeps out an item counts for its record.
    pub rejected_count: u64,
    /// The objects that rows went to, each as `bucket/key`; `None` where the destination is no object storage.
    pub objects: Option<Vec<String>>,
}
