//! What becomes of a PostgreSQL type.
//!
//! | PostgreSQL | documented mapping | native fidelity |
//! |---|---|---|
//! | boolean, bit(1) | boolean | same |
//! | smallint, integer, bigint (and serials) | integer of that width | same |
//! | real, double precision | float of that width; NaN and infinities NULL | same |
//! | numeric(p,s) up to 76 digits | decimal; NaN NULL | same |
//! | numeric, and numeric(p,s) beyond | decimal text; NaN and infinities NULL | same |
//! | date | timestamp at midnight | date |
//! | timestamp | timestamp, taken as UTC | same |
//! | timestamptz | timestamp in UTC | timestamp with zone |
//! | text, varchar, char, name, citext, enums | text | same |
//! | inet, cidr, macaddr, money, time, timetz, interval, "char" | text as the server prints it | same |
//! | uuid | text | uuid |
//! | bytea | unsupported | bytes |
//! | json, jsonb, hstore | JSON | same |
//! | arrays of a supported type | JSON array of that type | array in the server's text form |
//! | domains | as their base type | same |
//! | anything else | unsupported | unsupported |
//!
//! Dates and instants outside the years 0001 to 9999, and infinite ones, are NULL in both.

use selvedge_connector::{LogicalType, TypeFidelity};

/// Object identifiers of the built-in types; they never change (`pg_type.dat` of the server).
pub(crate) mod oid {
    pub(crate) const BOOL: u32 = 16;
    pub(crate) const BYTEA: u32 = 17;
    pub(crate) const CHAR: u32 = 18;
    pub(crate) const NAME: u32 = 19;
    pub(crate) const INT8: u32 = 20;
    pub(crate) const INT2: u32 = 21;
    pub(crate) const INT4: u32 = 23;
    pub(crate) const TEXT: u32 = 25;
    pub(crate) const JSON: u32 = 114;
    pub(crate) const CIDR: u32 = 650;
    pub(crate) const FLOAT4: u32 = 700;
    pub(crate) const FLOAT8: u32 = 701;
    pub(crate) const MACADDR8: u32 = 774;
    pub(crate) const MONEY: u32 = 790;
    pub(crate) const MACADDR: u32 = 829;
    pub(crate) const INET: u32 = 869;
    pub(crate) const BPCHAR: u32 = 1042;
    pub(crate) const VARCHAR: u32 = 1043;
    pub(crate) const DATE: u32 = 1082;
    pub(crate) const TIME: u32 = 1083;
    pub(crate) const TIMESTAMP: u32 = 1114;
    pub(crate) const TIMESTAMPTZ: u32 = 1184;
    pub(crate) const INTERVAL: u32 = 1186;
    pub(crate) const TIMETZ: u32 = 1266;
    pub(crate) const BIT: u32 = 1560;
    pub(crate) const NUMERIC: u32 = 1700;
    pub(crate) const UUID: u32 = 2950;
    pub(crate) const JSONB: u32 = 3802;
}

/// A column's type with its domains resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerType {
    /// A type with a well-known identifier, and its modifier (-1 is none).
    Builtin {
        oid: u32,
        modifier: i32,
    },
    Enum,
    /// The `citext` extension's type.
    Citext,
    /// The `hstore` extension's type.
    Hstore,
    Array(Box<ServerType>),
    /// Composite, range, extension and other types.
    Other,
}

/// How a column comes over the wire and what its values are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) logical_type: LogicalType,
    pub(crate) wire: Wire,
}

/// The bytes of a field in a binary COPY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Bool,
    Bit,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    Numeric,
    Date,
    Timestamp,
    Uuid,
    Bytea,
    Jsonb,
    /// Text as it is.
    Text,
    /// Text because the query casts the column: the server knows best how it prints the type.
    TextByCast,
    /// JSON text by `to_json`.
    TextByToJson,
    /// Text by `inet`'s output function: its cast adds `/32` or `/128` to a plain address.
    TextByInetOutput,
}

impl ServerType {
    /// What `fidelity` makes of the type; `None` is unsupported.
    pub(crate) fn mapping(&self, fidelity: TypeFidelity) -> Option<Mapping> {
        use LogicalType as L;
        let native = fidelity == TypeFidelity::Native;
        let (logical_type, wire) = match self {
            ServerType::Builtin { oid, modifier } => match *oid {
                oid::BOOL => (L::Boolean, Wire::Bool),
                oid::BIT if *modifier == 1 => (L::Boolean, Wire::Bit),
                oid::INT2 => (L::Int16, Wire::Int2),
                oid::INT4 => (L::Int32, Wire::Int4),
                oid::INT8 => (L::Int64, Wire::Int8),
                oid::FLOAT4 => (L::Float32, Wire::Float4),
                oid::FLOAT8 => (L::Float64, Wire::Float8),
                oid::NUMERIC => (decimal(*modifier), Wire::Numeric),
                oid::DATE if native => (L::Date, Wire::Date),
                oid::DATE => (L::Timestamp, Wire::Date),
                oid::TIMESTAMPTZ if native => (L::TimestampTz, Wire::Timestamp),
                oid::TIMESTAMP | oid::TIMESTAMPTZ => (L::Timestamp, Wire::Timestamp),
                oid::UUID if native => (L::Uuid, Wire::Uuid),
                oid::UUID => (L::Text, Wire::Uuid),
                oid::BYTEA if native => (L::Bytes, Wire::Bytea),
                oid::JSON => (L::Json, Wire::Text),
                oid::JSONB => (L::Json, Wire::Jsonb),
                oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME => (L::Text, Wire::Text),
                oid::INET => (L::Text, Wire::TextByInetOutput),
                oid::CHAR
                | oid::CIDR
                | oid::MACADDR
                | oid::MACADDR8
                | oid::MONEY
                | oid::TIME
                | oid::TIMETZ
                | oid::INTERVAL => (L::Text, Wire::TextByCast),
                _ => return None,
            },
            ServerType::Enum => (L::Text, Wire::Text),
            ServerType::Citext => (L::Text, Wire::TextByCast),
            ServerType::Array(item) if native => {
                let item = Box::new(item.mapping(fidelity)?.logical_type);
                (L::Array { item }, Wire::TextByCast)
            }
            ServerType::Array(item) => {
                let item = Box::new(item.mapping(fidelity)?.logical_type);
                (L::JsonArray { item }, Wire::TextByToJson)
            }
            ServerType::Hstore => (L::Json, Wire::TextByToJson),
            ServerType::Other => return None,
        };
        Some(Mapping { logical_type, wire })
    }

