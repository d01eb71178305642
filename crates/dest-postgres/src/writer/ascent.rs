//! Whether the sequences of a run ascend: then no two rows of it share one, and nobody asks which of two equals came later.
//!
//! Where they do not, rows carry the number of their arrival. The place of a row in its table tells nothing: the server puts
//! small rows into gaps that large ones left.

use selvedge_connector::{Sequences, ShapedBatch};

/// Follows the sequences of a run.
#[derive(Debug, Default)]
pub(super) struct Ascent {
    greatest: Option<i64>,
}

impl Ascent {
    /// Whether every row of the batch has a greater sequence than all rows before it.
    pub(super) fn continues_with(&mut self, batch: &ShapedBatch) -> bool {
        let rows = batch.records.num_rows();
        let mut ascends = true;
        let mut follow = |sequence: i64| {
            ascends &= self.greatest.is_none_or(|greatest| greatest < sequence);
            self.greatest = self.greatest.max(Some(sequence));
        };
        match &batch.system.sequences {
            // A range ascends by itself.
            sequences @ Sequences::From(_) => {
                [0, rows.saturating_sub(1)]
                    .into_iter()
                    .take(rows)
                    .for_each(|row| follow(sequences.at(row)));
            }
            sequences => (0..rows).for_each(|row| follow(sequences.at(row))),
        }
        ascends
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int32Array, RecordBatch};
    use selvedge_connector::{Field, Instants, LogicalType, StreamSchema, SystemValues};
    use selvedge_types::Timestamp;

    use super::*;

    fn batch(rows: usize, sequences: Sequences) -> ShapedBatch {
        let schema = StreamSchema::new(vec![Field::new("id", LogicalType::Int32)]);
        let ids: ArrayRef = Arc::new(Int32Array::from(vec![1; rows]));
        let records = RecordBatch::try_new(schema.arrow_schema(), vec![ids]).unwrap();
        let system = SystemValues {
            extracted_at: Instants::Same(None),
            received_at: Instants::Same(None),
            batched_at: Timestamp::from_micros(0),
            sequences,
            table_version: 0,
        };
        ShapedBatch::of_columns(schema, records, system)
    }

    #[test]
    fn ranges_ascend_and_follow_one_another() {
        let mut ascent = Ascent::default();
        assert!(ascent.continues_with(&batch(3, Sequences::From(10))));
        assert!(ascent.continues_with(&batch(1, Sequences::From(13))));
        assert!(ascent.continues_with(&batch(0, Sequences::From(1))));
        assert!(!ascent.continues_with(&batch(2, Sequences::From(13))));
    }

    #[test]
    fn sequences_of_others_ascend_only_row_by_row() {
        let given = |each: &[i64]| batch(each.len(), each.iter().copied().collect());
        let mut ascent = Ascent::default();
        assert!(ascent.continues_with(&given(&[1, 2, 9])));
        assert!(!ascent.continues_with(&given(&[10, 10])));
        assert!(ascent.continues_with(&given(&[11])));
        assert!(!ascent.continues_with(&given(&[12, 3])));
        assert!(!ascent.continues_with(&given(&[12])));
    }
}
