//! The least and the greatest value of replication keys in what a load brought.

use std::cmp::Ordering;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use selvedge_connector::{LogicalType, ShapedBatch};
use selvedge_shape::value_text;
use selvedge_types::Timestamp;
use selvedge_types::load::BookmarkRange;
use serde::{Deserialize, Serialize};

/// Replication keys that a load is told with: ranges are kept beside every commit.
const MOST_KEYS: usize = 16;
/// Bytes of a text that can bound a range, for the same reason.
const MOST_TEXT_BYTES: usize = 1_024;

/// Which fields of a batch are replication keys.
#[derive(Clone, Copy, Debug)]
pub enum ReplicationKeys<'a> {
    /// The rows ascend by this field, in the order of the source.
    Ascending(&'a str),
    /// Top-level fields, in any order of rows.
    AnyOrder(&'a [String]),
}

impl ReplicationKeys<'static> {
    /// Nothing orders the rows.
    pub const NONE: Self = Self::AnyOrder(&[]);
}

/// Ranges of all replication keys that had values, in the order of their first appearance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct KeyRanges(Vec<KeyRange>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeyRange {
    key: String,
    /// `None` once a text came that is too long to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bounds: Option<Bounds>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Bounds {
    min: KeyValue,
    max: KeyValue,
}

/// A value of a replication key. Where its type changes, numbers are less than instants, and instants less than texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyValue {
    /// The decimal in canonical form.
    Number(String),
    /// Microseconds since 1970.
    Instant(i64),
    Text(String),
}

impl KeyRanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes the keys of a batch.
    pub(crate) fn observe(&mut self, batch: &ShapedBatch, keys: ReplicationKeys<'_>) {
        match keys {
            ReplicationKeys::Ascending(key) => self.observe_ascending(batch, key),
            ReplicationKeys::AnyOrder(keys) => {
                for key in keys.iter().take(MOST_KEYS) {
                    self.observe_all(batch, key);
                }
            }
        }
    }

    fn observe_ascending(&mut self, batch: &ShapedBatch, key: &str) {
        let mut fields = batch.schema.fields.iter();
        let Some(index) = fields.position(|field| field.is_top_level(key)) else {
            return;
        };
        let array = batch.records.column(index);
        let mut with_key = (0..array.len()).filter(|row| array.is_valid(*row));
        let (Some(first), last) = (with_key.next(), with_key.next_back()) else {
            return;
        };
        let logical_type = &batch.schema.fields[index].logical_type;
        let value = |row| KeyValue::Text(value_text(logical_type, array.as_ref(), row));
        let bounds = Bounds {
            min: value(first),
            max: value(last.unwrap_or(first)),
        };
        self.note(key, bounds, |all, later| all.max = later.max);
    }

    fn observe_all(&mut self, batch: &ShapedBatch, key: &str) {
        // A field for each type that came.
        for (field, array) in batch.schema.fields.iter().zip(batch.records.columns()) {
            if field.is_top_level(key)
                && let Some(bounds) = Bounds::of(&field.logical_type, array.as_ref())
            {
                self.note(key, bounds, Bounds::widen);
            }
        }
    }

    fn note(&mut self, key: &str, more: Bounds, join: impl FnOnce(&mut Bounds, Bounds)) {
        let more = more.is_short().then_some(more);
        let is_full = self.0.len() == MOST_KEYS;
        match self.0.iter_mut().find(|range| range.key == key) {
            Some(range) => {
                range.bounds = range.bounds.take().zip(more).map(|(mut all, more)| {
                    join(&mut all, more);
                    all
                });
            }
            None if is_full => {}
            None => self.0.push(KeyRange {
                key: key.to_owned(),
                bounds: more,
            }),
        }
    }

    /// The ranges as they are told.
    pub(crate) fn into_told(self) -> Vec<BookmarkRange> {
        let told = |KeyRange { key, bounds }| {
            let Bounds { min, max } = bounds?;
            Some(BookmarkRange {
                key,
                min_value: min.into_text(),
                max_value: max.into_text(),
            })
        };
        self.0.into_iter().filter_map(told).collect()
    }
}

