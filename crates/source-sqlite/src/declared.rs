//! Declared column types, and what they are taken for.
//!
//! SQLite keeps the words after a column's name as they were written and enforces nothing (outside STRICT tables). The
//! first word decides, lengths and decorations do not; a word nobody knows is taken as SQLite's affinity rules take it
//! (<https://www.sqlite.org/datatype3.html#determination_of_column_affinity>), and as text where these say "numeric".
//!
//! | Declared | Documented mapping | Native fidelity |
//! | --- | --- | --- |
//! | `integer`, `int`, `bigint`, `year`, … | integer | the same |
//! | `boolean`, `bool`, `bit` | boolean | the same |
//! | `real`, `double`, `float` | double | the same |
//! | `decimal`, `numeric`, `number`, `money` | decimal | the same |
//! | `datetime`, `timestamp` | timestamp | the same |
//! | `timestamptz` | timestamp | instant with zone |
//! | `date` | timestamp | date |
//! | `json` | text | JSON |
//! | `blob`, `binary`, `bytea` | unsupported | bytes |
//! | `text`, `varchar`, `uuid`, `time`, none, … | text | the same |
//!
//! The types that the SQLite destination declares (`decimal_text`, `timestamp_text`, …) are read back as what they were.

use selvedge_connector::{LogicalType, TypeFidelity};
use serde_json::{Value, json};

/// What a column declared as `declared` holds; `None` where it is unsupported.
pub(crate) fn logical_type(declared: &str, fidelity: TypeFidelity) -> Option<LogicalType> {
    let native = fidelity == TypeFidelity::Native;
    let upper = declared.to_ascii_uppercase();
    let word = upper
        .split(|letter: char| letter == '(' || letter.is_whitespace())
        .find(|word| !word.is_empty())
        .unwrap_or_default();
    let logical = match word {
        "BOOL" | "BOOLEAN" | "BIT" => LogicalType::Boolean,
        "REAL" | "DOUBLE" | "FLOAT" | "FLOAT4" | "FLOAT8" | "FLOATING" => LogicalType::Float64,
        "DECIMAL" | "DEC" | "NUMERIC" | "NUMBER" | "MONEY" | "DECIMAL_TEXT" => {
            LogicalType::DecimalText
        }
        "DATE" | "DATE_TEXT" if native => LogicalType::Date,
        "TIMESTAMPTZ" | "TIMESTAMPTZ_TEXT" if native => LogicalType::TimestampTz,
        "DATE" | "DATE_TEXT" | "DATETIME" | "DATETIME2" | "SMALLDATETIME" | "TIMESTAMP"
        | "TIMESTAMP_TEXT" | "TIMESTAMPTZ" | "TIMESTAMPTZ_TEXT" => LogicalType::Timestamp,
        "JSON" | "JSON_TEXT" => LogicalType::Json,
        "YEAR" => LogicalType::Int64,
        _ if word.contains("INT") || upper.contains(" INT") => LogicalType::Int64,
        _ if ["CHAR", "CLOB", "TEXT"]
            .iter()
            .any(|part| upper.contains(part)) =>
        {
            LogicalType::Text
        }
        _ if ["BLOB", "BINARY", "BYTEA"]
            .iter()
            .any(|part| upper.contains(part)) =>
        {
            return native.then_some(LogicalType::Bytes);
        }
        _ if ["REAL", "FLOA", "DOUB"]
            .iter()
            .any(|part| upper.contains(part)) =>
        {
            LogicalType::Float64
        }
        _ => LogicalType::Text,
    };
    Some(logical)
}

/// Digits behind the point of a declared `decimal(p,s)`; `decimal(p)` has none, a bare `decimal` does not say.
pub(crate) fn declared_scale(declared: &str) -> Option<u32> {
    let inside = declared.split_once('(')?.1.split_once(')')?.0;
    let mut parts = inside.split(',').map(str::trim);
    let _precision: u32 = parts.next()?.parse().ok()?;
    match parts.next() {
        None => Some(0),
        Some(scale) => scale.parse().ok().filter(|scale| *scale <= 1_000),
    }
}

