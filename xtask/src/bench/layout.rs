//! The columns of a destination table, and the statements that fill it without us.

use anyhow::{Result, ensure};

use crate::bench::dataset::Dataset;
use crate::bench::psql::Psql;

/// How types are mapped; the names of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Fidelity {
    Stitch,
    Native,
}

impl Fidelity {
    pub(crate) const ALL: [Fidelity; 2] = [Fidelity::Stitch, Fidelity::Native];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Fidelity::Stitch => "stitch",
            Fidelity::Native => "native",
        }
    }
}

/// Columns in order, with the destination's types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    columns: Vec<(String, String)>,
}

const SYSTEM_COLUMNS: [(&str, &str); 5] = [
    ("_sdc_extracted_at", "timestamp without time zone"),
    ("_sdc_received_at", "timestamp without time zone"),
    ("_sdc_batched_at", "timestamp without time zone"),
    ("_sdc_sequence", "bigint"),
    ("_sdc_table_version", "bigint"),
];

impl Layout {
    /// The table as it is in a database.
    pub(crate) fn read(psql: Psql<'_>, table: &str) -> Result<Self> {
        let text = psql.query(&format!(
            "select attname || '|' || format_type(atttypid, atttypmod) from pg_attribute \
             where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped order by attnum"
        ))?;
        let columns: Vec<_> = text
            .lines()
            .filter_map(|line| line.split_once('|'))
            .map(|(name, sql_type)| (name.to_owned(), sql_type.to_owned()))
            .collect();
        ensure!(!columns.is_empty(), "{table} has no columns");
        Ok(Self { columns })
    }

    /// The documented mapping, for trying out the pipes alone.
    pub(crate) fn documented(dataset: &Dataset, fidelity: Fidelity) -> Self {
        let data = dataset.columns.iter().map(|column| {
            let sql_type = match (column.sql_type, fidelity) {
                (other, Fidelity::Native) => other,
                ("smallint", Fidelity::Stitch) => "integer",
                ("numeric(12,2)" | "numeric(18,4)", Fidelity::Stitch) => "numeric",
                ("date" | "timestamptz", Fidelity::Stitch) => "timestamp without time zone",
                ("uuid", Fidelity::Stitch) => "text",
                (other, Fidelity::Stitch) => other,
            };
            (column.name.clone(), sql_type.to_owned())
        });
        let system = SYSTEM_COLUMNS.map(|(name, sql_type)| (name.to_owned(), sql_type.to_owned()));
        Self {
            columns: data.chain(system).collect(),
        }
    }

    /// Columns of the source that are not here under their name.
    pub(crate) fn missing<'a>(&self, dataset: &'a Dataset) -> Vec<&'a str> {
        let here = |name: &str| self.columns.iter().any(|(column, _)| column == name);
        let names = dataset.columns.iter().map(|column| column.name.as_str());
        names.filter(|name| !here(name)).collect()
    }

    /// `create table`, without a key.
    pub(crate) fn create(&self, table: &str) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|(name, sql_type)| format!("\"{name}\" {sql_type}"))
            .collect();
        format!("create table {table} ({})", columns.join(", "))
    }

    /// The source's rows with these columns and types. System columns are constants: the pipe's cheapest way to them.
    pub(crate) fn select(&self, dataset: &Dataset) -> String {
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|(name, sql_type)| match name.as_str() {
                "_sdc_sequence" => format!("1767225600000000000::{sql_type}"),
                "_sdc_table_version" => format!("1767225600000::{sql_type}"),
                name if name.starts_with("_sdc_") => format!("now()::{sql_type}"),
                name => format!("\"{name}\"::{sql_type}"),
            })
            .collect();
        format!("select {} from {}", columns.join(", "), dataset.name)
    }

    /// Number of rows, and a sum over every value of every data column with its position in the row. Equal on both sides
    /// exactly when the destination holds the source's rows, each once (up to collisions of a 32-bit hash per row).
    pub(crate) fn checksum(&self, table: &str) -> String {
        let values: Vec<_> = self
            .columns
            .iter()
            .filter(|(name, _)| !name.starts_with("_sdc_"))
            .map(|(name, sql_type)| format!("\"{name}\"::{sql_type}"))
            .collect();
        format!(
            "select count(*), sum(hashtext(row({})::text)::bigint) from {table}",
            values.join(", ")
        )
    }
}
