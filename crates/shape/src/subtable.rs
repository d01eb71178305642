//! Rows of subtables: the items of arrays, told apart by the key of the record and their places in the arrays.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Int32Array, RecordBatch, RecordBatchOptions, StringArray, UInt32Array,
};
use arrow_schema::ArrowError;
use selvedge_connector::{
    Field, Instants, LogicalType, ShapedBatch, StreamSchema, SubtableBatch, SystemValues,
};

use crate::system::SOURCE_KEY;
use crate::{Rejection, system};

/// By what the records of a batch are told apart.
#[derive(Clone, Debug)]
pub enum RecordKey {
    /// Source names and destination names of the key fields.
    Fields(Vec<(String, String)>),
    /// Keyless records have a generated identity; the seed is the run's.
    Generated(u64),
}

impl RecordKey {
    /// How many columns of a subtable hold the record's key.
    pub fn column_count(&self) -> usize {
        match self {
            RecordKey::Fields(fields) => fields.len(),
            RecordKey::Generated(_) => 1,
        }
    }

    /// Names of the columns that identify a row of a subtable below `levels` arrays: the record's key, then the levels.
    pub fn subtable_key(&self, levels: usize) -> Vec<String> {
        let mut names: Vec<String> = match self {
            RecordKey::Fields(fields) => fields
                .iter()
                .map(|(_, name)| format!("{SOURCE_KEY}{name}"))
                .collect(),
            RecordKey::Generated(_) => vec![format!("{SOURCE_KEY}{}", system::PRIMARY_KEY)],
        };
        names.extend((0..levels).map(level_name));
        names
    }
}

/// Name of the column with the index in the array `level` arrays deep, from 0.
pub fn level_name(level: usize) -> String {
    format!("_sdc_level_{level}_id")
}

/// The rows of a subtable as a batch of their own: the columns of [`RecordKey::subtable_key`] first, the items' fields
/// behind them, sequence and instants as the record has them.
///
/// A key field that came with several types is there once for each.
///
/// # Errors
/// The parts do not fit together.
pub fn subtable_batch(
    root: &ShapedBatch,
    items: &SubtableBatch,
    key: &RecordKey,
) -> Result<ShapedBatch, ArrowError> {
    let rows = &items.root_rows;
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let places = UInt32Array::from(rows.to_vec());
    match key {
        RecordKey::Fields(names) => {
            for (source_name, name) in names {
                let parts = root.schema.fields.iter().zip(root.records.columns());
                for (field, column) in parts.filter(|(field, _)| field.is_top_level(source_name)) {
                    let name = format!("{SOURCE_KEY}{name}");
                    fields.push(Field::new(name, field.logical_type.clone()));
                    columns.push(arrow_select::take::take(column, &places, None)?);
                }
            }
        }
        RecordKey::Generated(run_seed) => {
            let name = format!("{SOURCE_KEY}{}", system::PRIMARY_KEY);
            fields.push(Field::new(name, LogicalType::Text));
            let mut text = String::with_capacity(36 * rows.len());
            for row in rows.iter() {
                let identity = root.system.sequences.identity(*row as usize);
                let digits = system::generated_primary_key(*run_seed, identity);
                text.extend(digits.iter().map(|digit| char::from(*digit)));
            }
            let identities = (0..rows.len()).map(|row| text.get(row * 36..(row + 1) * 36));
            columns.push(Arc::new(StringArray::from_iter(identities)));
        }
    }
    for (level, indices) in items.levels.iter().enumerate() {
        fields.push(Field::new(level_name(level), LogicalType::Int32));
        columns.push(Arc::new(Int32Array::from(indices.to_vec())));
    }
    fields.extend(items.schema.fields.iter().cloned());
    columns.extend(items.records.columns().iter().cloned());
    let schema = StreamSchema::new(fields);
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let records = RecordBatch::try_new_with_options(schema.arrow_schema(), columns, &options)?;
    let system = SystemValues {
        extracted_at: by_row(&root.system.extracted_at, rows),
        received_at: by_row(&root.system.received_at, rows),
        batched_at: root.system.batched_at,
        sequences: rows
            .iter()
            .map(|row| root.system.sequences.at(*row as usize))
            .collect(),
        table_version: root.system.table_version,
    };
    Ok(ShapedBatch::of_columns(schema, records, system))
}

