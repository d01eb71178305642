//! Values as text: one column of a batch, looked at once and read row by row.

use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use selvedge_connector::LogicalType;
use selvedge_types::Timestamp;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A column's values under their type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal128(&'a Decimal128Array),
    Decimal256(&'a Decimal256Array),
    /// Text that is a number.
    DecimalText(&'a StringArray),
    Text(&'a StringArray),
    /// Text that is JSON.
    Json(&'a StringArray),
    Timestamp(&'a TimestampMicrosecondArray),
    Date(&'a Date32Array),
    Uuid(&'a FixedSizeBinaryArray),
    Bytes(&'a BinaryArray),
}

impl<'a> Cells<'a> {
    /// `array` holds values of `logical_type`, as the contract fixes it.
    pub(crate) fn new(logical_type: &LogicalType, array: &'a dyn Array) -> Self {
        match logical_type {
            LogicalType::Boolean => Self::Boolean(array.as_boolean()),
            LogicalType::Int16 => Self::Int16(array.as_primitive::<Int16Type>()),
            LogicalType::Int32 => Self::Int32(array.as_primitive::<Int32Type>()),
            LogicalType::Int64 => Self::Int64(array.as_primitive::<Int64Type>()),
            LogicalType::Float32 => Self::Float32(array.as_primitive::<Float32Type>()),
            LogicalType::Float64 => Self::Float64(array.as_primitive::<Float64Type>()),
            LogicalType::Decimal { precision, .. } if *precision <= 38 => {
                Self::Decimal128(array.as_primitive::<Decimal128Type>())
            }
            LogicalType::Decimal { .. } => Self::Decimal256(array.as_primitive::<Decimal256Type>()),
            LogicalType::DecimalText => Self::DecimalText(array.as_string::<i32>()),
            LogicalType::Text | LogicalType::Array { .. } => Self::Text(array.as_string::<i32>()),
            LogicalType::Json | LogicalType::JsonArray { .. } => {
                Self::Json(array.as_string::<i32>())
            }
            LogicalType::Timestamp | LogicalType::TimestampTz => {
                Self::Timestamp(array.as_primitive::<TimestampMicrosecondType>())
            }
            LogicalType::Date => Self::Date(array.as_primitive::<Date32Type>()),
            LogicalType::Uuid => Self::Uuid(array.as_fixed_size_binary()),
            LogicalType::Bytes => Self::Bytes(array.as_binary::<i32>()),
        }
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Boolean(array) => array.is_null(row),
            Self::Int16(array) => array.is_null(row),
            Self::Int32(array) => array.is_null(row),
            Self::Int64(array) => array.is_null(row),
            Self::Float32(array) => array.is_null(row),
            Self::Float64(array) => array.is_null(row),
            Self::Decimal128(array) => array.is_null(row),
            Self::Decimal256(array) => array.is_null(row),
            Self::DecimalText(array) | Self::Text(array) | Self::Json(array) => array.is_null(row),
            Self::Timestamp(array) => array.is_null(row),
            Self::Date(array) => array.is_null(row),
            Self::Uuid(array) => array.is_null(row),
            Self::Bytes(array) => array.is_null(row),
        }
    }

    /// Whether a value is a string in JSON, and so needs quotes there.
    fn is_string(&self) -> bool {
        matches!(
            self,
            Self::Text(_) | Self::Timestamp(_) | Self::Date(_) | Self::Uuid(_) | Self::Bytes(_)
        )
    }

    /// Appends the value of `row`, which is not NULL, as plain text: numbers with all their digits, instants as ISO 8601 in
    /// UTC, bytes in hexadecimal, JSON on one line.
    pub(crate) fn push_text(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Boolean(array) => out.extend_from_slice(match array.value(row) {
                true => b"true",
                false => b"false",
            }),
            Self::Int16(array) => push(out, array.value(row)),
            Self::Int32(array) => push(out, array.value(row)),
            Self::Int64(array) => push(out, array.value(row)),
            Self::Float32(array) => push_json(out, &array.value(row)),
            Self::Float64(array) => push_json(out, &array.value(row)),
            Self::Decimal128(array) => push_decimal(out, array.value(row), array.scale()),
            Self::Decimal256(array) => push(out, array.value_as_string(row)),
            Self::DecimalText(array) | Self::Text(array) => {
                out.extend_from_slice(array.value(row).as_bytes());
            }
            Self::Json(array) => push_compact(out, array.value(row)),
            Self::Timestamp(array) => push_instant(out, array.value(row)),
            Self::Date(array) => push_date(out, array.value(row)),
            Self::Uuid(array) => push_uuid(out, array.value(row)),
            Self::Bytes(array) => push_hexadecimal(out, array.value(row)),
        }
    }

    /// Appends the value of `row`, which is not NULL, as a JSON value.
    pub(crate) fn push_json(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Text(array) => push_json(out, array.value(row)),
            // None of the others has a character that JSON would escape.
            _ if self.is_string() => {
                out.push(b'"');
                self.push_text(row, out);
                out.push(b'"');
            }
            _ => self.push_text(row, out),
        }
    }
}

/// Writing to a vector cannot fail.
fn push(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    let _ = write!(out, "{value}");
}

/// Appends a value as JSON: text in quotes, a float in the shortest form that reads back as the same number.
pub(crate) fn push_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    // Writing a scalar to a vector cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// Appends an instant, given in microseconds since 1970.
pub(crate) fn push_instant(out: &mut Vec<u8>, micros: i64) {
    out.extend_from_slice(Timestamp::from_micros(micros).to_micros_string().as_bytes());
}

fn push_date(out: &mut Vec<u8>, days: i32) {
    let midnight = Timestamp::from_micros(i64::from(days).saturating_mul(MICROS_PER_DAY));
    let text = midnight.to_micros_string();
    let date = text.split('T').next().unwrap_or_default();
    out.extend_from_slice(date.as_bytes());
}

/// The unscaled digits with a point put in.
fn push_decimal(out: &mut Vec<u8>, unscaled: i128, scale: i8) {
    if unscaled < 0 {
        out.push(b'-');
    }
    let start = out.len();
    push(out, unscaled.unsigned_abs());
    let digits = out.len() - start;
    match usize::try_from(scale) {
        Ok(0) => {}
        Ok(scale) => {
            let missing = (scale + 1).saturating_sub(digits);
            out.splice(start..start, std::iter::repeat_n(b'0', missing));
            out.insert(out.len() - scale, b'.');
        }
        Err(_) if unscaled == 0 => {}
        Err(_) => out.extend(std::iter::repeat_n(b'0', usize::from(scale.unsigned_abs()))),
    }
}

fn push_uuid(out: &mut Vec<u8>, bytes: &[u8]) {
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        push_hexadecimal(out, std::slice::from_ref(byte));
    }
}

fn push_hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 0xf)]);
    }
}