    /// What the type can do as a replication key.
    pub(crate) fn key_kind(&self) -> Option<KeyKind> {
        match self {
            ServerType::Builtin { oid, .. } => match *oid {
                oid::INT2 => Some(KeyKind::Int2),
                oid::INT4 => Some(KeyKind::Int4),
                oid::INT8 => Some(KeyKind::Int8),
                oid::DATE => Some(KeyKind::Date),
                oid::TIMESTAMP => Some(KeyKind::Timestamp),
                oid::TIMESTAMPTZ => Some(KeyKind::Timestamptz),
                _ => None,
            },
            _ => None,
        }
    }
}

/// Types that rows can be ordered and resumed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Int2,
    Int4,
    Int8,
    Date,
    Timestamp,
    Timestamptz,
}

impl KeyKind {
    /// The type a position is cast to; safe from types of the same name in other schemas.
    pub(crate) fn sql(self) -> &'static str {
        match self {
            KeyKind::Int2 => "pg_catalog.int2",
            KeyKind::Int4 => "pg_catalog.int4",
            KeyKind::Int8 => "pg_catalog.int8",
            KeyKind::Date => "pg_catalog.date",
            KeyKind::Timestamp => "pg_catalog.timestamp",
            KeyKind::Timestamptz => "pg_catalog.timestamptz",
        }
    }
}

/// Declared precision and scale of a `numeric` modifier; `None` is unconstrained. Since version 15 the scale may be
/// negative or exceed the precision.
pub(crate) fn numeric_bounds(modifier: i32) -> Option<(i32, i32)> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    Some(((packed >> 16) & 0xffff, scale))
}

fn decimal(modifier: i32) -> LogicalType {
    let Some((precision, scale)) = numeric_bounds(modifier) else {
        return LogicalType::DecimalText;
    };
    // Digits before the point grow by a negative scale; a scale beyond the precision means leading zeros behind it.
    let digits = precision.max(scale).max(precision - scale);
    match (u8::try_from(digits), i8::try_from(scale.max(0))) {
        (Ok(precision @ ..=76), Ok(scale)) => LogicalType::Decimal { precision, scale },
        _ => LogicalType::DecimalText,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(precision: i32, scale: i32) -> LogicalType {
        decimal(((precision << 16) | (scale & 0x7ff)) + 4)
    }

    #[test]
    fn numerics_are_decimals_as_far_as_arrow_goes() {
        let decimal = |precision, scale| LogicalType::Decimal { precision, scale };
        assert_eq!(super::decimal(-1), LogicalType::DecimalText);
        assert_eq!(numeric(12, 2), decimal(12, 2));
        assert_eq!(numeric(38, 0), decimal(38, 0));
        assert_eq!(numeric(76, 30), decimal(76, 30));
        assert_eq!(numeric(77, 0), LogicalType::DecimalText);
        assert_eq!(numeric(3, 5), decimal(5, 5));
        assert_eq!(numeric(3, -2), decimal(5, 0));
        assert_eq!(numeric(1000, 1000), LogicalType::DecimalText);
    }

    #[test]
    fn fidelity_decides_about_types_that_only_some_databases_have() {
        let builtin = |oid| ServerType::Builtin { oid, modifier: -1 };
        for (server, stitch, native) in [
            (builtin(oid::BYTEA), None, Some(LogicalType::Bytes)),
            (
                builtin(oid::JSON),
                Some(LogicalType::Json),
                Some(LogicalType::Json),
            ),
            (
                builtin(oid::UUID),
                Some(LogicalType::Text),
                Some(LogicalType::Uuid),
            ),
            (
                builtin(oid::DATE),
                Some(LogicalType::Timestamp),
                Some(LogicalType::Date),
            ),
            (
                ServerType::Array(Box::new(builtin(oid::INT4))),
                Some(LogicalType::JsonArray {
                    item: Box::new(LogicalType::Int32),
                }),
                Some(LogicalType::Array {
                    item: Box::new(LogicalType::Int32),
                }),
            ),
            (ServerType::Array(Box::new(ServerType::Other)), None, None),
            (ServerType::Other, None, None),
        ] {
            let logical = |fidelity| server.mapping(fidelity).map(|mapping| mapping.logical_type);
            assert_eq!(logical(TypeFidelity::Stitch), stitch);
            assert_eq!(logical(TypeFidelity::Native), native);
        }
    }

    #[test]
    fn only_single_bits_are_boolean() {
        let bit = |modifier| ServerType::Builtin {
            oid: oid::BIT,
            modifier,
        };
        assert!(bit(1).mapping(TypeFidelity::Stitch).is_some());
        assert!(bit(2).mapping(TypeFidelity::Stitch).is_none());
        assert!(bit(-1).mapping(TypeFidelity::Native).is_none());
    }
}
