//! Rows on their way into a file: the fields of a batch, and the system columns behind them.

use std::sync::Arc;

use arrow_array::RecordBatch;
use selvedge_connector::{RecordTexts, SystemValues};
use selvedge_shape::{RecordKey, system};

use crate::cells::{Cells, push_instant};
use crate::layout::{Column, Layout};

/// What an encoder is given.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) records: &'a RecordBatch,
    /// The records' own texts, where they came as JSON.
    pub(crate) texts: Option<&'a RecordTexts>,
    /// Rows that do not get in, ascending.
    pub(crate) skip: &'a [usize],
    pub(crate) system: SystemCells<'a>,
}

impl<'a> Rows<'a> {
    /// The values of a column: those of the field that has one.
    pub(crate) fn cells(&self, column: &Column) -> Vec<Cells<'a>> {
        column
            .fields
            .iter()
            .map(|field| {
                let logical_type = &self.layout.schema.fields[*field].logical_type;
                Cells::new(logical_type, self.records.column(*field).as_ref())
            })
            .collect()
    }

    /// Indexes of the rows that get in.
    pub(crate) fn kept(&self) -> impl Iterator<Item = usize> + use<'a> {
        let mut skip = self.skip.iter().peekable();
        (0..self.records.num_rows()).filter(move |row| skip.next_if_eq(&row).is_none())
    }
}

/// The system columns of a batch.
#[derive(Clone, Debug)]
pub(crate) struct SystemCells<'a> {
    pub(crate) values: &'a SystemValues,
    pub(crate) run_seed: u64,
    /// Whether the table gets a generated identity, for want of a key.
    pub(crate) keyless: bool,
    /// Where the rows of a subtable come from; `None` for records.
    pub(crate) origin: Option<Origin<'a>>,
}

/// The records and arrays that the rows of a subtable come from.
#[derive(Clone, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) root_rows: &'a [u32],
    pub(crate) levels: &'a [Arc<[i32]>],
    /// The records' key, one field's cells for each key column; none for keyless tables.
    pub(crate) key: Vec<Vec<Cells<'a>>>,
}

/// One system column's value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SystemCell<'a> {
    Instant(i64),
    Integer(i64),
    Identity([u8; 36]),
    /// A key value of the record in that row.
    Key(Cells<'a>, usize),
}

impl<'a> SystemCells<'a> {
    /// Names of the columns of a table, in order.
    pub(crate) fn names(keyless: bool) -> Vec<String> {
        system::columns(keyless)
            .into_iter()
            .map(|column| column.name)
            .collect()
    }

    /// Names of the columns of a subtable of arrays in so many levels, in order.
    pub(crate) fn subtable_names(key: &[String], levels: usize) -> Vec<String> {
        let key = match key {
            [] => RecordKey::Generated(0),
            names => {
                let same = names.iter().map(|name| (name.clone(), name.clone()));
                RecordKey::Fields(same.collect())
            }
        };
        let mut names = key.subtable_key(levels);
        names.extend(Self::names(false));
        names
    }

    /// Puts the values of a row into `cells`, in the order of the names. Not every source says when it extracted a record.
    pub(crate) fn row(&self, row: usize, cells: &mut Vec<Option<SystemCell<'a>>>) {
        cells.clear();
        let identity = |root: usize| {
            let identity = self.values.sequences.identity(root);
            Some(SystemCell::Identity(system::generated_primary_key(
                self.run_seed,
                identity,
            )))
        };
        let root = match &self.origin {
            None => row,
            Some(origin) => {
                let root = origin.root_rows[row] as usize;
                if self.keyless {
                    cells.push(identity(root));
                }
                for key in &origin.key {
                    let value = key.iter().find(|cells| !cells.is_null(root));
                    cells.push(value.map(|value| SystemCell::Key(*value, root)));
                }
                for level in origin.levels {
                    cells.push(Some(SystemCell::Integer(level[row].into())));
                }
                root
            }
        };
        let values = self.values;
        cells.extend([
            values.extracted_at.at(root).map(SystemCell::Instant),
            values.received_at.at(root).map(SystemCell::Instant),
            Some(SystemCell::Instant(values.batched_at.as_micros())),
            Some(SystemCell::Integer(values.sequences.at(root))),
            Some(SystemCell::Integer(values.table_version)),
        ]);
        if self.keyless && self.origin.is_none() {
            cells.push(identity(root));
        }
    }
}

impl SystemCell<'_> {
    pub(crate) fn push_text(&self, out: &mut Vec<u8>) {
        match self {
            Self::Instant(micros) => push_instant(out, *micros),
            Self::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Identity(text) => out.extend_from_slice(text),
            Self::Key(cells, row) => cells.push_text(*row, out),
        }
    }

    pub(crate) fn push_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(_) => self.push_text(out),
            Self::Key(cells, row) => cells.push_json(*row, out),
            Self::Instant(_) | Self::Identity(_) => {
                out.push(b'"');
                self.push_text(out);
                out.push(b'"');
            }
        }
    }
}
