//! Rows of a batch into a table.

use std::fmt::Write;

use rusqlite::Statement;
use selvedge_connector::{ConnectorError, ErrorKind, Instants, ShapedBatch};
use selvedge_shape::system::generated_primary_key;
use selvedge_shape::{ColumnType, FieldTarget, TableShape, system};
use selvedge_types::Timestamp;

use crate::connect::File;
use crate::error::explain;
use crate::render;
use crate::structure::{quoted, quoted_list, row_identity};
use crate::superseded;
use crate::values::{Cells, bind_null};
use crate::winners::Winners;

/// What became of the rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inserted {
    pub(crate) written: u64,
    /// Rows that are not newer than the stored ones.
    pub(crate) older_sequence: u64,
}

/// Where rows go, and how.
pub(crate) struct Insertion<'a> {
    pub(crate) file: &'a File,
    pub(crate) table: &'a str,
    pub(crate) shape: &'a TableShape,
    /// By key; the table has its unique index. Otherwise every row is added.
    pub(crate) upsert: bool,
    pub(crate) run_seed: u64,
}

impl Insertion<'_> {
    /// Writes all rows of the batch that was planned last, but those in `skip` (ascending). Tells `winners`, where there
    /// are any, which rows went in.
    pub(crate) fn run(
        &self,
        batch: &ShapedBatch,
        skip: &[usize],
        winners: Option<&mut Winners>,
    ) -> Result<Inserted, ConnectorError> {
        let columns = bound_columns(self.shape, batch)?;
        let sql = self.sql(&columns);
        let mut statement = self
            .file
            .connection
            .prepare_cached(&sql)
            .map_err(|error| explain(&error))?;
        self.rows(&mut statement, &columns, batch, skip, winners)
            .map_err(|error| explain(&error))
    }

    /// Parameters: the columns in order, then the system columns.
    fn sql(&self, columns: &[BoundColumn<'_>]) -> String {
        let names: Vec<&str> = columns
            .iter()
            .map(|column| self.shape.columns()[column.index].name.as_str())
            .chain(self.system_columns().iter().copied())
            .collect();
        let parameters = (1..=names.len())
            .map(|parameter| format!("?{parameter}"))
            .collect::<Vec<_>>()
            .join(", ");
        let mut sql = format!(
            "insert into {} ({}) values ({parameters})",
            quoted(self.table),
            quoted_list(names.iter().copied())
        );
        if let Some(key) = self.shape.key_columns().filter(|_| self.upsert) {
            self.push_conflict(&mut sql, &names, &key);
        }
        sql
    }

    /// A newer row takes the place of the whole stored row: columns that it does not have become NULL.
    fn push_conflict(&self, sql: &mut String, names: &[&str], key: &[&str]) {
        let table = quoted(self.table);
        let sequence = system::SEQUENCE;
        let columns = self.shape.columns().iter();
        let rowid = row_identity(columns.map(|column| column.name.as_str()));
        let settings = self
            .shape
            .columns()
            .iter()
            .filter(|column| column.column_type.is_some() && !key.contains(&column.name.as_str()))
            .map(|column| {
                let name = quoted(&column.name);
                if column.name == sequence {
                    format!(
                        "{name} = {}({table}.{rowid}, {table}.{sequence}, excluded.{sequence})",
                        superseded::SUPERSEDE
                    )
                } else if names.contains(&column.name.as_str()) {
                    format!("{name} = excluded.{name}")
                } else {
                    format!("{name} = null")
                }
            })
            .collect::<Vec<_>>()
            .join(", ");
        // Writing into a String cannot fail. Rows without a stored sequence count as the oldest.
        let _ = write!(
            sql,
            " on conflict ({}) do update set {settings} \
             where {table}.{sequence} is null or excluded.{sequence} > {table}.{sequence} \
             or (excluded.{sequence} = {table}.{sequence} and {}({table}.{rowid}))",
            quoted_list(key.iter().copied()),
            superseded::YIELDS
        );
    }

    fn system_columns(&self) -> &'static [&'static str] {
        const ALL: [&str; 6] = [
            system::EXTRACTED_AT,
            system::RECEIVED_AT,
            system::BATCHED_AT,
            system::TABLE_VERSION,
            system::SEQUENCE,
            system::PRIMARY_KEY,
        ];
        match self.shape.declares_key() {
            true => &ALL[..5],
            false => &ALL,
        }
    }

    fn rows(
        &self,
        statement: &mut Statement<'_>,
        columns: &[BoundColumn<'_>],
        batch: &ShapedBatch,
        skip: &[usize],
        mut winners: Option<&mut Winners>,
    ) -> rusqlite::Result<Inserted> {
        let mut scratch = String::new();
        let first_system = columns.len() + 1;
        let system = &batch.system;
        let instants = [&system.extracted_at, &system.received_at];
        // Bindings outlive an execution, so what all rows share is set once for the batch.
        bind_instant(
            statement,
            first_system + 2,
            Some(system.batched_at.as_micros()),
            &mut scratch,
        )?;
        for (offset, instants) in instants.iter().enumerate() {
            if let Instants::Same(instant) = instants {
                let micros = instant.map(Timestamp::as_micros);
                bind_instant(statement, first_system + offset, micros, &mut scratch)?;
            }
        }
        statement.raw_bind_parameter(first_system + 3, system.table_version)?;
        let keyless = !self.shape.declares_key();
        let mut inserted = Inserted::default();
        let mut skip = skip.iter().copied().peekable();
        for row in 0..batch.records.num_rows() {
            if skip.next_if_eq(&row).is_some() {
                continue;
            }
            let sequence = system.sequences.at(row);
            for (offset, instants) in instants.iter().enumerate() {
                if let Instants::Each(_) = instants {
                    bind_instant(
                        statement,
                        first_system + offset,
                        instants.at(row),
                        &mut scratch,
                    )?;
                }
            }
            for (column, parameter) in columns.iter().zip(1..) {
                column.bind(statement, parameter, row, &mut scratch)?;
            }
            statement.raw_bind_parameter(first_system + 4, sequence)?;
            if keyless {
                let identity = system.sequences.identity(row);
                let key = generated_primary_key(self.run_seed, identity);
                statement.raw_bind_parameter(first_system + 5, std::str::from_utf8(&key)?)?;
            }
            if statement.raw_execute()? == 0 {
                inserted.older_sequence += 1;
                continue;
            }
            inserted.written += 1;
            if let Some(winners) = &mut winners {
                let rowid = self.file.connection.last_insert_rowid();
                winners.add(row, self.file.superseded.remember(rowid));
            }
        }
        Ok(inserted)
    }
}