impl Bounds {
    /// `None` where there is no value that has an order.
    fn of(logical_type: &LogicalType, array: &dyn Array) -> Option<Self> {
        match logical_type {
            LogicalType::Int32 => {
                let values = array.as_primitive::<Int32Type>().iter().flatten();
                extremes(values, i32::cmp, |value| {
                    KeyValue::Number(value.to_string())
                })
            }
            LogicalType::Int64 => {
                let values = array.as_primitive::<Int64Type>().iter().flatten();
                extremes(values, i64::cmp, |value| {
                    KeyValue::Number(value.to_string())
                })
            }
            LogicalType::Float64 => {
                let values = array.as_primitive::<Float64Type>().iter().flatten();
                extremes(values, f64::total_cmp, |value| {
                    KeyValue::Number(value.to_string())
                })
            }
            LogicalType::DecimalText => {
                let values = array.as_string::<i32>().iter().flatten();
                extremes(
                    values,
                    |one, other| compare_decimals(one, other),
                    |value| KeyValue::Number(value.to_owned()),
                )
            }
            LogicalType::Text => {
                let values = array.as_string::<i32>().iter().flatten();
                extremes(values, Ord::cmp, |value| KeyValue::Text(value.to_owned()))
            }
            LogicalType::Timestamp => {
                let values = array.as_primitive::<TimestampMicrosecondType>();
                extremes(values.iter().flatten(), i64::cmp, KeyValue::Instant)
            }
            // JSON and truth values have no order; records have no columns of other types.
            _ => None,
        }
    }

    fn is_short(&self) -> bool {
        self.min.is_short() && self.max.is_short()
    }

    fn widen(&mut self, more: Self) {
        if more.min.compare(&self.min).is_lt() {
            self.min = more.min;
        }
        if more.max.compare(&self.max).is_gt() {
            self.max = more.max;
        }
    }
}

/// The least and the greatest of some values, by `compare`.
fn extremes<T: Copy>(
    mut values: impl Iterator<Item = T>,
    compare: impl Fn(&T, &T) -> Ordering,
    kept: impl Fn(T) -> KeyValue,
) -> Option<Bounds> {
    let first = values.next()?;
    let (min, max) = values.fold((first, first), |(min, max), value| {
        match (compare(&value, &min), compare(&value, &max)) {
            (Ordering::Less, _) => (value, max),
            (_, Ordering::Greater) => (min, value),
            _ => (min, max),
        }
    });
    Some(Bounds {
        min: kept(min),
        max: kept(max),
    })
}

impl KeyValue {
    fn is_short(&self) -> bool {
        match self {
            KeyValue::Text(text) => text.len() <= MOST_TEXT_BYTES,
            KeyValue::Number(_) | KeyValue::Instant(_) => true,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (KeyValue::Number(one), KeyValue::Number(other)) => compare_decimals(one, other),
            (KeyValue::Instant(one), KeyValue::Instant(other)) => one.cmp(other),
            (KeyValue::Text(one), KeyValue::Text(other)) => one.cmp(other),
            _ => self.class().cmp(&other.class()),
        }
    }

    fn class(&self) -> u8 {
        match self {
            KeyValue::Number(_) => 0,
            KeyValue::Instant(_) => 1,
            KeyValue::Text(_) => 2,
        }
    }

    fn into_text(self) -> String {
        match self {
            KeyValue::Number(text) | KeyValue::Text(text) => text,
            KeyValue::Instant(micros) => Timestamp::from_micros(micros).to_micros_string(),
        }
    }
}

