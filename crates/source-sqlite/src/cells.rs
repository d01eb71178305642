//! What a stored value becomes in a column.
//!
//! SQLite checks no types, so every cell is looked at: it either is what its column is declared to be, or it goes where
//! values of its own kind go, or (nothing holds it) it becomes NULL and is counted.

use std::borrow::Cow;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use rusqlite::types::ValueRef;
use selvedge_connector::{LogicalType, TypeFidelity};
use serde_json::value::RawValue;
use std::sync::Arc;

use crate::decimal;
use crate::timestamp::{self, Instant, MICROS_PER_DAY};

/// Integers up to here are doubles without loss.
const EXACT_IN_DOUBLE: u64 = 1 << 53;

/// Why a value became NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// An infinity.
    NotFinite,
    /// A time outside the years 0001 to 9999.
    OutOfRange,
    /// Bytes, or text that is not valid UTF-8, where only the native type fidelity carries bytes.
    Bytes,
}

impl Lost {
    pub(crate) const ALL: [Lost; 3] = [Lost::NotFinite, Lost::OutOfRange, Lost::Bytes];

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Lost::NotFinite => "infinite",
            Lost::OutOfRange => "outside the years 0001 to 9999",
            Lost::Bytes => "binary data, which is not supported",
        }
    }
}

/// Where a cell belongs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// In the column it is in; the builder has it.
    Here,
    /// In a column of this type; the builder has nothing.
    Elsewhere(LogicalType),
    /// Nowhere; the builder has nothing.
    Nowhere(Lost),
}

/// The values of one column on their way into a batch.
pub(crate) enum Values {
    Boolean(BooleanBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Decimal {
        builder: StringBuilder,
        scale: Option<u32>,
        digits: String,
        literal: String,
    },
    Text(StringBuilder),
    Json {
        builder: StringBuilder,
        number: String,
    },
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Bytes(BinaryBuilder),
}

impl Values {
    /// `None` for types that a SQLite file never has.
    pub(crate) fn new(logical_type: &LogicalType, scale: Option<u32>) -> Option<Self> {
        Some(match logical_type {
            LogicalType::Boolean => Values::Boolean(BooleanBuilder::new()),
            LogicalType::Int64 => Values::Int64(Int64Builder::new()),
            LogicalType::Float64 => Values::Float64(Float64Builder::new()),
            LogicalType::DecimalText => Values::Decimal {
                builder: StringBuilder::new(),
                scale,
                digits: String::new(),
                literal: String::new(),
            },
            LogicalType::Text => Values::Text(StringBuilder::new()),
            LogicalType::Json => Values::Json {
                builder: StringBuilder::new(),
                number: String::new(),
            },
            LogicalType::Timestamp => Values::Timestamp(TimestampMicrosecondBuilder::new()),
            LogicalType::TimestampTz => {
                Values::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
            LogicalType::Date => Values::Date(Date32Builder::new()),
            LogicalType::Bytes => Values::Bytes(BinaryBuilder::new()),
            _ => return None,
        })
    }

    /// Takes the cell if it is of this column's type.
    pub(crate) fn place(&mut self, cell: ValueRef<'_>, fidelity: TypeFidelity) -> Placed {
        match cell {
            ValueRef::Null => {
                self.append_nulls(1);
                Placed::Here
            }
            ValueRef::Integer(value) => self.place_integer(value),
            ValueRef::Real(value) if !value.is_finite() => Placed::Nowhere(Lost::NotFinite),
            ValueRef::Real(value) => self.place_real(value),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => self.place_text(text),
                Err(_) => self.place_bytes(bytes, fidelity),
            },
            ValueRef::Blob(bytes) => self.place_bytes(bytes, fidelity),
        }
    }

