//! Which records of a batch are in the table after it was written: those whose items belong into the subtables.

use std::collections::HashMap;

use crate::superseded::WrittenRow;

/// The rows of one batch that went in, by the row of the table that they became.
#[derive(Debug, Default)]
pub(crate) struct Winners(HashMap<i64, Winner>);

/// The last record of a batch that was written for its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Winner {
    /// Index in the batch.
    pub(crate) row: usize,
    /// It took the place of a record that an earlier batch of the same load brought.
    pub(crate) superseding: bool,
}

impl Winners {
    /// Row `row` of the batch was written.
    pub(crate) fn add(&mut self, row: usize, written: WrittenRow) {
        self.0
            .entry(written.rowid)
            .and_modify(|winner| winner.row = row)
            .or_insert(Winner {
                row,
                superseding: written.superseding,
            });
    }

    /// All of them, by ascending row.
    pub(crate) fn into_rows(self) -> Vec<Winner> {
        let mut winners: Vec<Winner> = self.0.into_values().collect();
        winners.sort_unstable_by_key(|winner| winner.row);
        winners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_record_of_a_key_wins_and_remembers_what_came_before_the_batch() {
        let mut winners = Winners::default();
        for (row, rowid, superseding) in [(0, 7, true), (1, 8, false), (2, 7, true), (4, 8, true)] {
            winners.add(row, WrittenRow { rowid, superseding });
        }
        let winner = |row, superseding| Winner { row, superseding };
        assert_eq!(winners.into_rows(), [winner(2, true), winner(4, false)]);
    }
}
