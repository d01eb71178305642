//! The position of an incremental read: the greatest key so far, as text that the server reads back as the same value.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_schema::DataType;
use selvedge_types::Timestamp;

use crate::types::KeyKind;

const DAY_MICROS: i64 = 86_400_000_000;

/// The last key of an ascending column that is not NULL; `None` while there is none.
pub(crate) fn greatest(keys: &dyn Array, kind: KeyKind) -> Option<String> {
    let index = (0..keys.len()).rev().find(|index| keys.is_valid(*index))?;
    let value = match keys.data_type() {
        DataType::Int16 => keys.as_primitive::<Int16Type>().value(index).into(),
        DataType::Int32 => keys.as_primitive::<Int32Type>().value(index).into(),
        DataType::Int64 => keys.as_primitive::<Int64Type>().value(index),
        DataType::Date32 => i64::from(keys.as_primitive::<Date32Type>().value(index)) * DAY_MICROS,
        DataType::Timestamp(..) => keys.as_primitive::<TimestampMicrosecondType>().value(index),
        _ => return None,
    };
    Some(match kind {
        KeyKind::Int2 | KeyKind::Int4 | KeyKind::Int8 => value.to_string(),
        KeyKind::Date => instant(value).chars().take("0001-01-01".len()).collect(),
        KeyKind::Timestamp => instant(value),
        KeyKind::Timestamptz => instant(value) + "+00",
    })
}

/// ISO 8601 with microseconds and without a zone. The calendar's bounds were checked when the value was decoded.
fn instant(micros: i64) -> String {
    let mut text = Timestamp::from_micros(micros).to_micros_string();
    text.truncate(text.trim_end_matches('Z').len());
    text
}

#[cfg(test)]
mod tests {
    use arrow_array::{Date32Array, Int32Array, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn the_last_key_that_is_not_null_counts() {
        let keys = Int32Array::from(vec![None, Some(-3), Some(7), None]);
        assert_eq!(greatest(&keys, KeyKind::Int4).as_deref(), Some("7"));
        let keys = Int32Array::from(vec![None, None]);
        assert_eq!(greatest(&keys, KeyKind::Int4), None);
    }

    #[test]
    fn instants_are_texts_that_the_server_reads_back() {
        let micros = TimestampMicrosecondArray::from(vec![1_927_857_906_789_012]);
        assert_eq!(
            greatest(&micros, KeyKind::Timestamp).as_deref(),
            Some("2031-02-03T04:05:06.789012")
        );
        assert_eq!(
            greatest(&micros, KeyKind::Timestamptz).as_deref(),
            Some("2031-02-03T04:05:06.789012+00")
        );
        assert_eq!(
            greatest(&micros, KeyKind::Date).as_deref(),
            Some("2031-02-03")
        );
        let first = Date32Array::from(vec![-719_162]);
        assert_eq!(
            greatest(&first, KeyKind::Date).as_deref(),
            Some("0001-01-01")
        );
    }
}
