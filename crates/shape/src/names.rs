//! Naming rules: what becomes of a source name, and which names nobody may use.

use selvedge_connector::{Field, LogicalType};

use crate::{Dialect, Rejection, system};

/// Prefixes that belong to the engine, in any case.
const RESERVED_PREFIXES: [&str; 2] = ["_sdc", "_rjm"];

/// Engine-like names that sources may bring along.
const ALLOWED: [&str; 17] = [
    "_sdc_deleted_at",
    "_sdc_replication_id",
    "_sdc_source_bucket",
    "_sdc_source_file",
    "_sdc_source_lineno",
    "_sdc_extra",
    "_sdc_customer_id",
    "_sdc_record_hash",
    "_sdc_report_datetime",
    "_sdc_dimensions_hash_key",
    "_sdc_lsn",
    // Singer taps call what they add alike: GitHub's, Typeform's, and those for files.
    "_sdc_repository",
    "_sdc_form_id",
    "_sdc_filename",
    "_sdc_last_modified",
    "_sdc_source_file_mtime",
    "_sdc_stream",
];

/// PostgreSQL's rule: keeps case, ASCII letters, digits, `_` and spaces; then drops leading characters other than letters
/// and `_`.
pub fn postgres_column(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ' '))
        .skip_while(|c| !(c.is_ascii_alphabetic() || *c == '_'))
        .collect()
}

/// MySQL's rule, for columns, tables and schemas: no blanks around it, whatever is none of ASCII letters, digits, `_` and
/// `$` is `_`, lower case.
pub fn mysql(name: &str) -> String {
    name.trim()
        .chars()
        .map(|c| match c {
            '_' | '$' => c,
            _ if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
            _ => '_',
        })
        .collect()
}

/// The destination's name for a top-level field, or why it has none.
pub fn column(dialect: &Dialect, original: &str) -> Result<String, Rejection> {
    field(dialect, &Field::new(original, LogicalType::Text))
}

/// The destination's name for a field, or why it has none: the names on the way to it, joined.
pub fn field(dialect: &Dialect, field: &Field) -> Result<String, Rejection> {
    let name = place(dialect, field)?;
    if dialect
        .max_column_name
        .is_some_and(|limit| name.len() > limit)
    {
        return Err(Rejection::ColumnNameTooLong {
            column: field.joined_name(),
            destination: dialect.display_name,
        });
    }
    Ok(name)
}

/// The same whatever its length: the last part of a subtable's name.
pub(crate) fn place(dialect: &Dialect, field: &Field) -> Result<String, Rejection> {
    if field.inside.is_empty() {
        return path(dialect, &field.name, std::iter::once(field.name.as_str()));
    }
    let parts = std::iter::once(&field.name).chain(&field.inside);
    path(dialect, &field.joined_name(), parts.map(String::as_str))
}

/// The suffixes of splits are looked for in every name on the way: joined, `{"a":{"st":1}}` may well be `a__st`.
fn path<'a>(
    dialect: &Dialect,
    original: &str,
    mut parts: impl Iterator<Item = &'a str>,
) -> Result<String, Rejection> {
    let name = (dialect.column_name)(original);
    if name.is_empty() {
        return Err(Rejection::ColumnNameEmpty {
            column: original.to_owned(),
            destination: dialect.display_name,
        });
    }
    if has_reserved_prefix(&name) && !ALLOWED.contains(&name.as_str())
        || system::NAMES
            .iter()
            .any(|reserved| reserved.eq_ignore_ascii_case(&name))
    {
        return Err(Rejection::ColumnPrefix {
            column: original.to_owned(),
        });
    }
    if parts.any(|part| {
        has_split_suffix(dialect, part) || has_split_suffix(dialect, &(dialect.column_name)(part))
    }) {
        return Err(Rejection::ColumnSuffix {
            column: original.to_owned(),
        });
    }
    Ok(name)
}

/// The destination's name for a stream's table, or why it has none.
pub fn table(dialect: &Dialect, schema: &str, stream: &str) -> Result<String, Rejection> {
    if has_reserved_prefix(stream) {
        return Err(Rejection::TablePrefix {
            table: stream.to_owned(),
        });
    }
    let name = (dialect.table_name)(schema, stream);
    if name.is_empty() {
        return Err(Rejection::TableNameEmpty {
            table: stream.to_owned(),
            destination: dialect.display_name,
        });
    }
    if has_reserved_prefix(&name) {
        return Err(Rejection::TablePrefix {
            table: stream.to_owned(),
        });
    }
    if dialect
        .reserved_table_suffixes
        .iter()
        .any(|suffix| name.ends_with(suffix))
    {
        return Err(Rejection::TableSuffix {
            table: stream.to_owned(),
        });
    }
    if dialect
        .max_table_name
        .is_some_and(|limit| name.len() > limit)
    {
        return Err(Rejection::TableNameTooLong {
            table: stream.to_owned(),
            destination: dialect.display_name,
        });
    }
    Ok(name)
}

