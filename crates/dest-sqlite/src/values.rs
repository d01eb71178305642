//! Cells of a batch as parameters of a statement, without an allocation per cell.

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
use rusqlite::Statement;
use rusqlite::types::Null;
use selvedge_connector::LogicalType;

use crate::render;

/// A column of a batch, read by its logical type.
pub(crate) enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal128(&'a Decimal128Array, i8),
    Decimal256(&'a Decimal256Array, i8),
    Text(&'a StringArray),
    Timestamp(&'a TimestampMicrosecondArray),
    Date(&'a Date32Array),
    Uuid(&'a FixedSizeBinaryArray),
    Bytes(&'a BinaryArray),
}

impl<'a> Cells<'a> {
    /// `None` when the array is not what the logical type says.
    pub(crate) fn new(logical_type: &LogicalType, array: &'a dyn Array) -> Option<Self> {
        Some(match logical_type {
            LogicalType::Boolean => Cells::Boolean(array.as_boolean_opt()?),
            LogicalType::Int16 => Cells::Int16(array.as_primitive_opt::<Int16Type>()?),
            LogicalType::Int32 => Cells::Int32(array.as_primitive_opt::<Int32Type>()?),
            LogicalType::Int64 => Cells::Int64(array.as_primitive_opt::<Int64Type>()?),
            LogicalType::Float32 => Cells::Float32(array.as_primitive_opt::<Float32Type>()?),
            LogicalType::Float64 => Cells::Float64(array.as_primitive_opt::<Float64Type>()?),
            LogicalType::Decimal { precision, scale } if *precision <= 38 => {
                Cells::Decimal128(array.as_primitive_opt::<Decimal128Type>()?, *scale)
            }
            LogicalType::Decimal { scale, .. } => {
                Cells::Decimal256(array.as_primitive_opt::<Decimal256Type>()?, *scale)
            }
            LogicalType::DecimalText
            | LogicalType::Text
            | LogicalType::Json
            | LogicalType::JsonArray { .. }
            | LogicalType::Array { .. } => Cells::Text(array.as_string_opt::<i32>()?),
            LogicalType::Timestamp | LogicalType::TimestampTz => {
                Cells::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?)
            }
            LogicalType::Date => Cells::Date(array.as_primitive_opt::<Date32Type>()?),
            LogicalType::Uuid => Cells::Uuid(array.as_fixed_size_binary_opt()?),
            LogicalType::Bytes => Cells::Bytes(array.as_binary_opt::<i32>()?),
        })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Cells::Boolean(array) => array.is_null(row),
            Cells::Int16(array) => array.is_null(row),
            Cells::Int32(array) => array.is_null(row),
            Cells::Int64(array) => array.is_null(row),
            Cells::Float32(array) => array.is_null(row),
            Cells::Float64(array) => array.is_null(row),
            Cells::Decimal128(array, _) => array.is_null(row),
            Cells::Decimal256(array, _) => array.is_null(row),
            Cells::Text(array) => array.is_null(row),
            Cells::Timestamp(array) => array.is_null(row),
            Cells::Date(array) => array.is_null(row),
            Cells::Uuid(array) => array.is_null(row),
            Cells::Bytes(array) => array.is_null(row),
        }
    }

    /// Binds row `row`, which is not NULL. `scratch` is for values that are kept as text.
    pub(crate) fn bind(
        &self,
        statement: &mut Statement<'_>,
        parameter: usize,
        row: usize,
        scratch: &mut String,
    ) -> rusqlite::Result<()> {
        scratch.clear();
        match self {
            Cells::Boolean(array) => {
                return statement.raw_bind_parameter(parameter, array.value(row));
            }
            Cells::Int16(array) => {
                return statement.raw_bind_parameter(parameter, array.value(row));
            }
            Cells::Int32(array) => {
                return statement.raw_bind_parameter(parameter, array.value(row));
            }
            Cells::Int64(array) => {
                return statement.raw_bind_parameter(parameter, array.value(row));
            }
            Cells::Float32(array) => {
                return statement.raw_bind_parameter(parameter, f64::from(array.value(row)));
            }
            Cells::Float64(array) => {
                return statement.raw_bind_parameter(parameter, array.value(row));
            }
            Cells::Text(array) => return statement.raw_bind_parameter(parameter, array.value(row)),
            Cells::Bytes(array) => {
                return statement.raw_bind_parameter(parameter, array.value(row));
            }
            Cells::Decimal128(array, scale) => render::decimal(array.value(row), *scale, scratch),
            Cells::Decimal256(array, scale) => {
                render::wide_decimal(array.value(row), *scale, scratch);
            }
            Cells::Timestamp(array) => render::timestamp(array.value(row), scratch),
            Cells::Date(array) => render::date(i64::from(array.value(row)), scratch),
            Cells::Uuid(array) => render::uuid(array.value(row), scratch),
        }
        statement.raw_bind_parameter(parameter, scratch.as_str())
    }

    /// Binds a decimal of a key in the one form that its number has.
    pub(crate) fn bind_key_decimal(
        &self,
        statement: &mut Statement<'_>,
        parameter: usize,
        row: usize,
        scratch: &mut String,
    ) -> rusqlite::Result<()> {
        scratch.clear();
        match self {
            Cells::Decimal128(array, scale) => render::decimal(array.value(row), *scale, scratch),
            Cells::Decimal256(array, scale) => {
                render::wide_decimal(array.value(row), *scale, scratch);
            }
            Cells::Text(array) => scratch.push_str(array.value(row)),
            _ => return self.bind(statement, parameter, row, scratch),
        }
        statement.raw_bind_parameter(parameter, render::without_trailing_zeros(scratch))
    }
}

/// Binds NULL.
pub(crate) fn bind_null(statement: &mut Statement<'_>, parameter: usize) -> rusqlite::Result<()> {
    statement.raw_bind_parameter(parameter, Null)
}
