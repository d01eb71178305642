//! Column types and PostgreSQL's names for them.

use selvedge_shape::ColumnType;

/// The type as written in DDL. Timestamps are UTC without a zone; JSON is `jsonb`.
pub(crate) fn sql_type(column_type: &ColumnType) -> String {
    match column_type {
        ColumnType::Boolean => "boolean".to_owned(),
        ColumnType::Integer => "integer".to_owned(),
        ColumnType::BigInt => "bigint".to_owned(),
        ColumnType::Double => "double precision".to_owned(),
        ColumnType::Decimal => "numeric".to_owned(),
        ColumnType::Text => "text".to_owned(),
        ColumnType::Timestamp => "timestamp without time zone".to_owned(),
        ColumnType::Date => "date".to_owned(),
        ColumnType::TimestampTz => "timestamp with time zone".to_owned(),
        ColumnType::Uuid => "uuid".to_owned(),
        ColumnType::Bytes => "bytea".to_owned(),
        ColumnType::Json => "jsonb".to_owned(),
        ColumnType::Array(item) => format!("{}[]", sql_type(item)),
    }
}

/// The type behind a name as `format_type` prints it; `None` for types we never write, among them those whose modifier
/// would round or cut values, such as `numeric(10,2)`.
pub(crate) fn column_type(name: &str) -> Option<ColumnType> {
    Some(match name {
        "boolean" => ColumnType::Boolean,
        "integer" => ColumnType::Integer,
        "bigint" => ColumnType::BigInt,
        "double precision" => ColumnType::Double,
        "numeric" => ColumnType::Decimal,
        "text" | "character varying" => ColumnType::Text,
        "timestamp without time zone" => ColumnType::Timestamp,
        "date" => ColumnType::Date,
        "timestamp with time zone" => ColumnType::TimestampTz,
        "uuid" => ColumnType::Uuid,
        "bytea" => ColumnType::Bytes,
        "jsonb" => ColumnType::Json,
        array => match column_type(array.strip_suffix("[]")?)? {
            ColumnType::Array(_) => return None,
            item => ColumnType::Array(Box::new(item)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_types() {
        let mut all = vec![
            ColumnType::Boolean,
            ColumnType::Integer,
            ColumnType::BigInt,
            ColumnType::Double,
            ColumnType::Decimal,
            ColumnType::Text,
            ColumnType::Timestamp,
            ColumnType::Date,
            ColumnType::TimestampTz,
            ColumnType::Uuid,
            ColumnType::Bytes,
            ColumnType::Json,
        ];
        let arrays: Vec<_> = all
            .iter()
            .map(|item| ColumnType::Array(Box::new(item.clone())))
            .collect();
        all.extend(arrays);
        for known in all {
            assert_eq!(column_type(&sql_type(&known)), Some(known));
        }
    }

    #[test]
    fn types_that_would_change_values_are_not_ours() {
        for foreign in [
            "smallint",
            "real",
            "numeric(10,2)",
            "character varying(20)",
            "timestamp(3) without time zone",
            "json",
            "point",
        ] {
            assert_eq!(column_type(foreign), None, "{foreign}");
        }
    }
}
