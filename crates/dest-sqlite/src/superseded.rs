//! Counting rows that a newer row of the same load replaces.
//!
//! An upsert only says that a row went in. Whether it took the place of a row of the same load is known where the stored
//! sequence is at hand: in the `set` clause. So the new sequence is set by a function that sees the old one.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use selvedge_connector::Sequences;

/// The function's name in SQL: `selvedge_supersede(stored sequence, new sequence)` is the new sequence.
pub(crate) const FUNCTION: &str = "selvedge_supersede";

/// Shared by a connection's function and its writer; one thread at a time uses it.
#[derive(Debug, Default)]
pub(crate) struct Superseded(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Sequences of the load's rows, one range per batch. Not one range for all: a late batch may bring old sequences.
    load: Vec<Range<i64>>,
    /// Those of batches in which every row has its own.
    single: HashSet<i64>,
    replaced: u64,
}

impl Superseded {
    pub(crate) fn register(self: &Arc<Self>, connection: &Connection) -> rusqlite::Result<()> {
        let superseded = Arc::clone(self);
        connection.create_scalar_function(
            FUNCTION,
            2,
            FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY,
            move |call| {
                if let Some(stored) = call.get::<Option<i64>>(0)? {
                    superseded.replace(stored);
                }
                call.get::<i64>(1)
            },
        )
    }

    fn replace(&self, stored: i64) {
        let mut counts = self.counts();
        if counts.single.contains(&stored)
            || counts
                .load
                .iter()
                .rev()
                .any(|batch| batch.contains(&stored))
        {
            counts.replaced += 1;
        }
    }

    /// So many rows with these sequences are about to be written.
    pub(crate) fn expect(&self, sequences: &Sequences, rows: usize) {
        let mut counts = self.counts();
        match sequences {
            Sequences::From(first) => {
                let next = first.saturating_add_unsigned(rows as u64);
                match counts.load.last_mut() {
                    Some(last) if last.end == *first => last.end = next,
                    _ => counts.load.push(*first..next),
                }
            }
            Sequences::Each(each) => counts.single.extend(each.iter().take(rows)),
        }
    }

    /// Rows of the load that were replaced since the last call.
    pub(crate) fn take(&self) -> u64 {
        std::mem::take(&mut self.counts().replaced)
    }

    /// The load is over.
    pub(crate) fn start_over(&self) {
        *self.counts() = Counts::default();
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it holds the lock, and numbers are whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
