//! Destinations as data: limits, naming, suffixes.

use crate::{ColumnType, names};

/// What `shape` has to know about a kind of destination.
#[derive(Debug)]
pub struct Dialect {
    /// The destination's name in messages.
    pub display_name: &'static str,
    /// Longest table name in bytes.
    pub max_table_name: Option<usize>,
    /// Endings that belong to the engine's own tables.
    pub reserved_table_suffixes: &'static [&'static str],
    /// Longest column name in bytes as sources give it.
    pub max_column_name: Option<usize>,
    /// Longest column name in bytes with a split suffix behind it.
    pub max_split_name: Option<usize>,
    /// Most columns of a table, system columns included.
    pub max_columns: usize,
    /// Whether `id` and `Id` are two columns.
    pub case_sensitive: bool,
    /// Whether a type split also renames the column that was there first.
    pub rename_original_column_in_split: bool,
    /// A source column's name in the destination; may be empty.
    pub column_name: fn(&str) -> String,
    /// A table's physical name, from schema and stream.
    pub table_name: fn(schema: &str, stream: &str) -> String,
    /// The two letters behind `__` in a split column's name.
    pub split_suffix: fn(&ColumnType) -> &'static str,
    /// All of those; source names ending in one are refused.
    pub split_suffixes: &'static [&'static str],
}

/// `bi bo de do it st ti` are documented; the others belong to types that only native fidelity keeps.
const SUFFIXES: &[&str] = &[
    "bi", "bo", "de", "do", "it", "st", "ti", "da", "tz", "uu", "by", "js", "ar",
];

fn split_suffix(column_type: &ColumnType) -> &'static str {
    match column_type {
        ColumnType::BigInt => "bi",
        ColumnType::Boolean => "bo",
        ColumnType::Decimal => "de",
        ColumnType::Double => "do",
        ColumnType::Integer => "it",
        ColumnType::Text => "st",
        ColumnType::Timestamp => "ti",
        ColumnType::Date => "da",
        ColumnType::TimestampTz => "tz",
        ColumnType::Uuid => "uu",
        ColumnType::Bytes => "by",
        ColumnType::Json => "js",
        ColumnType::Array(_) => "ar",
    }
}

/// Types that only native fidelity keeps do not come here.
const MYSQL_SUFFIXES: &[&str] = &["bi", "bo", "de", "fl", "it", "st", "js", "dt"];

fn mysql_split_suffix(column_type: &ColumnType) -> &'static str {
    match column_type {
        ColumnType::Double => "fl",
        ColumnType::Timestamp => "dt",
        other => split_suffix(other),
    }
}

impl Dialect {
    pub const POSTGRES: Dialect = Dialect {
        display_name: "PostgreSQL",
        max_table_name: Some(63),
        reserved_table_suffixes: &[],
        max_column_name: Some(59),
        max_split_name: Some(63),
        max_columns: 1_600,
        case_sensitive: true,
        rename_original_column_in_split: true,
        column_name: names::postgres_column,
        table_name: |_, stream| stream.to_owned(),
        split_suffix,
        split_suffixes: SUFFIXES,
    };

    /// PostgreSQL's loading rules without its limits. One file holds all schemas, so the schema is part of the table's
    /// name; SQLite itself does not tell `id` from `Id`.
    pub const SQLITE: Dialect = Dialect {
        display_name: "SQLite",
        max_table_name: None,
        reserved_table_suffixes: &[],
        max_column_name: None,
        max_split_name: None,
        max_columns: 2_000,
        case_sensitive: false,
        rename_original_column_in_split: true,
        column_name: names::postgres_column,
        table_name: |schema, stream| format!("{schema}__{stream}"),
        split_suffix,
        split_suffixes: SUFFIXES,
    };

    /// A table's room of 64 bytes leaves four for the names that a swap of tables needs; a column's leaves none for a split
    /// suffix.
    pub const MYSQL: Dialect = Dialect {
        display_name: "MySQL",
        max_table_name: Some(60),
        reserved_table_suffixes: &["_old", "_stg"],
        max_column_name: Some(64),
        max_split_name: Some(64),
        max_columns: 1_017,
        case_sensitive: false,
        rename_original_column_in_split: true,
        column_name: names::mysql,
        table_name: |_, stream| names::mysql(stream),
        split_suffix: mysql_split_suffix,
        split_suffixes: MYSQL_SUFFIXES,
    };

    /// Whether two column names are one to the destination.
    pub fn same_column(&self, left: &str, right: &str) -> bool {
        if self.case_sensitive {
            left == right
        } else {
            left.eq_ignore_ascii_case(right)
        }
    }

    /// `<base>__<suffix>`.
    pub fn split_name(&self, base: &str, column_type: &ColumnType) -> String {
        format!("{base}__{}", (self.split_suffix)(column_type))
    }
}