    fn place_integer(&mut self, value: i64) -> Placed {
        match self {
            Values::Int64(builder) => builder.append_value(value),
            Values::Boolean(builder) if matches!(value, 0 | 1) => builder.append_value(value == 1),
            Values::Float64(builder) if value.unsigned_abs() <= EXACT_IN_DOUBLE => {
                builder.append_value(value as f64);
            }
            Values::Decimal {
                builder,
                scale,
                digits,
                ..
            } => {
                digits.clear();
                decimal::append_integer(value, *scale, digits);
                builder.append_value(digits);
            }
            Values::Json { builder, number } => {
                number.clear();
                decimal::append_integer(value, None, number);
                builder.append_value(number);
            }
            _ => return Placed::Elsewhere(LogicalType::Int64),
        }
        Placed::Here
    }

    fn place_real(&mut self, value: f64) -> Placed {
        match self {
            Values::Float64(builder) => builder.append_value(value),
            Values::Decimal {
                builder,
                scale,
                digits,
                literal,
            } => {
                digits.clear();
                decimal::append_double(value, *scale, literal, digits);
                builder.append_value(digits);
            }
            _ => return Placed::Elsewhere(LogicalType::Float64),
        }
        Placed::Here
    }

    fn place_text(&mut self, text: &str) -> Placed {
        let off_type = Placed::Elsewhere(LogicalType::Text);
        match self {
            Values::Text(builder) => builder.append_value(text),
            Values::Timestamp(builder) => match timestamp::parse(text.as_bytes()) {
                Instant::At(micros) => builder.append_value(micros),
                Instant::OutOfRange => return Placed::Nowhere(Lost::OutOfRange),
                Instant::NotATime => return off_type,
            },
            Values::Date(builder) => match timestamp::parse(text.as_bytes()) {
                Instant::At(micros) if micros.rem_euclid(MICROS_PER_DAY) == 0 => {
                    // Years 0001 to 9999 are less than four million days.
                    builder.append_value(micros.div_euclid(MICROS_PER_DAY) as i32);
                }
                Instant::At(_) => return Placed::Elsewhere(LogicalType::Timestamp),
                Instant::OutOfRange => return Placed::Nowhere(Lost::OutOfRange),
                Instant::NotATime => return off_type,
            },
            Values::Decimal {
                builder,
                scale,
                digits,
                ..
            } => {
                digits.clear();
                if !decimal::append_canonical(text, *scale, digits) {
                    return off_type;
                }
                builder.append_value(digits);
            }
            Values::Json { builder, .. } if serde_json::from_str::<&RawValue>(text).is_ok() => {
                builder.append_value(text);
            }
            _ => return off_type,
        }
        Placed::Here
    }

    fn place_bytes(&mut self, bytes: &[u8], fidelity: TypeFidelity) -> Placed {
        match self {
            Values::Bytes(builder) => {
                builder.append_value(bytes);
                Placed::Here
            }
            _ if fidelity == TypeFidelity::Native => Placed::Elsewhere(LogicalType::Bytes),
            _ => Placed::Nowhere(Lost::Bytes),
        }
    }

    fn builder(&mut self) -> &mut dyn ArrayBuilder {
        match self {
            Values::Boolean(builder) => builder,
            Values::Int64(builder) => builder,
            Values::Float64(builder) => builder,
            Values::Decimal { builder, .. } | Values::Json { builder, .. } => builder,
            Values::Text(builder) => builder,
            Values::Timestamp(builder) => builder,
            Values::Date(builder) => builder,
            Values::Bytes(builder) => builder,
        }
    }

    /// Cells appended since the last [`Values::finish`].
    pub(crate) fn len(&mut self) -> usize {
        self.builder().len()
    }

    pub(crate) fn append_nulls(&mut self, count: usize) {
        match self {
            Values::Boolean(builder) => builder.append_nulls(count),
            Values::Int64(builder) => builder.append_nulls(count),
            Values::Float64(builder) => builder.append_nulls(count),
            Values::Decimal { builder, .. } | Values::Json { builder, .. } => {
                builder.append_nulls(count);
            }
            Values::Text(builder) => builder.append_nulls(count),
            Values::Timestamp(builder) => builder.append_nulls(count),
            Values::Date(builder) => builder.append_nulls(count),
            Values::Bytes(builder) => builder.append_nulls(count),
        }
    }