/// Appends JSON without the white space between its tokens; numbers and strings stay as they are written.
pub(crate) fn push_compact(out: &mut Vec<u8>, json: &str) {
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(unscaled: i128, scale: i8) -> String {
        let mut out = b"x".to_vec();
        push_decimal(&mut out, unscaled, scale);
        String::from_utf8(out.split_off(1)).unwrap()
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (unscaled, scale, expected) in [
            (0, 0, "0"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (125_000, 4, "12.5000"),
            (-99, 2, "-0.99"),
            (7, -3, "7000"),
            (0, -3, "0"),
            (i128::MIN, 0, "-170141183460469231731687303715884105728"),
            (
                10_i128.pow(37),
                38,
                "0.10000000000000000000000000000000000000",
            ),
        ] {
            assert_eq!(decimal(unscaled, scale), expected);
        }
    }

    #[test]
    fn compact_json_loses_white_space_and_nothing_else() {
        for (json, expected) in [
            ("{\"a\" : [1.50,\n 1e3 ]}", "{\"a\":[1.50,1e3]}"),
            (
                r#"{"a b": "x  \" y \\" , "c":"\\" }"#,
                r#"{"a b":"x  \" y \\","c":"\\"}"#,
            ),
            ("  null ", "null"),
        ] {
            let mut out = Vec::new();
            push_compact(&mut out, json);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
