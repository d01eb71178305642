//! JSON Schemas of fields, as taps write them: draft 4, NULL always allowed.

use selvedge_connector::{LogicalType, TypeFidelity};
use serde_json::{Map, Value, json};

use crate::types::{ServerType, numeric_bounds, oid};

/// Bounds that taps give an unconstrained `numeric`.
const MAX_PRECISION: i32 = 100;
const MAX_SCALE: i32 = 38;

/// The schema of a field of this type; `{}` for unsupported ones.
pub(crate) fn json_schema(server: &ServerType, fidelity: TypeFidelity) -> Value {
    let Some(mapping) = server.mapping(fidelity) else {
        return Value::Object(Map::new());
    };
    let kind = |name: &str| json!({"type": ["null", name]});
    match mapping.logical_type {
        LogicalType::Boolean => kind("boolean"),
        LogicalType::Int16 => integer(i16::MIN.into(), i16::MAX.into()),
        LogicalType::Int32 => integer(i32::MIN.into(), i32::MAX.into()),
        LogicalType::Int64 => integer(i64::MIN, i64::MAX),
        LogicalType::Float32 | LogicalType::Float64 => kind("number"),
        LogicalType::Decimal { .. } | LogicalType::DecimalText => decimal(server),
        LogicalType::Timestamp | LogicalType::TimestampTz | LogicalType::Date => {
            json!({"type": ["null", "string"], "format": "date-time"})
        }
        LogicalType::Text => match length(server) {
            Some(length) => json!({"type": ["null", "string"], "maxLength": length}),
            None => kind("string"),
        },
        LogicalType::Uuid | LogicalType::Bytes => kind("string"),
        LogicalType::Json if *server == ServerType::Hstore => kind("object"),
        LogicalType::Json => json!({
            "type": ["null", "object", "array", "string", "number", "boolean"]
        }),
        LogicalType::Array { .. } | LogicalType::JsonArray { .. } => match server {
            ServerType::Array(item) => {
                json!({"type": ["null", "array"], "items": json_schema(item, fidelity)})
            }
            _ => kind("array"),
        },
    }
}

fn integer(minimum: i64, maximum: i64) -> Value {
    json!({"type": ["null", "integer"], "minimum": minimum, "maximum": maximum})
}

fn decimal(server: &ServerType) -> Value {
    let (precision, scale) = match server {
        ServerType::Builtin { modifier, .. } => numeric_bounds(*modifier),
        _ => None,
    }
    .unwrap_or((MAX_PRECISION, MAX_SCALE));
    let precision = precision.min(MAX_PRECISION);
    let scale = scale.min(MAX_SCALE);
    let bound = power_of_ten(precision - scale);
    let below = Value::Number(bound.clone());
    let negative = format!("-{bound}")
        .parse()
        .map_or(Value::Null, Value::Number);
    json!({
        "type": ["null", "number"],
        "exclusiveMaximum": true,
        "maximum": below,
        "multipleOf": Value::Number(power_of_ten(-scale)),
        "exclusiveMinimum": true,
        "minimum": negative,
    })
}

/// Small powers as people write them, others with an exponent.
fn power_of_ten(exponent: i32) -> serde_json::Number {
    match u32::try_from(exponent) {
        Ok(exponent @ 0..=18) => 10_u64.pow(exponent).into(),
        _ => format!("1e{exponent}")
            .parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .unwrap_or_else(|| 0.into()),
    }
}

/// Declared length of `varchar(n)` and `char(n)`.
fn length(server: &ServerType) -> Option<i32> {
    match server {
        ServerType::Builtin {
            oid: oid::VARCHAR | oid::BPCHAR,
            modifier,
        } => modifier.checked_sub(4).filter(|length| *length > 0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(oid: u32, modifier: i32) -> String {
        json_schema(&ServerType::Builtin { oid, modifier }, TypeFidelity::Stitch).to_string()
    }

    #[test]
    fn schemas_are_what_taps_write() {
        for (oid, modifier, expected) in [
            (
                oid::INT4,
                -1,
                r#"{"type":["null","integer"],"minimum":-2147483648,"maximum":2147483647}"#,
            ),
            (oid::BIT, 1, r#"{"type":["null","boolean"]}"#),
            (oid::FLOAT8, -1, r#"{"type":["null","number"]}"#),
            (
                oid::NUMERIC,
                ((12 << 16) | 2) + 4,
                r#"{"type":["null","number"],"exclusiveMaximum":true,"maximum":10000000000,"multipleOf":0.01,"exclusiveMinimum":true,"minimum":-10000000000}"#,
            ),
            (
                oid::NUMERIC,
                -1,
                r#"{"type":["null","number"],"exclusiveMaximum":true,"maximum":1e+62,"multipleOf":1e-38,"exclusiveMinimum":true,"minimum":-1e+62}"#,
            ),
            (
                oid::VARCHAR,
                24,
                r#"{"type":["null","string"],"maxLength":20}"#,
            ),
            (oid::TEXT, -1, r#"{"type":["null","string"]}"#),
            (
                oid::DATE,
                -1,
                r#"{"type":["null","string"],"format":"date-time"}"#,
            ),
            (oid::BYTEA, -1, "{}"),
        ] {
            assert_eq!(schema(oid, modifier), expected);
        }
    }
}
