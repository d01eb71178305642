//! Whether keys come in ascending order: then no two rows share one, and their index can wait for the end of the load.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use selvedge_connector::{LogicalType, StreamSchema};

/// Remembers the last key.
#[derive(Debug, Default)]
pub(crate) struct Ascending {
    last: Option<(Vec<ArrayRef>, usize)>,
}

impl Ascending {
    /// Whether all rows but those in `skip` (ascending) have greater keys than the rows before them. `false` also where
    /// that is not known.
    pub(crate) fn continues_with(
        &mut self,
        key: &[String],
        schema: &StreamSchema,
        records: &RecordBatch,
        skip: &[usize],
    ) -> bool {
        let Some(columns) = key_columns(key, schema, records) else {
            return false;
        };
        let mut previous = self
            .last
            .as_ref()
            .map(|(columns, row)| (columns.as_slice(), *row));
        for row in 0..records.num_rows() {
            if skip.binary_search(&row).is_ok() {
                continue;
            }
            if let Some((before, at)) = previous
                && compare(before, at, &columns, row) != Some(Ordering::Less)
            {
                return false;
            }
            previous = Some((&columns, row));
        }
        if let Some((_, row)) = previous
            && records.num_rows() > skip.len()
        {
            self.last = Some((columns, row));
        }
        true
    }
}

/// The key's arrays, if the order of each is the same here and in SQLite.
fn key_columns(
    key: &[String],
    schema: &StreamSchema,
    records: &RecordBatch,
) -> Option<Vec<ArrayRef>> {
    key.iter()
        .map(|name| {
            let mut fields =
                (0..schema.fields.len()).filter(|at| schema.fields[*at].is_top_level(name));
            let field = fields.next().filter(|_| fields.next().is_none())?;
            matches!(
                schema.fields[field].logical_type,
                LogicalType::Int16
                    | LogicalType::Int32
                    | LogicalType::Int64
                    | LogicalType::Text
                    | LogicalType::Timestamp
                    | LogicalType::TimestampTz
                    | LogicalType::Date
                    | LogicalType::Uuid
            )
            .then(|| records.column(field).clone())
        })
        .collect()
}

fn compare(
    left: &[ArrayRef],
    left_row: usize,
    right: &[ArrayRef],
    right_row: usize,
) -> Option<Ordering> {
    for (left, right) in left.iter().zip(right) {
        match compare_cell(left, left_row, right, right_row)? {
            Ordering::Equal => {}
            unequal => return Some(unequal),
        }
    }
    Some(Ordering::Equal)
}

/// `None` for arrays of different types.
fn compare_cell(
    left: &dyn Array,
    left_row: usize,
    right: &dyn Array,
    right_row: usize,
) -> Option<Ordering> {
    macro_rules! primitive {
        ($($kind:ty),*) => {
            $(if let Some(left) = left.as_primitive_opt::<$kind>() {
                let right = right.as_primitive_opt::<$kind>()?;
                return Some(left.value(left_row).cmp(&right.value(right_row)));
            })*
        };
    }
    primitive!(
        Int64Type,
        Int32Type,
        Int16Type,
        TimestampMicrosecondType,
        Date32Type
    );
    if let Some(left) = left.as_string_opt::<i32>() {
        let right = right.as_string_opt::<i32>()?;
        return Some(left.value(left_row).cmp(right.value(right_row)));
    }
    let (left, right) = (
        left.as_fixed_size_binary_opt()?,
        right.as_fixed_size_binary_opt()?,
    );
    Some(left.value(left_row).cmp(right.value(right_row)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array, StringArray};
    use selvedge_connector::Field;

    use super::*;

    fn schema(types: &[LogicalType]) -> Arc<StreamSchema> {
        let fields = types
            .iter()
            .enumerate()
            .map(|(index, logical_type)| Field::new(format!("k{index}"), logical_type.clone()));
        StreamSchema::new(fields.collect())
    }

    fn key(columns: usize) -> Vec<String> {
        (0..columns).map(|index| format!("k{index}")).collect()
    }

    #[test]
    fn order_is_followed_over_batches_and_skipped_rows_do_not_count() {
        let schema = schema(&[LogicalType::Int64]);
        let batch = |values: Vec<i64>| {
            RecordBatch::try_new(
                schema.arrow_schema(),
                vec![Arc::new(Int64Array::from(values)) as ArrayRef],
            )
            .unwrap()
        };
        let mut ascending = Ascending::default();
        let mut accepts = |values, skip: &[usize]| {
            ascending.continues_with(&key(1), &schema, &batch(values), skip)
        };
        assert!(accepts(vec![1, 2, 5], &[]));
        assert!(accepts(vec![0], &[0]));
        assert!(accepts(vec![6, 3, 7], &[1]));
        assert!(!accepts(vec![7], &[]), "an equal key is not greater");
    }

    #[test]
    fn composite_keys_are_compared_column_by_column() {
        let schema = schema(&[LogicalType::Text, LogicalType::Int64]);
        let batch = |texts: Vec<&str>, numbers: Vec<i64>| {
            RecordBatch::try_new(
                schema.arrow_schema(),
                vec![
                    Arc::new(StringArray::from(texts)) as ArrayRef,
                    Arc::new(Int64Array::from(numbers)),
                ],
            )
            .unwrap()
        };
        let accepts = |texts, numbers| {
            Ascending::default().continues_with(&key(2), &schema, &batch(texts, numbers), &[])
        };
        assert!(accepts(vec!["a", "a", "b"], vec![1, 2, 0]));
        assert!(!accepts(vec!["a", "a"], vec![2, 1]));
    }

    #[test]
    fn types_of_another_order_are_never_ascending() {
        let schema = schema(&[LogicalType::Float64]);
        let records = RecordBatch::try_new(
            schema.arrow_schema(),
            vec![Arc::new(Float64Array::from(vec![1.0, 2.0])) as ArrayRef],
        )
        .unwrap();
        assert!(!Ascending::default().continues_with(&key(1), &schema, &records, &[]));
    }
}
