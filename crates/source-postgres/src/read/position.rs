//! The position of an incremental read: the greatest key so far, as text that the server reads back as the same value.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_schema::DataType;
use selvedge_connector::LastKey;
use selvedge_types::Timestamp;

use crate::types::KeyKind;

const DAY_MICROS: i64 = 86_400_000_000;

/// The last key of an ascending column that is not NULL; `None` while there is none. What has no value here, infinite times
/// for instance, is NULL, and sorted to either end.
pub(crate) fn last_key(keys: &dyn Array, kind: KeyKind) -> Option<LastKey> {
    let index = (0..keys.len()).rev().find(|index| keys.is_valid(*index))?;
    let last = value(keys, index)?;
    let (mut low, mut high) = (0, index);
    while low < high {
        let middle = usize::midpoint(low, high);
        match value(keys, middle) == Some(last) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    let before = low.checked_sub(1).and_then(|row| value(keys, row));
    Some(LastKey {
        first_row: low,
        value: text(last, kind),
        before: before.map(|value| text(value, kind)),
    })
}

fn value(keys: &dyn Array, index: usize) -> Option<i64> {
    if keys.is_null(index) {
        return None;
    }
    Some(match keys.data_type() {
        DataType::Int16 => keys.as_primitive::<Int16Type>().value(index).into(),
        DataType::Int32 => keys.as_primitive::<Int32Type>().value(index).into(),
        DataType::Int64 => keys.as_primitive::<Int64Type>().value(index),
        DataType::Date32 => i64::from(keys.as_primitive::<Date32Type>().value(index)) * DAY_MICROS,
        DataType::Timestamp(..) => keys.as_primitive::<TimestampMicrosecondType>().value(index),
        _ => return None,
    })
}

fn text(value: i64, kind: KeyKind) -> String {
    match kind {
        KeyKind::Int2 | KeyKind::Int4 | KeyKind::Int8 => value.to_string(),
        KeyKind::Date => instant(value).chars().take("0001-01-01".len()).collect(),
        KeyKind::Timestamp => instant(value),
        KeyKind::Timestamptz => instant(value) + "+00",
    }
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

    fn greatest(keys: &dyn Array, kind: KeyKind) -> Option<String> {
        last_key(keys, kind).map(|last| last.value)
    }

    #[test]
    fn the_last_key_that_is_not_null_counts_from_its_first_row() {
        let last = |keys: Vec<Option<i32>>| last_key(&Int32Array::from(keys), KeyKind::Int4);
        let expected = |first_row, value: &str, before: Option<&str>| {
            Some(LastKey {
                first_row,
                value: value.to_owned(),
                before: before.map(str::to_owned),
            })
        };
        assert_eq!(
            last(vec![None, Some(-3), Some(7), None]),
            expected(2, "7", Some("-3"))
        );
        assert_eq!(
            last(vec![None, Some(7), Some(7), Some(7)]),
            expected(1, "7", None)
        );
        assert_eq!(last(vec![Some(7), Some(7)]), expected(0, "7", None));
        assert_eq!(
            last(vec![Some(1), Some(2), Some(2), Some(9)]),
            expected(3, "9", Some("2"))
        );
        assert_eq!(last(vec![None, None]), None);
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
