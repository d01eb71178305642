//! The hot loop: fields of a binary COPY straight into Arrow columns.
//!
//! One [`ColumnDecoder`] per column, one `match` per field, nothing allocated per field. A value that has no place in the
//! column's type (NaN, an infinity, a date beyond the calendar) becomes NULL and is counted.

mod batch;
mod boolean;
mod bytes;
mod decimal;
mod primitive;
#[cfg(test)]
mod tests;

use arrow_array::ArrayRef;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type,
};
use arrow_schema::ArrowError;
use selvedge_connector::{ConnectorError, LogicalType};
use selvedge_postgres::copy::CopyError;

use crate::types::{Mapping, Wire};

pub(crate) use batch::BatchDecoder;
use boolean::Booleans;
use bytes::{Bytes, Uuids};
use decimal::{DecimalText, Decimals};
use primitive::{Primitives, Timestamps};

/// Why a field could not be decoded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error(transparent)]
    Malformed(#[from] CopyError),
    #[error("a value has more digits than its type allows")]
    Digits,
    #[error("a value is not in the form its type should have")]
    Form,
    #[error("a batch holds more than two gigabytes of one column")]
    Full,
}

/// What a NULL stands for that was not one in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    NotFinite,
    OutsideCalendar,
}

impl Loss {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Loss::NotFinite => "NaN and infinite values",
            Loss::OutsideCalendar => "infinite values and years outside 0001 to 9999",
        }
    }
}

/// One column of a batch in the making.
pub(crate) enum ColumnDecoder {
    Boolean(Booleans),
    Bit(Booleans),
    Int16(Primitives<Int16Type>),
    Int32(Primitives<Int32Type>),
    Int64(Primitives<Int64Type>),
    Float32(Primitives<Float32Type>),
    Float64(Primitives<Float64Type>),
    Decimal128(Decimals<Decimal128Type>),
    Decimal256(Decimals<Decimal256Type>),
    DecimalText(DecimalText),
    Date(Primitives<Date32Type>),
    /// A date as the instant of its midnight.
    Midnight(Timestamps),
    Timestamp(Timestamps),
    Uuid(Uuids),
    UuidText(Bytes),
    Text(Bytes),
    Json(Bytes),
    Bytes(Bytes),
}

impl ColumnDecoder {
    /// A decoder of fields of the mapping's wire form into its logical type.
    pub(crate) fn new(mapping: &Mapping) -> Result<Self, ConnectorError> {
        use LogicalType as L;
        Ok(match (mapping.wire, &mapping.logical_type) {
            (Wire::Bool, L::Boolean) => Self::Boolean(Booleans::default()),
            (Wire::Bit, L::Boolean) => Self::Bit(Booleans::default()),
            (Wire::Int2, L::Int16) => Self::Int16(Primitives::default()),
            (Wire::Int4, L::Int32) => Self::Int32(Primitives::default()),
            (Wire::Int8, L::Int64) => Self::Int64(Primitives::default()),
            (Wire::Float4, L::Float32) => Self::Float32(Primitives::default()),
            (Wire::Float8, L::Float64) => Self::Float64(Primitives::default()),
            (Wire::Numeric, L::Decimal { precision, scale }) => {
                let unsigned = u8::try_from(*scale)
                    .map_err(|_| ConnectorError::internal("a decimal has a negative scale"))?;
                if *precision <= 38 {
                    Self::Decimal128(Decimals::new(*precision, unsigned))
                } else {
                    Self::Decimal256(Decimals::new(*precision, unsigned))
                }
            }
            (Wire::Numeric, L::DecimalText) => Self::DecimalText(DecimalText::default()),
            (Wire::Date, L::Date) => Self::Date(Primitives::default()),
            (Wire::Date, L::Timestamp) => Self::Midnight(Timestamps::new(None)),
            (Wire::Timestamp, L::Timestamp) => Self::Timestamp(Timestamps::new(None)),
            (Wire::Timestamp, L::TimestampTz) => Self::Timestamp(Timestamps::new(Some("UTC"))),
            (Wire::Uuid, L::Uuid) => Self::Uuid(Uuids::default()),
            (Wire::Uuid, L::Text) => Self::UuidText(Bytes::default()),
            (
                Wire::Text | Wire::TextByCast | Wire::TextByToJson | Wire::TextByInetOutput,
                L::Text | L::Json | L::JsonArray { .. } | L::Array { .. },
            ) => Self::Text(Bytes::default()),
            (Wire::Jsonb, L::Json) => Self::Json(Bytes::default()),
            (Wire::Bytea, L::Bytes) => Self::Bytes(Bytes::default()),
            (wire, logical) => {
                return Err(ConnectorError::internal(format!(
                    "no decoder from {wire:?} to {logical:?}"
                )));
            }
        })
    }

