//! One record of a batch as JSON text, for `_sdc_rejected`. The cold path: rejected records only.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use selvedge_connector::{LogicalType, ShapedBatch, StreamSchema};
use selvedge_types::Timestamp;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Row `row` of the batch: its own text where the record came as text, else made from its fields.
pub fn record_text(batch: &ShapedBatch, row: usize) -> String {
    match batch.texts.as_ref().and_then(|texts| texts.get(row)) {
        Some(text) => text.to_owned(),
        None => record_json(&batch.schema, &batch.records, row),
    }
}

/// The fields of row `row` under their source names. Numbers keep their digits, instants are ISO 8601 in UTC, bytes are
/// hexadecimal. Of several fields with one name the one that is set is shown.
pub(crate) fn record_json(schema: &StreamSchema, records: &RecordBatch, row: usize) -> String {
    let mut json = String::from("{");
    for (index, field) in schema.fields.iter().enumerate() {
        let array = records.column(index).as_ref();
        let unset = array.is_null(row);
        let repeated = schema
            .fields
            .iter()
            .filter(|other| other.same_place(field))
            .count()
            > 1;
        if unset && repeated {
            continue;
        }
        if json.len() > 1 {
            json.push(',');
        }
        push_text(&mut json, &field.joined_name());
        json.push(':');
        match unset {
            true => json.push_str("null"),
            false => push_value(&mut json, &field.logical_type, array, row),
        }
    }
    json.push('}');
    json
}

/// The value in row `row`, which must not be NULL, as [`record_text`] shows it, but text bare, without quotes.
pub fn value_text(logical_type: &LogicalType, array: &dyn Array, row: usize) -> String {
    let mut json = String::new();
    push_value(&mut json, logical_type, array, row);
    match json.starts_with('"') {
        true => serde_json::from_str(&json).unwrap_or(json),
        false => json,
    }
}

fn push_text(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}

fn push_value(json: &mut String, logical_type: &LogicalType, array: &dyn Array, row: usize) {
    let text = match logical_type {
        LogicalType::Boolean => array.as_boolean().value(row).to_string(),
        LogicalType::Int16 => array.as_primitive::<Int16Type>().value(row).to_string(),
        LogicalType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        LogicalType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        LogicalType::Float32 => {
            serde_json::Value::from(array.as_primitive::<Float32Type>().value(row)).to_string()
        }
        LogicalType::Float64 => {
            serde_json::Value::from(array.as_primitive::<Float64Type>().value(row)).to_string()
        }
        LogicalType::Decimal { precision, .. } if *precision <= 38 => {
            array.as_primitive::<Decimal128Type>().value_as_string(row)
        }
        LogicalType::Decimal { .. } => array.as_primitive::<Decimal256Type>().value_as_string(row),
        LogicalType::DecimalText => array.as_string::<i32>().value(row).to_owned(),
        LogicalType::Json | LogicalType::JsonArray { .. } => {
            json.push_str(array.as_string::<i32>().value(row));
            return;
        }
        LogicalType::Text | LogicalType::Array { .. } => {
            return push_text(json, array.as_string::<i32>().value(row));
        }
        LogicalType::Timestamp | LogicalType::TimestampTz => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            return push_text(json, &Timestamp::from_micros(micros).to_micros_string());
        }
        LogicalType::Date => {
            let days = i64::from(array.as_primitive::<Date32Type>().value(row));
            let midnight = Timestamp::from_micros(days.saturating_mul(MICROS_PER_DAY));
            let text = midnight.to_micros_string();
            return push_text(json, text.split('T').next().unwrap_or_default());
        }
        LogicalType::Uuid => hexadecimal(array.as_fixed_size_binary().value(row)),
        LogicalType::Bytes => hexadecimal(array.as_binary::<i32>().value(row)),
    };
    match logical_type {
        LogicalType::Uuid | LogicalType::Bytes => push_text(json, &text),
        _ => json.push_str(&text),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, Date32Array, Decimal128Array, Int64Array, StringArray, TimestampMicrosecondArray,
    };
    use selvedge_connector::Field;

    use super::*;

    #[test]
    fn a_record_shows_every_field_exactly() {
        let decimal = LogicalType::Decimal {
            precision: 20,
            scale: 4,
        };
        let columns: Vec<(&str, LogicalType, ArrayRef)> = vec![
            (
                "id",
                LogicalType::Int64,
                Arc::new(Int64Array::from(vec![i64::MAX])),
            ),
            (
                "fee",
                decimal,
                Arc::new(
                    Decimal128Array::from(vec![-125_000])
                        .with_precision_and_scale(20, 4)
                        .unwrap(),
                ),
            ),
            (
                "say \"hi\"",
                LogicalType::Text,
                Arc::new(StringArray::from(vec!["a\n\u{0}"])),
            ),
            (
                "at",
                LogicalType::Timestamp,
                Arc::new(TimestampMicrosecondArray::from(vec![1])),
            ),
            (
                "day",
                LogicalType::Date,
                Arc::new(Date32Array::from(vec![-1])),
            ),
            (
                "v",
                LogicalType::Int64,
                Arc::new(Int64Array::from(vec![None])),
            ),
            (
                "v",
                LogicalType::Text,
                Arc::new(StringArray::from(vec!["seven"])),
            ),
            (
                "none",
                LogicalType::Text,
                Arc::new(StringArray::from(vec![None::<&str>])),
            ),
        ];
        let schema = StreamSchema::new(
            columns
                .iter()
                .map(|(name, logical_type, _)| Field::new(*name, logical_type.clone()))
                .collect(),
        );
        let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
        let records = RecordBatch::try_new(schema.arrow_schema(), arrays).unwrap();
        assert_eq!(
            record_json(&schema, &records, 0),
            "{\"id\":9223372036854775807,\"fee\":-12.5000,\"say \\\"hi\\\"\":\"a\\n\\u0000\",\
             \"at\":\"1970-01-01T00:00:00.000001Z\",\"day\":\"1969-12-31\",\"v\":\"seven\",\"none\":null}"
        );
    }

    #[test]
    fn a_value_is_shown_bare() {
        let text = StringArray::from(vec!["say \"hi\""]);
        assert_eq!(value_text(&LogicalType::Text, &text, 0), "say \"hi\"");
        let instant = TimestampMicrosecondArray::from(vec![1]);
        assert_eq!(
            value_text(&LogicalType::TimestampTz, &instant, 0),
            "1970-01-01T00:00:00.000001Z"
        );
        let number = Int64Array::from(vec![-7]);
        assert_eq!(value_text(&LogicalType::Int64, &number, 0), "-7");
    }
}
