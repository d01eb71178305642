//! Columns under construction: they grow row by row, and the last rows can be taken back.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use selvedge_connector::{Field, LogicalType};

/// What a column holds. A place in the records has one column for each kind of value that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Integer,
    Double,
    Decimal,
    Text,
    Instant,
    Json,
}

impl Kind {
    pub(crate) const COUNT: usize = 7;

    fn logical_type(self) -> LogicalType {
        match self {
            Kind::Boolean => LogicalType::Boolean,
            // Until a value needs more.
            Kind::Integer => LogicalType::Int32,
            Kind::Double => LogicalType::Float64,
            Kind::Decimal => LogicalType::DecimalText,
            Kind::Text => LogicalType::Text,
            Kind::Instant => LogicalType::Timestamp,
            Kind::Json => LogicalType::Json,
        }
    }
}

/// One column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) field: Field,
    kind: Kind,
    /// One for each row, 0 for NULL.
    valid: Vec<u8>,
    values: Values,
}

/// A value for each row; that of a NULL means nothing.
#[derive(Debug)]
enum Values {
    Booleans(Vec<bool>),
    Longs(Vec<i64>),
    Doubles(Vec<f64>),
    Texts { bytes: Vec<u8>, ends: Vec<i32> },
}

impl Values {
    fn new(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Boolean => Values::Booleans(Vec::with_capacity(rows)),
            Kind::Integer | Kind::Instant => Values::Longs(Vec::with_capacity(rows)),
            Kind::Double => Values::Doubles(Vec::with_capacity(rows)),
            Kind::Decimal | Kind::Text | Kind::Json => Values::Texts {
                bytes: Vec::new(),
                ends: Vec::with_capacity(rows),
            },
        }
    }
}

impl Column {
    /// The values of one kind at a place of the records.
    pub(crate) fn new(place: &Field, kind: Kind) -> Self {
        Self {
            field: Field {
                logical_type: kind.logical_type(),
                ..place.clone()
            },
            kind,
            valid: Vec::new(),
            values: Values::new(kind, 0),
        }
    }

    /// Whether it has had no value since it was taken last.
    #[inline]
    pub(crate) fn is_unused(&self) -> bool {
        self.valid.is_empty()
    }

    /// Makes the column `rows` long, with NULLs at the end.
    #[inline]
    pub(crate) fn pad(&mut self, rows: usize) {
        if self.valid.len() < rows {
            self.pad_slowly(rows);
        }
    }

    #[cold]
    fn pad_slowly(&mut self, rows: usize) {
        self.valid.resize(rows, 0);
        match &mut self.values {
            Values::Booleans(values) => values.resize(rows, false),
            Values::Longs(values) => values.resize(rows, 0),
            Values::Doubles(values) => values.resize(rows, 0.0),
            Values::Texts { bytes, ends } => ends.resize(rows, bytes.len() as i32),
        }
    }

    #[inline]
    pub(crate) fn push_boolean(&mut self, value: bool) {
        if let Values::Booleans(values) = &mut self.values {
            values.push(value);
            self.valid.push(1);
        }
    }

    #[inline]
    pub(crate) fn push_long(&mut self, value: i64) {
        if let Values::Longs(values) = &mut self.values {
            values.push(value);
            self.valid.push(1);
        }
    }

    #[inline]
    pub(crate) fn push_double(&mut self, value: f64) {
        if let Values::Doubles(values) = &mut self.values {
            values.push(value);
            self.valid.push(1);
        }
    }

    /// A batch holds far less than the 2 GB that its offsets can count.
    #[inline]
    pub(crate) fn push_text(&mut self, text: &str) {
        if let Values::Texts { bytes, ends } = &mut self.values {
            bytes.extend_from_slice(text.as_bytes());
            ends.push(bytes.len() as i32);
            self.valid.push(1);
        }
    }

    /// Takes rows back until `rows` are left.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.valid.truncate(rows);
        match &mut self.values {
            Values::Booleans(values) => values.truncate(rows),
            Values::Longs(values) => values.truncate(rows),
            Values::Doubles(values) => values.truncate(rows),
            Values::Texts { bytes, ends } => {
                ends.truncate(rows);
                bytes.truncate(ends.last().map_or(0, |end| *end as usize));
            }
        }
    }

    /// Whether the column has to become one of 64 bits: an integer without a declared width is as wide as its values.
    pub(crate) fn widens(&mut self) -> bool {
        let Values::Longs(values) = &self.values else {
            return false;
        };
        let widens = self.field.logical_type == LogicalType::Int32
            && values.iter().any(|value| i32::try_from(*value).is_err());
        if widens {
            self.field.logical_type = LogicalType::Int64;
        }
        widens
    }

    /// The column with `rows` rows, after [`Column::widens`] was asked; an empty one is left.
    pub(crate) fn take(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        self.pad(rows);
        let valid = std::mem::replace(&mut self.valid, Vec::with_capacity(rows));
        let values = std::mem::replace(&mut self.values, Values::new(self.kind, rows));
        let nulls = valid
            .contains(&0)
            .then(|| NullBuffer::new(BooleanBuffer::collect_bool(rows, |row| valid[row] != 0)));
        Ok(match values {
            Values::Booleans(values) => Arc::new(BooleanArray::new(values.into(), nulls)),
            Values::Longs(values) if self.kind == Kind::Instant => {
                Arc::new(TimestampMicrosecondArray::new(values.into(), nulls))
            }
            Values::Longs(values) if self.field.logical_type == LogicalType::Int32 => {
                let values: Vec<i32> = values.into_iter().map(|value| value as i32).collect();
                Arc::new(Int32Array::new(values.into(), nulls))
            }
            Values::Longs(values) => Arc::new(Int64Array::new(values.into(), nulls)),
            Values::Doubles(values) => Arc::new(Float64Array::new(values.into(), nulls)),
            Values::Texts { bytes, ends } => {
                let mut offsets = Vec::with_capacity(rows + 1);
                offsets.push(0);
                offsets.extend(ends);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                Arc::new(StringArray::try_new(
                    offsets,
                    Buffer::from_vec(bytes),
                    nulls,
                )?)
            }
        })
    }
}
