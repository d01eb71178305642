//! Rows on their way from the engine into a table.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use selvedge_types::Timestamp;

use crate::StreamSchema;

/// Values of `_sdc_sequence`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sequences {
    /// Row `i` has this plus `i`.
    From(i64),
    /// One for each row; where there is no key, no other row of the run has it.
    Each(Arc<[i64]>),
    /// One for each row, given by others, who may give one to several rows.
    Given {
        each: Arc<[i64]>,
        /// Row `i` is told apart from all others of the run by this plus `i`.
        first_identity: i64,
    },
}

impl Sequences {
    /// The sequence of row `row`, which must be one of the batch.
    #[inline]
    pub fn at(&self, row: usize) -> i64 {
        match self {
            // A batch has far fewer rows than there are sequences left.
            Sequences::From(first) => first.wrapping_add_unsigned(row as u64),
            Sequences::Each(each) | Sequences::Given { each, .. } => each[row],
        }
    }

    /// What no other row of the run has: what identities of rows without a key are made of.
    #[inline]
    pub fn identity(&self, row: usize) -> i64 {
        match self {
            Sequences::Given { first_identity, .. } => {
                first_identity.wrapping_add_unsigned(row as u64)
            }
            unique => unique.at(row),
        }
    }

    /// The smallest sequence; `None` when there is no row.
    pub fn least(&self) -> Option<i64> {
        match self {
            Sequences::From(first) => Some(*first),
            Sequences::Each(each) | Sequences::Given { each, .. } => each.iter().copied().min(),
        }
    }
}

impl FromIterator<i64> for Sequences {
    fn from_iter<I: IntoIterator<Item = i64>>(sequences: I) -> Self {
        Sequences::Each(sequences.into_iter().collect())
    }
}

/// Values of a system column that holds an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instants {
    /// All rows have this.
    Same(Option<Timestamp>),
    /// One for each row, in microseconds since 1970.
    Each(Arc<[Option<i64>]>),
}

impl Instants {
    /// The instant of row `row`, which must be one of the batch, in microseconds since 1970.
    #[inline]
    pub fn at(&self, row: usize) -> Option<i64> {
        match self {
            Instants::Same(instant) => instant.map(Timestamp::as_micros),
            Instants::Each(each) => each[row],
        }
    }
}

/// The system columns' values for one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemValues {
    pub extracted_at: Instants,
    pub received_at: Instants,
    pub batched_at: Timestamp,
    pub sequences: Sequences,
    pub table_version: i64,
}

/// Rows on their way into a table. System columns are values, not arrays: nothing is materialised per row unless every row
/// has its own.
#[derive(Debug)]
pub struct ShapedBatch {
    pub schema: Arc<StreamSchema>,
    pub records: RecordBatch,
    pub system: SystemValues,
    /// Items of the records' arrays, for destinations with [`crate::Nesting::Subtables`]; each path at most once.
    pub subtables: Vec<SubtableBatch>,
    /// The records as they came, where they came as text: what the rejected table shows.
    pub texts: Option<RecordTexts>,
    /// Records that never became rows. They go to the rejected table and count as rejected.
    pub refused: Vec<RefusedRecord>,
}

impl ShapedBatch {
    /// Rows of columns alone, as native sources emit them.
    pub fn of_columns(
        schema: Arc<StreamSchema>,
        records: RecordBatch,
        system: SystemValues,
    ) -> Self {
        Self {
            schema,
            records,
            system,
            subtables: Vec::new(),
            texts: None,
            refused: Vec::new(),
        }
    }

    /// Records that the books have to account for; rows of subtables are none.
    pub fn record_count(&self) -> usize {
        self.records.num_rows() + self.refused.len()
    }
}

/// The items of one array of the records of a batch: rows of a subtable.
///
/// Items that are objects have their properties as fields, others the field `value`. An item that is NULL is a row of NULLs.
#[derive(Clone, Debug)]
pub struct SubtableBatch {
    /// Property names from the record to the array. An array in an array goes by the name `value`.
    pub path: Vec<String>,
    pub schema: Arc<StreamSchema>,
    pub records: RecordBatch,
    /// For each row the row of the record in the batch; ascending.
    pub root_rows: Arc<[u32]>,
    /// For each array on the path, outermost first, the index of the item in it by row, from 0.
    pub levels: Vec<Arc<[i32]>>,
}

/// Texts of records, one for each row of a batch.
#[derive(Clone, Debug, Default)]
pub struct RecordTexts {
    text: String,
    ranges: Vec<Range<usize>>,
}

impl RecordTexts {
    /// Appends the text of the next row.
    pub fn push(&mut self, record: &str) {
        let start = self.text.len();
        self.text.push_str(record);
        self.ranges.push(start..self.text.len());
    }

    /// Takes the last text away again.
    pub fn pop(&mut self) {
        if let Some(range) = self.ranges.pop() {
            self.text.truncate(range.start);
        }
    }

    /// The text of row `row`, `None` beyond the last.
    pub fn get(&self, row: usize) -> Option<&str> {
        self.text.get(self.ranges.get(row)?.clone())
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Bytes of all texts.
    pub fn size_bytes(&self) -> usize {
        self.text.len()
    }
}

/// A record that cannot become a row of any column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRecord {
    /// A documented text, ready for the rejected table.
    pub reason: String,
    /// The record's own text.
    pub record: String,
}