fn by_row(instants: &Instants, rows: &[u32]) -> Instants {
    match instants {
        Instants::Same(instant) => Instants::Same(*instant),
        Instants::Each(_) => {
            Instants::Each(rows.iter().map(|row| instants.at(*row as usize)).collect())
        }
    }
}

/// The stream name under which a subtable's own name is made: the record's table and the way to the array, joined by `__`.
///
/// # Errors
/// Some name on the way is reserved.
pub fn subtable_name(
    dialect: &crate::Dialect,
    stream: &str,
    path: &[String],
) -> Result<String, Rejection> {
    let Some((name, inside)) = path.split_first() else {
        return Ok(stream.to_owned());
    };
    let array = Field {
        name: name.clone(),
        inside: inside.to_vec(),
        logical_type: LogicalType::Json,
    };
    Ok(format!(
        "{stream}__{}",
        crate::names::place(dialect, &array)?
    ))
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int32Type, Int64Type};
    use arrow_array::{Array, Int64Array};
    use selvedge_connector::Sequences;
    use selvedge_types::Timestamp;

    use super::*;

    fn root() -> ShapedBatch {
        let schema = StreamSchema::new(vec![Field::new("id", LogicalType::Int64)]);
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![71, 72]));
        let records = RecordBatch::try_new(schema.arrow_schema(), vec![ids]).unwrap();
        let instant = Timestamp::from_micros(5);
        let system = SystemValues {
            extracted_at: Instants::Each(vec![Some(1), None].into()),
            received_at: Instants::Same(Some(instant)),
            batched_at: instant,
            sequences: Sequences::From(100),
            table_version: 0,
        };
        ShapedBatch::of_columns(schema, records, system)
    }

    fn items() -> SubtableBatch {
        let schema = StreamSchema::new(vec![Field::new("value", LogicalType::Text)]);
        let values: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        SubtableBatch {
            path: vec!["tags".to_owned()],
            records: RecordBatch::try_new(schema.arrow_schema(), vec![values]).unwrap(),
            schema,
            root_rows: vec![0, 1, 1].into(),
            levels: vec![vec![0, 0, 1].into()],
        }
    }

    #[test]
    fn items_carry_the_key_the_sequence_and_the_instants_of_their_record() {
        let key = RecordKey::Fields(vec![("id".to_owned(), "Id".to_owned())]);
        assert_eq!(
            key.subtable_key(2),
            ["_sdc_source_key_Id", "_sdc_level_0_id", "_sdc_level_1_id"]
        );
        let batch = subtable_batch(&root(), &items(), &key).unwrap();
        let names: Vec<&str> = batch
            .schema
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect();
        assert_eq!(names, ["_sdc_source_key_Id", "_sdc_level_0_id", "value"]);
        assert_eq!(
            batch.records.column(0).as_primitive::<Int64Type>().values(),
            &[71, 72, 72]
        );
        assert_eq!(
            batch.records.column(1).as_primitive::<Int32Type>().values(),
            &[0, 0, 1]
        );
        assert_eq!(
            [0, 1, 2].map(|row| batch.system.sequences.at(row)),
            [100, 101, 101]
        );
        assert_eq!(
            [0, 1, 2].map(|row| batch.system.extracted_at.at(row)),
            [Some(1), None, None]
        );
    }

    #[test]
    fn items_of_keyless_records_carry_the_generated_identity() {
        let key = RecordKey::Generated(7);
        assert_eq!(key.subtable_key(1)[0], "_sdc_source_key___sdc_primary_key");
        let batch = subtable_batch(&root(), &items(), &key).unwrap();
        let identities = batch.records.column(0).as_string::<i32>();
        assert_eq!(
            identities.value(2).as_bytes(),
            system::generated_primary_key(7, 101)
        );
        assert_eq!(identities.null_count(), 0);
    }
}