fn bind_instant(
    statement: &mut Statement<'_>,
    parameter: usize,
    micros: Option<i64>,
    scratch: &mut String,
) -> rusqlite::Result<()> {
    let Some(micros) = micros else {
        return bind_null(statement, parameter);
    };
    scratch.clear();
    render::timestamp(micros, scratch);
    statement.raw_bind_parameter(parameter, scratch.as_str())
}

/// The table's columns that the batch, which was planned last, has fields for.
pub(crate) fn bound_columns<'b>(
    shape: &TableShape,
    batch: &'b ShapedBatch,
) -> Result<Vec<BoundColumn<'b>>, ConnectorError> {
    let key = shape.key_columns().unwrap_or_default();
    let mut columns: Vec<BoundColumn<'b>> = Vec::new();
    for (field, target) in shape.targets().iter().enumerate() {
        let FieldTarget::Column(index) = *target else {
            continue;
        };
        let array = batch.records.column(field);
        let logical_type = &batch.schema.fields[field].logical_type;
        let cells = Cells::new(logical_type, array).ok_or_else(|| {
            ConnectorError::new(
                ErrorKind::Internal,
                format!(
                    "a batch holds {} where {logical_type:?} was announced",
                    array.data_type()
                ),
            )
        })?;
        match columns.iter_mut().find(|column| column.index == index) {
            Some(column) => column.others.push(cells),
            None => {
                let column = &shape.columns()[index];
                columns.push(BoundColumn {
                    index,
                    key_decimal: column.column_type == Some(ColumnType::Decimal)
                        && key.contains(&column.name.as_str()),
                    cells,
                    others: Vec::new(),
                });
            }
        }
    }
    Ok(columns)
}

/// A column of the table and the fields that fill it; of these at most one is set in a row.
pub(crate) struct BoundColumn<'a> {
    /// In [`TableShape::columns`].
    pub(crate) index: usize,
    key_decimal: bool,
    cells: Cells<'a>,
    others: Vec<Cells<'a>>,
}

impl BoundColumn<'_> {
    pub(crate) fn bind(
        &self,
        statement: &mut Statement<'_>,
        parameter: usize,
        row: usize,
        scratch: &mut String,
    ) -> rusqlite::Result<()> {
        let cells = if self.cells.is_null(row) {
            match self.others.iter().find(|cells| !cells.is_null(row)) {
                Some(cells) => cells,
                None => return bind_null(statement, parameter),
            }
        } else {
            &self.cells
        };
        match self.key_decimal {
            true => cells.bind_key_decimal(statement, parameter, row, scratch),
            false => cells.bind(statement, parameter, row, scratch),
        }
    }
}