    /// The column so far; the builder is empty afterwards.
    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(self.builder().finish())
    }
}

/// About how many bytes of a batch a cell takes.
pub(crate) fn size_of(cell: ValueRef<'_>) -> usize {
    match cell {
        ValueRef::Null => 1,
        ValueRef::Integer(_) | ValueRef::Real(_) => 8,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() + 4,
    }
}

/// Text of a cell for messages about types: its storage class.
pub(crate) fn storage_class(logical_type: &LogicalType) -> Cow<'static, str> {
    match logical_type {
        LogicalType::Int64 => "integer".into(),
        LogicalType::Float64 => "real".into(),
        LogicalType::Text => "text".into(),
        LogicalType::Bytes => "blob".into(),
        other => format!("{other:?}").to_lowercase().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(logical_type: LogicalType, cell: ValueRef<'_>) -> Placed {
        Values::new(&logical_type, None)
            .unwrap()
            .place(cell, TypeFidelity::Stitch)
    }

    #[test]
    fn a_cell_off_its_columns_type_goes_where_its_kind_goes() {
        use LogicalType::*;
        for (column, cell, expected) in [
            (Int64, ValueRef::Integer(1), Placed::Here),
            (Int64, ValueRef::Real(1.5), Placed::Elsewhere(Float64)),
            (Int64, ValueRef::Text(b"x"), Placed::Elsewhere(Text)),
            (Boolean, ValueRef::Integer(1), Placed::Here),
            (Boolean, ValueRef::Integer(2), Placed::Elsewhere(Int64)),
            (Boolean, ValueRef::Text(b"true"), Placed::Elsewhere(Text)),
            (Float64, ValueRef::Integer(7), Placed::Here),
            (
                Float64,
                ValueRef::Integer((1 << 53) + 1),
                Placed::Elsewhere(Int64),
            ),
            (DecimalText, ValueRef::Text(b"n/a"), Placed::Elsewhere(Text)),
            (
                Timestamp,
                ValueRef::Integer(1_700_000_000),
                Placed::Elsewhere(Int64),
            ),
            (Timestamp, ValueRef::Text(b"soon"), Placed::Elsewhere(Text)),
            (Date, ValueRef::Text(b"2031-02-03"), Placed::Here),
            (
                Date,
                ValueRef::Text(b"2031-02-03 01:00"),
                Placed::Elsewhere(Timestamp),
            ),
            (Text, ValueRef::Integer(1), Placed::Elsewhere(Int64)),
            (Text, ValueRef::Null, Placed::Here),
            (Json, ValueRef::Text(b"{\"a\":1}"), Placed::Here),
            (Json, ValueRef::Text(b"{a:1}"), Placed::Elsewhere(Text)),
        ] {
            let what = format!("{column:?} {cell:?}");
            assert_eq!(place(column, cell), expected, "{what}");
        }
    }

    #[test]
    fn what_nothing_holds_is_counted() {
        for (column, cell, lost) in [
            (
                LogicalType::Float64,
                ValueRef::Real(f64::INFINITY),
                Lost::NotFinite,
            ),
            (
                LogicalType::DecimalText,
                ValueRef::Real(f64::NEG_INFINITY),
                Lost::NotFinite,
            ),
            (
                LogicalType::Timestamp,
                ValueRef::Text(b"0000-01-01"),
                Lost::OutOfRange,
            ),
            (LogicalType::Text, ValueRef::Blob(b"\x00"), Lost::Bytes),
            (LogicalType::Text, ValueRef::Text(b"\xff"), Lost::Bytes),
        ] {
            assert_eq!(place(column, cell), Placed::Nowhere(lost));
        }
        let mut text = Values::new(&LogicalType::Text, None).unwrap();
        assert_eq!(
            text.place(ValueRef::Blob(b"\x00"), TypeFidelity::Native),
            Placed::Elsewhere(LogicalType::Bytes)
        );
    }
}