    /// Takes the field of the next row.
    #[inline]
    pub(crate) fn push(&mut self, field: Option<&[u8]>) -> Result<(), DecodeError> {
        let Some(field) = field else {
            self.push_null();
            return Ok(());
        };
        match self {
            Self::Boolean(column) => column.push_bool(field),
            Self::Bit(column) => column.push_bit(field),
            Self::Int16(column) => column.push(field),
            Self::Int32(column) => column.push(field),
            Self::Int64(column) => column.push(field),
            Self::Float32(column) => column.push_finite(field),
            Self::Float64(column) => column.push_finite(field),
            Self::Decimal128(column) => column.push(field),
            Self::Decimal256(column) => column.push(field),
            Self::DecimalText(column) => column.push(field),
            Self::Date(column) => column.push_date(field),
            Self::Midnight(column) => column.push_date(field),
            Self::Timestamp(column) => column.push_timestamp(field),
            Self::Uuid(column) => column.push(field),
            Self::UuidText(column) => column.push_uuid_text(field),
            Self::Text(column) | Self::Bytes(column) => column.push(field),
            Self::Json(column) => column.push_jsonb(field),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Boolean(column) | Self::Bit(column) => column.push_null(),
            Self::Int16(column) => column.push_null(),
            Self::Int32(column) => column.push_null(),
            Self::Int64(column) => column.push_null(),
            Self::Float32(column) => column.push_null(),
            Self::Float64(column) => column.push_null(),
            Self::Decimal128(column) => column.push_null(),
            Self::Decimal256(column) => column.push_null(),
            Self::DecimalText(column) => column.push_null(),
            Self::Date(column) => column.push_null(),
            Self::Midnight(column) | Self::Timestamp(column) => column.push_null(),
            Self::Uuid(column) => column.push_null(),
            Self::UuidText(column)
            | Self::Text(column)
            | Self::Json(column)
            | Self::Bytes(column) => column.push_null(),
        }
    }

    /// The column so far as an array; the decoder starts over.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Boolean(column) | Self::Bit(column) => Ok(column.finish()),
            Self::Int16(column) => Ok(column.finish()),
            Self::Int32(column) => Ok(column.finish()),
            Self::Int64(column) => Ok(column.finish()),
            Self::Float32(column) => Ok(column.finish()),
            Self::Float64(column) => Ok(column.finish()),
            Self::Decimal128(column) => column.finish(),
            Self::Decimal256(column) => column.finish(),
            Self::DecimalText(column) => column.finish(),
            Self::Date(column) => Ok(column.finish()),
            Self::Midnight(column) | Self::Timestamp(column) => Ok(column.finish()),
            Self::Uuid(column) => column.finish(),
            Self::UuidText(column) | Self::Text(column) | Self::Json(column) => {
                column.finish_text()
            }
            Self::Bytes(column) => column.finish_binary(),
        }
    }

    /// How many values of this run have become NULL, and what they were.
    pub(crate) fn lost(&self) -> Option<(u64, Loss)> {
        let (count, loss) = match self {
            Self::Float32(column) => (column.lost(), Loss::NotFinite),
            Self::Float64(column) => (column.lost(), Loss::NotFinite),
            Self::Decimal128(column) => (column.lost(), Loss::NotFinite),
            Self::Decimal256(column) => (column.lost(), Loss::NotFinite),
            Self::DecimalText(column) => (column.lost(), Loss::NotFinite),
            Self::Date(column) => (column.lost(), Loss::OutsideCalendar),
            Self::Midnight(column) | Self::Timestamp(column) => {
                (column.lost(), Loss::OutsideCalendar)
            }
            _ => return None,
        };
        (count > 0).then_some((count, loss))
    }
}
