//! Column types as they travel between source and destination.
//!
//! A [`LogicalType`] says what a value means; its Arrow type says how a batch holds it. Both are fixed here, so that a
//! source and a destination never have to agree on anything else.

use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};

/// What the values of a column are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LogicalType {
    /// Arrow `Boolean`.
    Boolean,
    /// Arrow `Int16`.
    Int16,
    /// Arrow `Int32`.
    Int32,
    /// Arrow `Int64`.
    Int64,
    /// Arrow `Float32`. NaN and infinities never travel: sources turn them into NULL and count them.
    Float32,
    /// Arrow `Float64`, as above.
    Float64,
    /// An exact decimal with `scale` digits behind the point and at most `precision` in all.
    /// Arrow `Decimal128` up to 38 digits, `Decimal256` up to 76, beyond that as [`LogicalType::DecimalText`].
    Decimal { precision: u8, scale: i8 },
    /// An exact decimal without usable bounds. Arrow `Utf8` in canonical form: optional `-`, digits, optional `.` and
    /// digits; no exponent, no leading zeros but one before the point, trailing zeros as the source declares them; `-0` is `0`.
    DecimalText,
    /// Arrow `Utf8`.
    Text,
    /// An instant, or a wall-clock time taken as UTC. Arrow `Timestamp(Microsecond, None)`, years 0001 to 9999.
    Timestamp,
    /// Calendar date, only with native fidelity. Arrow `Date32`.
    Date,
    /// Instant with a zone, only with native fidelity. Arrow `Timestamp(Microsecond, "UTC")`.
    TimestampTz,
    /// Arrow `FixedSizeBinary(16)`, only with native fidelity.
    Uuid,
    /// Arrow `Binary`, only with native fidelity.
    Bytes,
    /// Any JSON value as text. Arrow `Utf8`. Where the destination has [`crate::Nesting::Subtables`] the engine takes it
    /// apart, unless types are kept with native fidelity.
    Json,
    /// A JSON array as text whose items, at any depth, are `item` or NULL: numbers and texts in the canonical form of their
    /// type. Arrow `Utf8`. Taken apart like [`LogicalType::Json`].
    JsonArray { item: Box<LogicalType> },
    /// An array in the source's own text form (PostgreSQL: `{1,NULL,3}`) whose items are `item`; only with native
    /// fidelity. Arrow `Utf8`.
    Array { item: Box<LogicalType> },
}

/// The classes of the type-split rules: a value never enters a column of another class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeClass {
    Boolean,
    /// integer and bigint; the column widens inside the class.
    Integer,
    /// float and double.
    Float,
    /// exact decimals (`number`).
    Decimal,
    Text,
    /// `date` in the vocabulary of the type tables.
    Timestamp,
    Date,
    TimestampTz,
    Uuid,
    Bytes,
    Json,
    Array,
}

impl LogicalType {
    /// How a batch holds values of this type.
    pub fn arrow_type(&self) -> DataType {
        match self {
            LogicalType::Boolean => DataType::Boolean,
            LogicalType::Int16 => DataType::Int16,
            LogicalType::Int32 => DataType::Int32,
            LogicalType::Int64 => DataType::Int64,
            LogicalType::Float32 => DataType::Float32,
            LogicalType::Float64 => DataType::Float64,
            LogicalType::Decimal { precision, scale } if *precision <= 38 => {
                DataType::Decimal128(*precision, *scale)
            }
            LogicalType::Decimal { precision, scale } => DataType::Decimal256(*precision, *scale),
            LogicalType::DecimalText
            | LogicalType::Text
            | LogicalType::Json
            | LogicalType::JsonArray { .. }
            | LogicalType::Array { .. } => DataType::Utf8,
            LogicalType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            LogicalType::TimestampTz => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
            LogicalType::Date => DataType::Date32,
            LogicalType::Uuid => DataType::FixedSizeBinary(16),
            LogicalType::Bytes => DataType::Binary,
        }
    }

    /// The class that the split rules know.
    pub fn class(&self) -> TypeClass {
        match self {
            LogicalType::Boolean => TypeClass::Boolean,
            LogicalType::Int16 | LogicalType::Int32 | LogicalType::Int64 => TypeClass::Integer,
            LogicalType::Float32 | LogicalType::Float64 => TypeClass::Float,
            LogicalType::Decimal { .. } | LogicalType::DecimalText => TypeClass::Decimal,
            LogicalType::Text => TypeClass::Text,
            LogicalType::Timestamp => TypeClass::Timestamp,
            LogicalType::Date => TypeClass::Date,
            LogicalType::TimestampTz => TypeClass::TimestampTz,
            LogicalType::Uuid => TypeClass::Uuid,
            LogicalType::Bytes => TypeClass::Bytes,
            LogicalType::Json | LogicalType::JsonArray { .. } => TypeClass::Json,
            LogicalType::Array { .. } => TypeClass::Array,
        }
    }
}

/// One column of a batch, under its name in the source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Name of the top-level field.
    pub name: String,
    /// The way from there to a value inside an object, outermost property first; empty for a field of its own.
    pub inside: Vec<String>,
    pub logical_type: LogicalType,
}

impl Field {
    /// A top-level field.
    pub fn new(name: impl Into<String>, logical_type: LogicalType) -> Self {
        Self {
            name: name.into(),
            inside: Vec::new(),
            logical_type,
        }
    }

    /// Whether both hold values of the same place in a record.
    pub fn same_place(&self, other: &Self) -> bool {
        self.name == other.name && self.inside == other.inside
    }

    /// Whether this is the top-level field called `name`.
    pub fn is_top_level(&self, name: &str) -> bool {
        self.inside.is_empty() && self.name == name
    }

    /// The names on the way, joined by `__`.
    pub fn joined_name(&self) -> String {
        let mut joined = self.name.clone();
        for name in &self.inside {
            joined.push_str("__");
            joined.push_str(name);
        }
        joined
    }
}

/// The columns of a batch, in order.
///
/// A place may occur more than once with different types: a source without strict column types (SQLite, JSON) puts a value
/// that is off its column's type into a second field of the same place. Of the fields of one place at most one is set per
/// row; the destination sees a type split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamSchema {
    pub fields: Vec<Field>,
}

impl StreamSchema {
    pub fn new(fields: Vec<Field>) -> Arc<Self> {
        Arc::new(Self { fields })
    }

    /// Index of the first top-level field called `name`.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .position(|field| field.is_top_level(name))
    }

    /// The Arrow schema of a batch with these fields; every field is nullable.
    pub fn arrow_schema(&self) -> arrow_schema::SchemaRef {
        Arc::new(arrow_schema::Schema::new(
            self.fields
                .iter()
                .map(|field| {
                    let arrow_type = field.logical_type.arrow_type();
                    arrow_schema::Field::new(field.joined_name(), arrow_type, true)
                })
                .collect::<Vec<_>>(),
        ))
    }
}