/// Compares decimals without exponents and superfluous zeros in front.
fn compare_decimals(one: &str, other: &str) -> Ordering {
    match (one.strip_prefix('-'), other.strip_prefix('-')) {
        (None, None) => magnitude(one).cmp(&magnitude(other)),
        (Some(one), Some(other)) => magnitude(other).cmp(&magnitude(one)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
    }
}

/// Digits in front of the point, and both their texts.
fn magnitude(digits: &str) -> (usize, &str, &str) {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    (whole.len(), whole, fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    };
    use selvedge_connector::{Field, Instants, Sequences, StreamSchema, SystemValues};

    use super::*;

    fn batch(columns: Vec<(&str, LogicalType, ArrayRef)>) -> ShapedBatch {
        let fields = columns
            .iter()
            .map(|(name, logical_type, _)| Field::new(*name, logical_type.clone()));
        let schema = StreamSchema::new(fields.collect());
        let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
        let records = RecordBatch::try_new(schema.arrow_schema(), arrays).unwrap();
        let system = SystemValues {
            extracted_at: Instants::Same(None),
            received_at: Instants::Same(None),
            batched_at: Timestamp::from_micros(1),
            sequences: Sequences::From(1),
            table_version: 0,
        };
        ShapedBatch::of_columns(schema, records, system)
    }

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    /// What is told of batches with one column `at` each.
    fn range_of(columns: Vec<(LogicalType, ArrayRef)>) -> Option<(String, String)> {
        let mut ranges = KeyRanges::default();
        let keys = ["at".to_owned()];
        for (logical_type, array) in columns {
            let batch = batch(vec![("at", logical_type, array)]);
            ranges.observe(&batch, ReplicationKeys::AnyOrder(&keys));
            // As it is kept between two commits.
            let kept = serde_json::to_string(&ranges).unwrap();
            ranges = serde_json::from_str(&kept).unwrap();
        }
        let told = ranges.into_told().pop()?;
        assert_eq!(told.key, "at");
        Some((told.min_value, told.max_value))
    }

    fn some(min: &str, max: &str) -> Option<(String, String)> {
        Some((min.to_owned(), max.to_owned()))
    }

    #[test]
    fn values_in_any_order_are_compared_by_what_they_mean() {
        let int = |values: &[Option<i32>]| {
            let array: ArrayRef = Arc::new(Int32Array::from(values.to_vec()));
            (LogicalType::Int32, array)
        };
        let range = range_of(vec![
            int(&[Some(9), None, Some(-10), Some(2)]),
            int(&[None]),
        ]);
        assert_eq!(range, some("-10", "9"));
        let long: ArrayRef = Arc::new(Int64Array::from(vec![10_000_000_000]));
        let range = range_of(vec![int(&[Some(9)]), (LogicalType::Int64, long)]);
        assert_eq!(range, some("9", "10000000000"));
        let double: ArrayRef = Arc::new(Float64Array::from(vec![0.5, -1e20, 1e-7]));
        let range = range_of(vec![(LogicalType::Float64, double), int(&[Some(0)])]);
        assert_eq!(range, some("-100000000000000000000", "0.5"));
        let decimals = texts(&[Some("10.5"), Some("9.75"), Some("-0.1"), Some("-0.25")]);
        let range = range_of(vec![(LogicalType::DecimalText, decimals)]);
        assert_eq!(range, some("-0.25", "10.5"));
        let instants: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![5, -1, 3]));
        let range = range_of(vec![(LogicalType::Timestamp, instants)]);
        let (min, max) = ("1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00.000005Z");
        assert_eq!(range, some(min, max));
        let days = texts(&[
            Some("2031-02-03"),
            None,
            Some("2030-12-31"),
            Some("2031-01-01"),
        ]);
        let range = range_of(vec![(LogicalType::Text, days)]);
        assert_eq!(range, some("2030-12-31", "2031-02-03"));
    }

    #[test]
    fn a_key_that_changes_its_type_has_one_range() {
        let instants: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![7, 8]));
        let range = range_of(vec![
            (LogicalType::Text, texts(&[Some("never")])),
            (LogicalType::Timestamp, instants),
            (LogicalType::Int32, numbers),
        ]);
        assert_eq!(range, some("7", "never"));
    }

    #[test]
    fn what_has_no_order_or_no_value_has_no_range() {
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![true]));
        assert_eq!(range_of(vec![(LogicalType::Boolean, flags)]), None);
        let json = (LogicalType::Json, texts(&[Some("[1]")]));
        assert_eq!(range_of(vec![json]), None);
        let nulls = (LogicalType::Text, texts(&[None, None]));
        assert_eq!(range_of(vec![nulls]), None);
    }

    #[test]
    fn a_text_too_long_to_be_kept_leaves_no_range() {
        let long = "x".repeat(MOST_TEXT_BYTES + 1);
        let short = || (LogicalType::Text, texts(&[Some("a")]));
        let both = vec![short(), (LogicalType::Text, texts(&[Some(&long)])), short()];
        assert_eq!(range_of(both), None);
        assert_eq!(range_of(vec![short()]), some("a", "a"));
    }

    #[test]
    fn several_keys_have_a_range_each_up_to_a_number() {
        let ids: ArrayRef = Arc::new(Int32Array::from(vec![2, 1]));
        let days = texts(&[Some("mon"), Some("tue")]);
        let both = batch(vec![
            ("id", LogicalType::Int32, ids),
            ("day", LogicalType::Text, days),
        ]);
        let mut ranges = KeyRanges::default();
        let names = ["day", "gone", "id"].map(str::to_owned);
        ranges.observe(&both, ReplicationKeys::AnyOrder(&names));
        let told = ranges.clone().into_told();
        let told: Vec<_> = told.iter().map(|range| range.key.as_str()).collect();
        assert_eq!(told, ["day", "id"]);
        for number in 0..2 * MOST_KEYS {
            let name = format!("k{number}");
            let one: ArrayRef = Arc::new(Int32Array::from(vec![1]));
            let batch = batch(vec![(&name, LogicalType::Int32, one)]);
            ranges.observe(&batch, ReplicationKeys::AnyOrder(&[name]));
        }
        assert_eq!(ranges.into_told().len(), MOST_KEYS);
    }

    #[test]
    fn rows_that_ascend_are_not_compared() {
        let mut ranges = KeyRanges::default();
        for values in [[Some("ä"), None], [Some("z"), Some("Z")]] {
            let batch = batch(vec![("name", LogicalType::Text, texts(&values))]);
            ranges.observe(&batch, ReplicationKeys::Ascending("name"));
        }
        let told = ranges.into_told().pop().unwrap();
        assert_eq!((&*told.min_value, &*told.max_value), ("ä", "Z"));
    }
}