/// The JSON Schema of a field, as taps write it.
pub(crate) fn json_schema(logical: Option<&LogicalType>, scale: Option<u32>) -> Value {
    match logical {
        Some(LogicalType::Boolean) => json!({"type": ["null", "boolean"]}),
        Some(LogicalType::Int64) => {
            json!({"type": ["null", "integer"], "minimum": i64::MIN, "maximum": i64::MAX})
        }
        Some(LogicalType::Float64) => json!({"type": ["null", "number"]}),
        Some(LogicalType::DecimalText) => match scale {
            Some(scale @ 0..=300) => {
                json!({"type": ["null", "number"], "multipleOf": power_of_ten(scale)})
            }
            _ => json!({"type": ["null", "number"]}),
        },
        Some(LogicalType::Timestamp | LogicalType::TimestampTz | LogicalType::Date) => {
            json!({"type": ["null", "string"], "format": "date-time"})
        }
        Some(LogicalType::Json) => {
            json!({"type": ["null", "object", "array", "string", "number", "boolean"]})
        }
        Some(_) => json!({"type": ["null", "string"]}),
        None => json!({}),
    }
}

/// `10^-scale`, spelled the shortest way: `0.01`, not `0.010000000000000002`.
fn power_of_ten(scale: u32) -> Value {
    match scale {
        0 => json!(1),
        _ => format!("1e-{scale}")
            .parse::<f64>()
            .map_or(Value::Null, |value| json!(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stitch(declared: &str) -> Option<LogicalType> {
        logical_type(declared, TypeFidelity::Stitch)
    }

    #[test]
    fn declared_words_decide_the_type() {
        for (declared, expected) in [
            ("INTEGER", LogicalType::Int64),
            ("int(11) unsigned", LogicalType::Int64),
            ("UNSIGNED BIG INT", LogicalType::Int64),
            ("bool", LogicalType::Boolean),
            ("DOUBLE PRECISION", LogicalType::Float64),
            ("FLOATING POINT", LogicalType::Float64),
            ("decimal(12, 2)", LogicalType::DecimalText),
            ("NUMERIC", LogicalType::DecimalText),
            ("decimal_text", LogicalType::DecimalText),
            ("DATE", LogicalType::Timestamp),
            ("timestamp with time zone", LogicalType::Timestamp),
            ("timestamp_text", LogicalType::Timestamp),
            ("VARCHAR(255)", LogicalType::Text),
            ("uuid", LogicalType::Text),
            ("JSON", LogicalType::Json),
            ("", LogicalType::Text),
            ("something else", LogicalType::Text),
        ] {
            assert_eq!(stitch(declared), Some(expected), "{declared}");
        }
        assert_eq!(stitch("BLOB"), None);
        assert_eq!(stitch("varbinary(16)"), None);
    }

    #[test]
    fn native_fidelity_keeps_what_the_mapping_flattens() {
        for (declared, expected) in [
            ("BLOB", LogicalType::Bytes),
            ("DATE", LogicalType::Date),
            ("TIMESTAMPTZ", LogicalType::TimestampTz),
            ("json", LogicalType::Json),
            ("timestamp", LogicalType::Timestamp),
        ] {
            assert_eq!(
                logical_type(declared, TypeFidelity::Native),
                Some(expected),
                "{declared}"
            );
        }
    }

    #[test]
    fn scales_are_read_from_the_declaration() {
        for (declared, expected) in [
            ("decimal(12,2)", Some(2)),
            ("DECIMAL ( 12 , 4 )", Some(4)),
            ("numeric(5)", Some(0)),
            ("numeric", None),
            ("numeric(a,b)", None),
        ] {
            assert_eq!(declared_scale(declared), expected, "{declared}");
        }
        assert_eq!(
            json_schema(Some(&LogicalType::DecimalText), Some(2)).to_string(),
            r#"{"type":["null","number"],"multipleOf":0.01}"#
        );
    }
}
