//! What a destination column holds.

use selvedge_connector::{LogicalType, TypeClass};

/// The type of a destination column, before the destination's own name for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    Boolean,
    /// 32 bits.
    Integer,
    /// 64 bits.
    BigInt,
    Double,
    /// Exact and unbounded.
    Decimal,
    Text,
    /// UTC, without a zone.
    Timestamp,
    Date,
    TimestampTz,
    Uuid,
    Bytes,
    Json,
    Array(Box<ColumnType>),
}

impl ColumnType {
    /// The class that the split rules know.
    pub fn class(&self) -> TypeClass {
        match self {
            ColumnType::Boolean => TypeClass::Boolean,
            ColumnType::Integer | ColumnType::BigInt => TypeClass::Integer,
            ColumnType::Double => TypeClass::Float,
            ColumnType::Decimal => TypeClass::Decimal,
            ColumnType::Text => TypeClass::Text,
            ColumnType::Timestamp => TypeClass::Timestamp,
            ColumnType::Date => TypeClass::Date,
            ColumnType::TimestampTz => TypeClass::TimestampTz,
            ColumnType::Uuid => TypeClass::Uuid,
            ColumnType::Bytes => TypeClass::Bytes,
            ColumnType::Json => TypeClass::Json,
            ColumnType::Array(_) => TypeClass::Array,
        }
    }

    /// Whether values of `self` may enter a column of type `column`, if need be after widening it to [`ColumnType::BigInt`].
    /// Arrays also have to agree on their items.
    pub fn fits(&self, column: &ColumnType) -> bool {
        self == column || (self.class() == column.class() && !matches!(self, ColumnType::Array(_)))
    }
}

impl From<&LogicalType> for ColumnType {
    fn from(logical_type: &LogicalType) -> Self {
        match logical_type {
            LogicalType::Boolean => ColumnType::Boolean,
            LogicalType::Int16 | LogicalType::Int32 => ColumnType::Integer,
            LogicalType::Int64 => ColumnType::BigInt,
            LogicalType::Float32 | LogicalType::Float64 => ColumnType::Double,
            LogicalType::Decimal { .. } | LogicalType::DecimalText => ColumnType::Decimal,
            LogicalType::Text => ColumnType::Text,
            LogicalType::Timestamp => ColumnType::Timestamp,
            LogicalType::Date => ColumnType::Date,
            LogicalType::TimestampTz => ColumnType::TimestampTz,
            LogicalType::Uuid => ColumnType::Uuid,
            LogicalType::Bytes => ColumnType::Bytes,
            LogicalType::Json | LogicalType::JsonArray { .. } => ColumnType::Json,
            LogicalType::Array { item } => {
                ColumnType::Array(Box::new(ColumnType::from(item.as_ref())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_integers_mix() {
        assert!(ColumnType::BigInt.fits(&ColumnType::Integer));
        assert!(ColumnType::Integer.fits(&ColumnType::BigInt));
        assert!(!ColumnType::Integer.fits(&ColumnType::Double));
        assert!(!ColumnType::Integer.fits(&ColumnType::Decimal));
        assert!(!ColumnType::Timestamp.fits(&ColumnType::TimestampTz));
        let array = |item| ColumnType::Array(Box::new(item));
        assert!(array(ColumnType::Text).fits(&array(ColumnType::Text)));
        assert!(!array(ColumnType::Text).fits(&array(ColumnType::Integer)));
    }
}
