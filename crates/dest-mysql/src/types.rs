//! Column types and the server's names for them.

use selvedge_shape::ColumnType;

/// Bytes of an InnoDB index entry.
const MAX_KEY_BYTES: usize = 3_072;

/// The type as written in DDL; `None` for types that never come here, because only native fidelity keeps them.
pub(crate) fn sql_type(column_type: &ColumnType) -> Option<&'static str> {
    Some(match column_type {
        ColumnType::Boolean => "tinyint(1)",
        ColumnType::Integer => "int",
        ColumnType::BigInt => "bigint",
        ColumnType::Double => "float(53)",
        ColumnType::Decimal => "decimal(38,6)",
        ColumnType::Text => "longtext",
        ColumnType::Timestamp => "datetime(6)",
        ColumnType::Json => "json",
        ColumnType::Date
        | ColumnType::TimestampTz
        | ColumnType::Uuid
        | ColumnType::Bytes
        | ColumnType::Array(_) => return None,
    })
}

/// The type behind a name as `information_schema.columns.column_type` prints it; `None` for types we never write, among them
/// those that would round or cut values, such as `decimal(10,2)` and `datetime`.
pub(crate) fn column_type(name: &str) -> Option<ColumnType> {
    // Widths of integers are for display; newer servers leave them out.
    let integer = |base: &str| {
        name == base
            || name
                .strip_prefix(base)
                .and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')'))
                .is_some_and(|width| width.bytes().all(|byte| byte.is_ascii_digit()))
    };
    Some(match name {
        "tinyint(1)" => ColumnType::Boolean,
        "double" => ColumnType::Double,
        "decimal(38,6)" => ColumnType::Decimal,
        "longtext" => ColumnType::Text,
        "datetime(6)" => ColumnType::Timestamp,
        "json" => ColumnType::Json,
        _ if integer("int") => ColumnType::Integer,
        _ if integer("bigint") => ColumnType::BigInt,
        _ => return None,
    })
}

/// How many characters each text column of a key may have, so that all of the key fits into an index entry.
pub(crate) fn key_characters<'a>(key: impl IntoIterator<Item = &'a ColumnType>) -> usize {
    let (mut texts, mut bytes) = (0, 0);
    for column_type in key {
        match column_type {
            ColumnType::Text => texts += 1,
            ColumnType::Boolean => bytes += 1,
            ColumnType::Integer => bytes += 4,
            ColumnType::BigInt | ColumnType::Double | ColumnType::Timestamp => bytes += 8,
            // A decimal of 38 digits takes 18.
            _ => bytes += 18,
        }
    }
    MAX_KEY_BYTES.saturating_sub(bytes) / 4 / usize::max(texts, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_types() {
        for known in [
            ColumnType::Boolean,
            ColumnType::Integer,
            ColumnType::BigInt,
            ColumnType::Decimal,
            ColumnType::Text,
            ColumnType::Timestamp,
            ColumnType::Json,
        ] {
            assert_eq!(column_type(sql_type(&known).unwrap()), Some(known));
        }
        assert_eq!(column_type("double"), Some(ColumnType::Double));
        assert_eq!(column_type("bigint(20)"), Some(ColumnType::BigInt));
        assert_eq!(column_type("int(11)"), Some(ColumnType::Integer));
    }

    #[test]
    fn types_that_would_change_values_are_not_ours() {
        for foreign in [
            "tinyint(4)",
            "smallint(6)",
            "int(10) unsigned",
            "bigint unsigned",
            "float",
            "decimal(10,2)",
            "varchar(20)",
            "text",
            "datetime",
            "datetime(3)",
            "timestamp(6)",
            "longblob",
        ] {
            assert_eq!(column_type(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_texts_of_a_key_share_its_room() {
        assert_eq!(key_characters([&ColumnType::Text]), 768);
        assert_eq!(
            key_characters([&ColumnType::Text, &ColumnType::BigInt]),
            766
        );
        assert_eq!(key_characters([&ColumnType::Text, &ColumnType::Text]), 384);
    }
}