fn has_reserved_prefix(name: &str) -> bool {
    RESERVED_PREFIXES.iter().any(|prefix| {
        name.get(..prefix.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    })
}

fn has_split_suffix(dialect: &Dialect, name: &str) -> bool {
    name.rsplit_once("__").is_some_and(|(_, tail)| {
        dialect
            .split_suffixes
            .iter()
            .any(|suffix| suffix.eq_ignore_ascii_case(tail))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_names_keep_letters_digits_underscores_and_spaces() {
        for (original, expected) in [
            ("!CuStoMeRId", "CuStoMeRId"),
            ("customer#id", "customerid"),
            ("4customerid", "customerid"),
            ("_customerid", "_customerid"),
            ("customer id", "customer id"),
            (" 12 x1", "x1"),
            ("größe", "gre"),
            ("42", ""),
        ] {
            assert_eq!(postgres_column(original), expected, "{original}");
        }
    }

    #[test]
    fn mysql_names_are_lower_case_and_keep_dollars() {
        for (original, expected) in [
            ("customer-id", "customer_id"),
            (" CuStoMeRId ", "customerid"),
            ("4customer#id", "4customer_id"),
            ("a$b c", "a$b_c"),
            ("größe", "gr__e"),
            ("  ", ""),
        ] {
            assert_eq!(mysql(original), expected, "{original}");
        }
    }

    #[test]
    fn mysql_tables_leave_room_for_their_swap() {
        let table = |name: &str| table(&Dialect::MYSQL, "shop", name);
        assert_eq!(table("Order Lines").unwrap(), "order_lines");
        assert_eq!(table(&"t".repeat(60)).unwrap().len(), 60);
        for (name, reason) in [
            (
                "Orders_Old",
                "Table name [Orders_Old] uses a reserved suffix",
            ),
            (
                "orders_stg",
                "Table name [orders_stg] uses a reserved suffix",
            ),
            (" _sdc_x", "Table name [ _sdc_x] uses a reserved prefix"),
            (" ", "Table name [ ] is empty for MySQL"),
        ] {
            assert_eq!(table(name).unwrap_err().to_string(), reason);
        }
        let over = "t".repeat(61);
        assert_eq!(
            table(&over).unwrap_err().to_string(),
            format!("Table name [{over}] is too long for MySQL")
        );
    }

    #[test]
    fn reserved_names_are_refused_with_the_documented_texts() {
        let reason = |name: &str| column(&Dialect::POSTGRES, name).unwrap_err().to_string();
        assert_eq!(
            reason("_sdc_sequence"),
            "Column name [_sdc_sequence] uses a reserved prefix"
        );
        assert_eq!(
            reason("_RJM_x"),
            "Column name [_RJM_x] uses a reserved prefix"
        );
        assert_eq!(
            reason("__sdc_primary_key"),
            "Column name [__sdc_primary_key] uses a reserved prefix"
        );
        assert_eq!(
            reason("reading__st"),
            "column names from client should not include reserved datatype suffix on [reading__st]"
        );
        assert_eq!(reason("?!"), "Column name [?!] is empty for PostgreSQL");
        for fine in ["_sdc_deleted_at", "_sdc_lsn", "st", "a_st", "a__xx", "_id"] {
            assert_eq!(column(&Dialect::POSTGRES, fine).unwrap(), fine);
        }
    }

    #[test]
    fn lengths_are_those_of_the_transformed_name() {
        let longest = "c".repeat(59);
        assert!(column(&Dialect::POSTGRES, &format!("!{longest}")).is_ok());
        let over = "c".repeat(60);
        assert_eq!(
            column(&Dialect::POSTGRES, &over).unwrap_err().to_string(),
            format!("Column name [{over}] is too long for PostgreSQL")
        );
        assert!(column(&Dialect::SQLITE, &"c".repeat(500)).is_ok());
    }

    #[test]
    fn tables_are_judged_by_length_and_prefix() {
        let table = |name: &str| table(&Dialect::POSTGRES, "shop", name);
        assert_eq!(table("Order Lines").unwrap(), "Order Lines");
        assert_eq!(
            table("_SDC_x").unwrap_err().to_string(),
            "Table name [_SDC_x] uses a reserved prefix"
        );
        let over = "t".repeat(64);
        assert_eq!(
            table(&over).unwrap_err().to_string(),
            format!("Table name [{over}] is too long for PostgreSQL")
        );
        assert_eq!(
            super::table(&Dialect::SQLITE, "shop", "orders").unwrap(),
            "shop__orders"
        );
    }
}
