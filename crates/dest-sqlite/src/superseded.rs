//! What an upsert does not say: which row of the table it wrote, and whether that row was one of the same load.
//!
//! An upsert only says that a row went in. Whether it took the place of a row of the same load is known where the stored
//! row is at hand: in its `set` and `where` clauses. So these call functions that see it.
//!
//! Rows of the load are known by their sequences where a batch has a range of them. Where every row has its own sequence,
//! the rows themselves are remembered, since another row of the table may have the same one.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use selvedge_connector::Sequences;

/// `selvedge_supersede(row, stored sequence, new sequence)` is the new sequence; called for a row that is replaced.
pub(crate) const SUPERSEDE: &str = "selvedge_supersede";

/// `selvedge_yields(row)`: whether a stored row gives way to a new one of the same sequence. The later of equals wins within
/// a load; what earlier loads stored stays.
pub(crate) const YIELDS: &str = "selvedge_yields";

/// Shared by a connection's functions and its writer; one thread at a time uses it.
#[derive(Debug, Default)]
pub(crate) struct Superseded(Mutex<Counts>);

/// A row that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrittenRow {
    pub(crate) rowid: i64,
    /// It took the place of a row of the same load.
    pub(crate) superseding: bool,
}

#[derive(Debug, Default)]
struct Counts {
    /// Sequences of the load's rows, one range per batch. Not one range for all: a late batch may bring old sequences.
    ranges: Vec<Range<i64>>,
    /// Rows of the load that are remembered one by one.
    rows: HashSet<i64>,
    /// All rows of the table are of the load.
    whole_table: bool,
    replaced: u64,
    last: Option<WrittenRow>,
}

impl Counts {
    fn of_load(&self, rowid: i64, stored: Option<i64>) -> bool {
        self.whole_table
            || self.rows.contains(&rowid)
            || stored.is_some_and(|stored| {
                self.ranges
                    .iter()
                    .rev()
                    .any(|batch| batch.contains(&stored))
            })
    }
}

impl Superseded {
    pub(crate) fn register(self: &Arc<Self>, connection: &Connection) -> rusqlite::Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
        let superseded = Arc::clone(self);
        connection.create_scalar_function(SUPERSEDE, 3, flags, move |call| {
            superseded.replace(call.get(0)?, call.get(1)?);
            call.get::<i64>(2)
        })?;
        let superseded = Arc::clone(self);
        connection.create_scalar_function(YIELDS, 1, flags, move |call| {
            let rowid = call.get(0)?;
            Ok(superseded.counts().of_load(rowid, None))
        })
    }

    fn replace(&self, rowid: i64, stored: Option<i64>) {
        let mut counts = self.counts();
        let superseding = counts.of_load(rowid, stored);
        counts.replaced += u64::from(superseding);
        counts.last = Some(WrittenRow { rowid, superseding });
    }

    /// So many rows with these sequences are about to be written.
    pub(crate) fn expect(&self, sequences: &Sequences, rows: usize) {
        let mut counts = self.counts();
        counts.last = None;
        if let Sequences::From(first) = sequences {
            let next = first.saturating_add_unsigned(rows as u64);
            match counts.ranges.last_mut() {
                Some(last) if last.end == *first => last.end = next,
                _ => counts.ranges.push(*first..next),
            }
        }
    }

    /// The row that was written last, which is remembered from now on; `inserted` if it took no other's place.
    pub(crate) fn remember(&self, inserted: i64) -> WrittenRow {
        let mut counts = self.counts();
        let row = counts.last.take().unwrap_or(WrittenRow {
            rowid: inserted,
            superseding: false,
        });
        if !counts.whole_table {
            counts.rows.insert(row.rowid);
        }
        row
    }

    /// Rows of the load that were replaced since the last call.
    pub(crate) fn take(&self) -> u64 {
        std::mem::take(&mut self.counts().replaced)
    }

    /// Nothing but this load ever wrote to the table, over however many commits.
    pub(crate) fn own_whole_table(&self) {
        self.counts().whole_table = true;
    }

    /// The load is over.
    pub(crate) fn start_over(&self) {
        let mut counts = self.counts();
        *counts = Counts {
            whole_table: counts.whole_table,
            ..Counts::default()
        };
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it holds the lock, and numbers are whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
