//! When an incremental read has passed a key: the rows of the greatest key are held back until a greater one comes.
//!
//! A read that is taken up again begins behind a key or at it. Behind it is right only when every row of the key has been
//! handed on and the read went further; at it means that its rows come twice, which a table without a key shows. So a batch
//! is cut where its last key begins, and the tail goes in front of the next one:
//!
//! ```text
//! read    1 2 2 | 2 3 4 | 4 4 4 |
//! events  1  Passed(1)  2 2  2 3  Passed(3)  4  Position(4)  4 4 4  Position(4)
//! ```

use crate::{SourceBatch, SourceEvent};

/// Where the greatest key of an ascending batch begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastKey {
    pub first_row: usize,
    /// The key, in canonical text.
    pub value: String,
    /// The key of the row before; `None` when there is no such row, or it has no key.
    pub before: Option<String>,
}

/// Turns the batches of one incremental read into events. Holds at most one batch.
#[derive(Debug, Default)]
pub struct KeyOrder {
    held: Option<SourceBatch>,
    greatest: Option<String>,
}

impl KeyOrder {
    /// The next batch; `last` is `None` when none of its rows has a key.
    pub fn push(&mut self, batch: SourceBatch, last: Option<LastKey>) -> Vec<SourceEvent> {
        let held = self.held.take();
        let continues = held.is_some();
        let mut events: Vec<_> = held.into_iter().map(SourceEvent::Batch).collect();
        let Some(last) = last else {
            events.push(SourceEvent::Batch(batch));
            return events;
        };
        if last.first_row > 0 {
            events.push(SourceEvent::Batch(SourceBatch {
                schema: batch.schema.clone(),
                records: batch.records.slice(0, last.first_row),
            }));
            events.extend(last.before.map(SourceEvent::Passed));
        } else if let Some(greatest) = self.greatest.take().filter(|_| continues) {
            events.push(match greatest == last.value {
                true => SourceEvent::Position(greatest),
                false => SourceEvent::Passed(greatest),
            });
        }
        let rows = batch.records.num_rows() - last.first_row;
        self.held = Some(SourceBatch {
            schema: batch.schema,
            records: batch.records.slice(last.first_row, rows),
        });
        self.greatest = Some(last.value);
        events
    }

    /// The read has come to its end: what was held back, and the position.
    pub fn finish(&mut self) -> Vec<SourceEvent> {
        let held = self.held.take().map(SourceEvent::Batch);
        let position = self.greatest.take().map(SourceEvent::Position);
        held.into_iter().chain(position).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray as _;
    use arrow_array::types::Int64Type;
    use arrow_array::{Int64Array, RecordBatch};

    use super::*;
    use crate::{Field, LogicalType, StreamSchema};

    /// The events of these batches as text; 0 stands for a row without a key.
    fn events(batches: &[&[i64]]) -> String {
        let schema = StreamSchema::new(vec![Field::new("key", LogicalType::Int64)]);
        let mut order = KeyOrder::default();
        let mut events = Vec::new();
        for keys in batches {
            let last = keys.last().filter(|key| **key != 0).map(|last| {
                let first_row = keys.partition_point(|key| key < last);
                let before = first_row.checked_sub(1).map(|row| keys[row]);
                LastKey {
                    first_row,
                    value: last.to_string(),
                    before: before.filter(|key| *key != 0).map(|key| key.to_string()),
                }
            });
            let column = Arc::new(Int64Array::from(keys.to_vec()));
            let records = RecordBatch::try_new(schema.arrow_schema(), vec![column]).unwrap();
            let schema = Arc::clone(&schema);
            events.extend(order.push(SourceBatch { schema, records }, last));
        }
        events.extend(order.finish());
        let told = events.into_iter().map(|event| match event {
            SourceEvent::Batch(batch) => {
                let keys = batch.records.column(0).as_primitive::<Int64Type>();
                let keys: Vec<_> = keys.values().iter().map(ToString::to_string).collect();
                keys.join(",")
            }
            SourceEvent::Passed(key) => format!(">{key}"),
            SourceEvent::Position(key) => format!("={key}"),
            SourceEvent::Log(..) => String::new(),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_key_is_passed_when_a_greater_one_has_come_and_its_rows_are_out() {
        assert_eq!(
            events(&[&[1, 2, 2], &[2, 3, 4], &[4, 4, 4]]),
            "1 >1 2,2 2,3 >3 4 =4 4,4,4 =4"
        );
        assert_eq!(events(&[&[1], &[2], &[3]]), "1 >1 2 >2 3 =3");
    }

    #[test]
    fn rows_without_a_key_come_first_and_pass_nothing() {
        assert_eq!(events(&[&[0, 0], &[0, 5, 6]]), "0,0 0,5 >5 6 =6");
        assert_eq!(events(&[&[0, 5]]), "0 5 =5");
        assert_eq!(events(&[&[0, 0]]), "0,0");
        assert_eq!(events(&[]), "");
    }

    #[test]
    fn rows_that_are_sorted_behind_all_keys_do_not_hide_the_position() {
        assert_eq!(events(&[&[1, 2], &[0, 0]]), "1 >1 2 0,0 =2");
    }
}
