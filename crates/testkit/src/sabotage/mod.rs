//! Sources and destinations that lie or fail. Wrapped around real ones, they show that a test would notice: a proof that
//! passes with a saboteur in it proves nothing.

mod destination;
mod source;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use destination::{DestinationFault, SabotagedDestination};
pub use source::{SabotagedSource, SourceFault};

/// What happens to one row; rows are counted from 1, over everything that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFault {
    Drop(u64),
    Double(u64),
}

impl RowFault {
    /// The parts of a batch of `rows` rows to hand on, when `before` rows have passed already.
    fn pieces(self, before: u64, rows: usize) -> Vec<Range<usize>> {
        let (RowFault::Drop(number) | RowFault::Double(number)) = self;
        let index = number
            .checked_sub(before + 1)
            .and_then(|index| usize::try_from(index).ok())
            .filter(|index| *index < rows);
        let (first, second) = match (self, index) {
            (_, None) => (0..rows, rows..rows),
            (RowFault::Drop(_), Some(index)) => (0..index, index + 1..rows),
            (RowFault::Double(_), Some(index)) => (0..index + 1, index..rows),
        };
        let mut pieces = vec![first, second];
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }
}
