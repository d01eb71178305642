//! Declared types of columns, both ways.
//!
//! SQLite takes a column's storage rules from words in its declared type, so these names are chosen for their affinity:
//! `…_text` keeps text as it is, `double` makes reals, `bigint` and `boolean` keep integers. Above all no name may turn
//! text into numbers, as `decimal` would, or contain `int` by accident
//! (<https://www.sqlite.org/datatype3.html#determination_of_column_affinity>).
//!
//! | Column | Declared | Stored as |
//! | --- | --- | --- |
//! | boolean | `boolean` | 0 or 1 |
//! | integer, bigint | `integer`, `bigint` | integer |
//! | double | `double` | real |
//! | decimal | `decimal_text` | canonical decimal text |
//! | text | `text` | text |
//! | timestamp | `timestamp_text` | `2031-02-03T04:05:06.789012Z`, whose order as text is the order in time |
//! | date, timestamptz, uuid, json | `date_text`, `timestamptz_text`, `uuid_text`, `json_text` | text |
//! | bytes | `blob` | blob |
//! | array | `array_text_` and its item's letters | text as the source spells it |

use selvedge_shape::{ColumnType, Dialect};

const ARRAY: &str = "array_text_";

/// The type to declare for a column.
pub(crate) fn declared(column_type: &ColumnType) -> String {
    let name = match column_type {
        ColumnType::Boolean => "boolean",
        ColumnType::Integer => "integer",
        ColumnType::BigInt => "bigint",
        ColumnType::Double => "double",
        ColumnType::Decimal => "decimal_text",
        ColumnType::Text => "text",
        ColumnType::Timestamp => "timestamp_text",
        ColumnType::Date => "date_text",
        ColumnType::TimestampTz => "timestamptz_text",
        ColumnType::Uuid => "uuid_text",
        ColumnType::Bytes => "blob",
        ColumnType::Json => "json_text",
        ColumnType::Array(item) => {
            return match item.as_ref() {
                nested @ ColumnType::Array(_) => format!("{ARRAY}{}", declared(nested)),
                item => format!("{ARRAY}{}", (Dialect::SQLITE.split_suffix)(item)),
            };
        }
    };
    name.to_owned()
}

/// The column type behind a declared type; `None` for types that are not ours.
pub(crate) fn column_type(declared: &str) -> Option<ColumnType> {
    // SQLite gives some declared types back in capitals.
    let declared = declared.to_ascii_lowercase();
    if let Some(item) = declared.strip_prefix(ARRAY) {
        let item = SCALARS
            .into_iter()
            .find(|scalar| (Dialect::SQLITE.split_suffix)(scalar) == item)
            .or_else(|| column_type(item).filter(|item| matches!(item, ColumnType::Array(_))))?;
        return Some(ColumnType::Array(Box::new(item)));
    }
    SCALARS
        .into_iter()
        .find(|scalar| self::declared(scalar) == declared)
}

const SCALARS: [ColumnType; 12] = [
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

#[cfg(test)]
mod tests {
    use super::*;

    fn all_types() -> Vec<ColumnType> {
        let array = |item| ColumnType::Array(Box::new(item));
        SCALARS
            .into_iter()
            .chain(SCALARS.map(array))
            .chain([array(array(ColumnType::BigInt))])
            .collect()
    }

    #[test]
    fn declared_types_are_read_back_as_what_they_were() {
        for expected in all_types() {
            assert_eq!(column_type(&declared(&expected)), Some(expected.clone()));
            assert_eq!(
                column_type(&declared(&expected).to_uppercase()),
                Some(expected)
            );
        }
        for foreign in [
            "",
            "varchar(10)",
            "numeric",
            "array_text_xx",
            "array_text_text",
        ] {
            assert_eq!(column_type(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn no_declared_type_changes_what_is_stored() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for column_type in all_types() {
            let (literal, class) = match column_type {
                ColumnType::Boolean | ColumnType::Integer | ColumnType::BigInt => ("1", "integer"),
                ColumnType::Double => ("1.0", "real"),
                ColumnType::Bytes => ("x'31'", "blob"),
                _ => ("'1.50'", "text"),
            };
            let declared = declared(&column_type);
            connection
                .execute_batch(&format!(
                    "drop table if exists t; create table t (c {declared}); insert into t values ({literal})"
                ))
                .unwrap();
            let stored: String = connection
                .query_row("select typeof(c) from t", [], |row| row.get(0))
                .unwrap();
            assert_eq!(stored, class, "{declared}");
        }
    }
}
