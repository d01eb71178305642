//! The tables of the workload and their SQL, which PostgreSQL and SQLite both read.

use std::fmt::Write as _;

use super::seed::mix;

/// What is special about a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// A primary key, few columns.
    Keyed,
    /// No primary key; `row_key` still tells the rows apart.
    Keyless,
    /// A primary key and many columns of all common types.
    Wide,
    /// A primary key and columns that are mostly NULL, some always.
    Sparse,
}

impl TableKind {
    pub const ALL: [TableKind; 4] = [
        TableKind::Keyed,
        TableKind::Keyless,
        TableKind::Wide,
        TableKind::Sparse,
    ];

    /// The table's name in [`super::Workload::standard`].
    pub fn default_name(self) -> &'static str {
        match self {
            TableKind::Keyed => "keyed",
            TableKind::Keyless => "keyless",
            TableKind::Wide => "wide",
            TableKind::Sparse => "sparse",
        }
    }
}

/// One table. Its first columns are `row_table`, `row_key`, `row_version` and `row_check`.
#[derive(Clone, Debug)]
pub struct WorkloadTable {
    name: String,
    kind: TableKind,
}

const IDENTITY: [(&str, &str); 4] = [
    ("row_table", "text"),
    ("row_key", "bigint"),
    ("row_version", "bigint"),
    ("row_check", "text"),
];

/// Types of the further columns, taken in turn.
const TYPES: [&str; 7] = [
    "integer",
    "text",
    "numeric(18,4)",
    "double precision",
    "boolean",
    "timestamp",
    "bigint",
];

impl WorkloadTable {
    /// `name` is a plain lower-case identifier.
    pub fn new(name: impl Into<String>, kind: TableKind) -> Self {
        Self {
            name: name.into(),
            kind,
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn kind(&self) -> TableKind {
        self.kind
    }

    /// Whether the table has a primary key, which is `row_key`.
    pub fn has_key(&self) -> bool {
        self.kind != TableKind::Keyless
    }

    fn extra_columns(&self) -> impl Iterator<Item = (String, &'static str)> {
        let count = match self.kind {
            TableKind::Keyed | TableKind::Keyless => 2,
            TableKind::Wide => 35,
            TableKind::Sparse => 12,
        };
        (0..count).map(|index| (format!("column_{index}"), TYPES[index % TYPES.len()]))
    }

    pub(super) fn create_statement(&self) -> String {
        let mut columns: Vec<_> = IDENTITY
            .iter()
            .map(|(name, sql_type)| format!("{name} {sql_type} not null"))
            .collect();
        columns.extend(
            self.extra_columns()
                .map(|(name, sql_type)| format!("{name} {sql_type}")),
        );
        if self.has_key() {
            columns.push("primary key (row_key)".to_owned());
        }
        format!("create table {} ({})", self.name, columns.join(", "))
    }

    /// Inserts rows given as key and version.
    pub(super) fn insert_statement(&self, rows: &[(i64, i64)]) -> String {
        let mut names = IDENTITY.map(|(name, _)| name.to_owned()).to_vec();
        names.extend(self.extra_columns().map(|(name, _)| name));
        let mut text = format!("insert into {} ({}) values ", self.name, names.join(", "));
        for (index, (key, version)) in rows.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(text, "{comma}({})", self.values(*key, *version).join(", "))
                .expect("a String takes text");
        }
        text
    }

    pub(super) fn update_statement(&self, key: i64, version: i64) -> String {
        let names = IDENTITY
            .map(|(name, _)| name.to_owned())
            .into_iter()
            .chain(self.extra_columns().map(|(name, _)| name));
        let assignments: Vec<_> = names
            .zip(self.values(key, version))
            .map(|(name, value)| format!("{name} = {value}"))
            .collect();
        format!(
            "update {} set {} where row_key = {key}",
            self.name,
            assignments.join(", ")
        )
    }

    pub(super) fn delete_statement(&self, key: i64) -> String {
        format!("delete from {} where row_key = {key}", self.name)
    }

    /// All values of a row as literals; they follow from key and version.
    fn values(&self, key: i64, version: i64) -> Vec<String> {
        let mut values = vec![
            format!("'{}'", self.name),
            key.to_string(),
            version.to_string(),
            format!("'{}'", row_check(&self.name, key, version)),
        ];
        for (index, (_, sql_type)) in self.extra_columns().enumerate() {
            let bits = mix(&[key.cast_unsigned(), version.cast_unsigned(), index as u64]);
            values.push(if self.is_null(index, bits) {
                "null".to_owned()
            } else {
                literal(sql_type, bits)
            });
        }
        values
    }

    fn is_null(&self, index: usize, bits: u64) -> bool {
        match self.kind {
            // A column that never has a value must not disturb the others.
            TableKind::Sparse => index % 4 == 3 || !bits.is_multiple_of(8),
            _ => bits.is_multiple_of(16),
        }
    }
}

fn literal(sql_type: &str, bits: u64) -> String {
    // The lowest bits decided about NULL.
    let bits = bits >> 8;
    match sql_type {
        "integer" => format!("{}", i64::from(bits as i32)),
        "bigint" => format!("{}", (bits << 8).cast_signed() >> 1),
        "numeric(18,4)" => format!("{}.{:04}", bits % 90_000_000_000_000, bits % 9_999),
        // Halves are exact in binary: both sides print the same digits.
        "double precision" => format!("{}.5", bits % 1_000_000_000),
        "boolean" => (if bits.is_multiple_of(2) {
            "true"
        } else {
            "false"
        })
        .to_owned(),
        "timestamp" => format!(
            "'20{:02}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}'",
            bits % 38,
            1 + bits % 12,
            1 + bits % 28,
            bits % 24,
            bits % 60,
            bits % 59,
            bits % 1_000_000
        ),
        _ => format!("'{}'", text(bits)),
    }
}

/// Texts that codecs stumble over: empty, quotes, separators, backslashes, other scripts, long.
fn text(bits: u64) -> String {
    match bits % 8 {
        0 => String::new(),
        1 => "it''s a \"quote\"".to_owned(),
        2 => "tab\there, comma; \\N \\\\ back".to_owned(),
        3 => "zweite\nZeile – ünïcødé 織り 🧵".to_owned(),
        4 => "x".repeat(3_000),
        5 => " null NULL ".to_owned(),
        _ => format!("{bits:x}"),
    }
}

/// What `row_check` must be: it shows rows that were put together from two versions.
pub fn row_check(table: &str, key: i64, version: i64) -> String {
    let name = table
        .bytes()
        .fold(7, |bits, byte| mix(&[bits, u64::from(byte)]));
    format!(
        "{:016x}",
        mix(&[name, key.cast_unsigned(), version.cast_unsigned()])
    )
}
