//! Native batches with JSON in some of their columns, for destinations that take nested values apart.
//!
//! All other columns pass as they are.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray,
};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use selvedge_connector::{
    Field, Instants, LogicalType, Nesting, RefusedRecord, Sequences, ShapedBatch, StreamSchema,
    SystemValues,
};
use selvedge_json::Malformed;
use serde_json::{Map, Value, json};

use super::rules::CALENDAR;
use super::shaper::JsonShaper;
use crate::record::record_json;

/// Takes the JSON columns of batches apart.
#[derive(Debug)]
pub struct Denester {
    /// The batches' schema.
    schema: Arc<StreamSchema>,
    /// Indices of the columns with JSON.
    nested: Vec<usize>,
    shaper: JsonShaper,
}

/// Whether values of the type have an inner structure.
fn is_nested(logical_type: &LogicalType) -> bool {
    matches!(
        logical_type,
        LogicalType::Json | LogicalType::JsonArray { .. }
    )
}

impl Denester {
    /// For batches of this schema; `None` when there is nothing to take apart. `destination` is its name in messages, `key`
    /// are the key fields.
    pub fn new(
        destination: &'static str,
        key: &[String],
        schema: &Arc<StreamSchema>,
    ) -> Option<Self> {
        let nested: Vec<usize> = (0..schema.fields.len())
            .filter(|index| is_nested(&schema.fields[*index].logical_type))
            .collect();
        if nested.is_empty() {
            return None;
        }
        let declared = declared(nested.iter().map(|index| &schema.fields[*index]));
        Some(Self {
            schema: Arc::clone(schema),
            nested,
            shaper: JsonShaper::with_schema(Nesting::Subtables, destination, key, &declared),
        })
    }

    /// Items that are NULL since the last call because they were NaN, infinite or beyond the calendar.
    pub fn take_lost(&mut self) -> u64 {
        self.shaper.take_not_finite()
    }

    /// Whether it was made for batches of this schema.
    pub fn is_for(&self, schema: &Arc<StreamSchema>) -> bool {
        Arc::ptr_eq(&self.schema, schema) || self.schema == *schema
    }

    /// The batch taken apart; in several pieces where it would need a great many columns.
    ///
    /// # Errors
    /// A column does not hold what its type says.
    pub fn denest(
        &mut self,
        records: &RecordBatch,
        system: &SystemValues,
    ) -> Result<Vec<ShapedBatch>, ArrowError> {
        let texts = self
            .nested
            .iter()
            .map(|index| {
                let column = records
                    .column(*index)
                    .as_any()
                    .downcast_ref::<StringArray>();
                column.ok_or_else(|| {
                    ArrowError::CastError("a column of JSON does not hold text".to_owned())
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let rows = records.num_rows();
        let mut pieces = Vec::new();
        let mut start = 0;
        // Rows of the current piece that get in, and those that do not.
        let mut kept = Vec::new();
        let mut refused = Vec::new();
        for row in 0..rows {
            let schema = &self.schema;
            let fields = self.nested.iter().zip(&texts).filter_map(|(index, texts)| {
                let text = (!texts.is_null(row)).then(|| texts.value(row))?;
                Some((schema.fields[*index].name.as_str(), text))
            });
            let refusal = match self.shaper.push_fields(fields) {
                Ok(None) => None,
                Ok(Some(reason)) => Some(reason.to_string()),
                Err(malformed) => Some(not_json(malformed)),
            };
            kept.push(refusal.is_none());
            if let Some(reason) = refusal {
                let record = record_json(&self.schema, records, row);
                refused.push(RefusedRecord { reason, record });
            }
            if self.shaper.is_full() || row + 1 == rows {
                let piece =
                    self.piece(records, start..row + 1, std::mem::take(&mut kept), system)?;
                pieces.push(ShapedBatch {
                    refused: std::mem::take(&mut refused),
                    ..piece
                });
                start = row + 1;
            }
        }
        Ok(pieces)
    }

    /// The rows of a range that are kept, with the columns that came out of the JSON ones in their places.
    fn piece(
        &mut self,
        records: &RecordBatch,
        range: Range<usize>,
        kept: Vec<bool>,
        system: &SystemValues,
    ) -> Result<ShapedBatch, ArrowError> {
        let all = kept.iter().all(|kept| *kept);
        let system = SystemValues {
            extracted_at: instants(&system.extracted_at, &range, &kept, all),
            received_at: instants(&system.received_at, &range, &kept, all),
            sequences: sequences(&system.sequences, &range, &kept, all),
            ..system.clone()
        };
        let flat = self.shaper.finish(system)?;
        let mut native = records.slice(range.start, range.len());
        if !all {
            native = filter_record_batch(&native, &BooleanArray::from(kept))?;
        }
        let mut fields: Vec<Field> = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (index, field) in self.schema.fields.iter().enumerate() {
            if !self.nested.contains(&index) {
                fields.push(field.clone());
                columns.push(Arc::clone(native.column(index)));
                continue;
            }
            let parts = flat.schema.fields.iter().zip(flat.records.columns());
            for (part, column) in parts.filter(|(part, _)| part.name == field.name) {
                fields.push(part.clone());
                columns.push(Arc::clone(column));
            }
        }
        let schema = StreamSchema::new(fields);
        let options = RecordBatchOptions::new().with_row_count(Some(native.num_rows()));
        let records = RecordBatch::try_new_with_options(schema.arrow_schema(), columns, &options)?;
        Ok(ShapedBatch {
            schema,
            records,
            texts: None,
            ..flat
        })
    }
}

fn not_json(malformed: Malformed) -> String {
    format!("value is not valid JSON: {malformed}")
}

fn instants(instants: &Instants, range: &Range<usize>, kept: &[bool], all: bool) -> Instants {
    match instants {
        Instants::Same(_) => instants.clone(),
        Instants::Each(each) if all => Instants::Each(each[range.clone()].into()),
        Instants::Each(_) => {
            Instants::Each(rows_kept(range, kept).map(|row| instants.at(row)).collect())
        }
    }
}

fn sequences(sequences: &Sequences, range: &Range<usize>, kept: &[bool], all: bool) -> Sequences {
    match sequences {
        Sequences::From(_) if all => Sequences::From(sequences.at(range.start)),
        _ => rows_kept(range, kept)
            .map(|row| sequences.at(row))
            .collect(),
    }
}

fn rows_kept(range: &Range<usize>, kept: &[bool]) -> impl Iterator<Item = usize> {
    range
        .clone()
        .zip(kept)
        .filter(|(_, kept)| **kept)
        .map(|(row, _)| row)
}

/// What is known of the types of items, as a JSON Schema.
fn declared<'a>(fields: impl Iterator<Item = &'a Field>) -> Value {
    let mut properties = Map::new();
    let mut definitions = Map::new();
    for field in fields {
        if let LogicalType::JsonArray { item } = &field.logical_type {
            let reference = json!({"$ref": format!("#/definitions/{}", definitions.len())});
            let list = json!({"type": "array", "items": reference});
            // Arrays may have any number of dimensions.
            let items = json!({"anyOf": [item_schema(item), list]});
            definitions.insert(definitions.len().to_string(), items);
            properties.insert(field.name.clone(), list);
        }
    }
    json!({"definitions": definitions, "properties": properties})
}

fn item_schema(item: &LogicalType) -> Value {
    match item {
        // What a database calls NaN or infinite comes as text.
        LogicalType::Float32 | LogicalType::Float64 => json!({"anyOf": [
            {"type": "number"},
            {"type": "string", "format": "singer.decimal"},
        ]}),
        LogicalType::Decimal { .. } | LogicalType::DecimalText => json!({"anyOf": [
            {"type": "number", "multipleOf": 1e-38},
            {"type": "string", "format": "singer.decimal"},
        ]}),
        LogicalType::Timestamp | LogicalType::TimestampTz | LogicalType::Date => {
            json!({"type": "string", "format": CALENDAR})
        }
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Array, Int64Array};
    use selvedge_types::Timestamp;

    use super::*;

    fn system() -> SystemValues {
        let instant = Timestamp::from_micros(0);
        SystemValues {
            extracted_at: Instants::Same(Some(instant)),
            received_at: Instants::Same(Some(instant)),
            batched_at: instant,
            sequences: Sequences::From(100),
            table_version: 0,
        }
    }

    fn records(lists: LogicalType, texts: Vec<Option<&str>>) -> (Arc<StreamSchema>, RecordBatch) {
        let schema = StreamSchema::new(vec![
            Field::new("id", LogicalType::Int64),
            Field::new("doc", lists),
            Field::new("after", LogicalType::Int64),
        ]);
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..texts.len() as i64));
        let columns = vec![Arc::clone(&ids), Arc::new(StringArray::from(texts)), ids];
        let records = RecordBatch::try_new(schema.arrow_schema(), columns).unwrap();
        (schema, records)
    }

    #[test]
    fn columns_of_json_give_way_to_what_is_in_them() {
        let (schema, records) = records(
            LogicalType::Json,
            vec![
                Some(r#"{"a":{"b":1},"l":["x"]}"#),
                None,
                Some("[1,2]"),
                Some("\"plain\""),
                Some(r#"{"a":{"c":"\ud800"}}"#),
                Some("{}"),
            ],
        );
        let mut denester = Denester::new("PostgreSQL", &["id".to_owned()], &schema).unwrap();
        let pieces = denester.denest(&records, &system()).unwrap();
        let [batch] = &pieces[..] else {
            panic!("one piece");
        };
        let names: Vec<String> = batch.schema.fields.iter().map(Field::joined_name).collect();
        assert_eq!(names, ["id", "doc__a__b", "doc", "after"]);
        assert_eq!(
            batch.records.column(0).as_primitive::<Int64Type>().values(),
            &[0, 1, 2, 3, 5]
        );
        assert_eq!(batch.records.column(2).as_string::<i32>().value(3), "plain");
        let sequences: Vec<i64> = (0..5).map(|row| batch.system.sequences.at(row)).collect();
        assert_eq!(sequences, [100, 101, 102, 103, 105]);
        assert_eq!(batch.refused.len(), 1);
        assert_eq!(
            batch.refused[0].reason,
            "value not valid for PostgreSQL on [doc__a__c]"
        );
        assert_eq!(
            batch.refused[0].record,
            r#"{"id":4,"doc":{"a":{"c":"\ud800"}},"after":4}"#
        );
        let paths: Vec<&[String]> = batch
            .subtables
            .iter()
            .map(|items| &items.path[..])
            .collect();
        assert_eq!(
            paths,
            [
                &["doc".to_owned(), "l".to_owned()][..],
                &["doc".to_owned()][..]
            ]
        );
        assert_eq!(*batch.subtables[1].root_rows, [2, 2]);
    }

    #[test]
    fn items_of_arrays_have_the_types_that_the_source_says() {
        let item = Box::new(LogicalType::DecimalText);
        let (schema, records) = records(
            LogicalType::JsonArray { item },
            vec![Some(r#"[[1,2.50],["NaN",null]]"#)],
        );
        let mut denester = Denester::new("PostgreSQL", &[], &schema).unwrap();
        let pieces = denester.denest(&records, &system()).unwrap();
        let inner = &pieces[0].subtables[1];
        assert_eq!(inner.path, ["doc", "value"]);
        assert_eq!(
            inner.schema.fields[0].logical_type,
            LogicalType::DecimalText
        );
        let values = inner.records.column(0).as_string::<i32>();
        assert_eq!(
            (values.value(0), values.value(1), values.null_count()),
            ("1", "2.50", 2)
        );
    }

    #[test]
    fn items_that_are_no_dates_of_the_calendar_are_null_and_counted() {
        let item = Box::new(LogicalType::Timestamp);
        let (schema, records) = records(
            LogicalType::JsonArray { item },
            vec![Some(
                r#"["2024-05-01","infinity","-infinity","0044-03-15 BC","10000-01-01","9999-12-31T23:59:59+00:00",null]"#,
            )],
        );
        let mut denester = Denester::new("PostgreSQL", &[], &schema).unwrap();
        let pieces = denester.denest(&records, &system()).unwrap();
        let items = &pieces[0].subtables[0];
        assert_eq!(items.schema.fields.len(), 1);
        assert_eq!(items.schema.fields[0].logical_type, LogicalType::Timestamp);
        assert_eq!(
            (
                items.records.num_rows(),
                items.records.column(0).null_count()
            ),
            (7, 5)
        );
        assert_eq!((denester.take_lost(), denester.take_lost()), (4, 0));
    }

    #[test]
    fn batches_with_a_great_many_places_come_in_pieces() {
        let texts: Vec<String> = (0..600)
            .map(|row| {
                let members: Vec<String> =
                    (0..50).map(|at| format!("\"k{row}_{at}\":{at}")).collect();
                format!("{{{}}}", members.join(","))
            })
            .collect();
        let (schema, records) = records(
            LogicalType::Json,
            texts.iter().map(|text| Some(text.as_str())).collect(),
        );
        let mut denester = Denester::new("PostgreSQL", &[], &schema).unwrap();
        let pieces = denester.denest(&records, &system()).unwrap();
        assert!(pieces.len() > 1);
        let rows: usize = pieces.iter().map(|piece| piece.records.num_rows()).sum();
        assert_eq!(rows, 600);
        assert_eq!(
            pieces[1].system.sequences.at(0),
            100 + pieces[0].records.num_rows() as i64
        );
    }

    #[test]
    fn nothing_is_made_where_nothing_is_nested() {
        let schema = StreamSchema::new(vec![Field::new("id", LogicalType::Int64)]);
        assert!(Denester::new("PostgreSQL", &[], &schema).is_none());
    }
}
