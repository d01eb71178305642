//! A destination table as the planner sees it: its columns, its key, and where the fields of the current schema go.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use selvedge_connector::StreamSchema;

use crate::plan::{FieldTarget, Layout};
use crate::{ColumnType, Dialect, RecordKey, Rejection, RowRejection, names, subtable_name};

/// Bytes of a split's suffix, for which the limits of column names leave room. Key columns are never split.
const SPLIT_SUFFIX: usize = 4;

/// A column to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub column_type: ColumnType,
}

impl Column {
    pub fn new(name: impl Into<String>, column_type: ColumnType) -> Self {
        Self {
            name: name.into(),
            column_type,
        }
    }
}

/// A column that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExistingColumn {
    pub name: String,
    /// `None` when its type is none of ours, or when it cannot be written: no value is ever put there.
    pub column_type: Option<ColumnType>,
}

impl From<Column> for ExistingColumn {
    fn from(column: Column) -> Self {
        Self {
            name: column.name,
            column_type: Some(column.column_type),
        }
    }
}

/// What a destination says about a table that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExistingTable {
    /// In the table's order, system columns included.
    pub columns: Vec<ExistingColumn>,
    /// Columns that count towards the destination's limit; more than `columns` where dropped ones still count.
    pub used_slots: usize,
}

/// One table of one stream, kept up to date while batches come in.
#[derive(Debug)]
pub struct TableShape {
    pub(crate) dialect: &'static Dialect,
    table_name: String,
    /// Source name and destination name of the key fields.
    pub(crate) key: Vec<(String, String)>,
    /// Whether the key is the engine's own: then its fields come first and have reserved names.
    pub(crate) is_subtable: bool,
    /// Whether the key still identifies rows. A key whose type changed does not.
    pub(crate) keyed: bool,
    pub(crate) exists: bool,
    pub(crate) columns: Vec<ExistingColumn>,
    pub(crate) used_slots: usize,
    pub(crate) layout: Option<Layout>,
    pub(crate) generation: u64,
}

impl TableShape {
    /// `key` are source names. Fails with the reason for which every record of the table is rejected: the table's name,
    /// or the name of a key column, cannot be used.
    pub fn new(
        dialect: &'static Dialect,
        schema_name: &str,
        stream_name: &str,
        key: &[String],
        existing: Option<ExistingTable>,
    ) -> Result<Self, Rejection> {
        let table_name = names::table(dialect, schema_name, stream_name)?;
        let mut named: Vec<(String, String)> = Vec::with_capacity(key.len());
        for source_name in key {
            let name = names::column(dialect, source_name)?;
            if named
                .iter()
                .any(|(_, other)| dialect.same_column(other, &name))
            {
                return Err(Rejection::Collision { column: name });
            }
            named.push((source_name.clone(), name));
        }
        Ok(Self::with_key(dialect, table_name, named, false, existing))
    }

    /// The subtable of the array at `path` in the records of the stream. Fails with the reason for which the array's items
    /// have no place: the table's name, or the name of a key column, cannot be used.
    pub fn subtable(
        dialect: &'static Dialect,
        schema_name: &str,
        stream_name: &str,
        path: &[String],
        key: Vec<String>,
        existing: Option<ExistingTable>,
    ) -> Result<Self, Rejection> {
        let table_name = subtable_name(dialect, stream_name, path)?;
        let table_name = names::table(dialect, schema_name, &table_name)?;
        let room = dialect.max_column_name.map(|limit| limit + SPLIT_SUFFIX);
        if let Some(column) = key
            .iter()
            .find(|name| room.is_some_and(|room| name.len() > room))
        {
            return Err(Rejection::ColumnNameTooLong {
                column: column.clone(),
                destination: dialect.display_name,
            });
        }
        let named = key.into_iter().map(|name| (name.clone(), name)).collect();
        Ok(Self::with_key(dialect, table_name, named, true, existing))
    }

    fn with_key(
        dialect: &'static Dialect,
        table_name: String,
        key: Vec<(String, String)>,
        is_subtable: bool,
        existing: Option<ExistingTable>,
    ) -> Self {
        let exists = existing.is_some();
        let ExistingTable {
            columns,
            used_slots,
        } = existing.unwrap_or_default();
        let mut shape = Self {
            dialect,
            table_name,
            keyed: !key.is_empty(),
            key,
            is_subtable,
            exists,
            used_slots: used_slots.max(columns.len()),
            columns,
            layout: None,
            generation: 0,
        };
        // A key column that was split once identifies nothing any more.
        shape.keyed &= shape
            .key
            .iter()
            .all(|(_, name)| shape.position(name).is_some() || !shape.occupied(name));
        shape
    }

    /// The table's name in the destination.
    pub fn table_name(&self) -> &str {
        &self.table_name
    }

    pub fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// Whether the table is there, counting a planned creation.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// All columns after the changes planned so far; an index stays valid for as long as the shape lives.
    pub fn columns(&self) -> &[ExistingColumn] {
        &self.columns
    }

    /// A column by its destination name.
    pub fn column(&self, name: &str) -> Option<&ExistingColumn> {
        self.position(name).map(|index| &self.columns[index])
    }

    /// A split column whose siblings are gone. Where splits rename, they leave at least two columns, so somebody dropped the
    /// others, and new values would end up beside a gap that nobody can see.
    pub fn lone_split_column(&self, schema: &StreamSchema) -> Option<&str> {
        if !self.dialect.rename_original_column_in_split {
            return None;
        }
        schema.fields.iter().find_map(|field| {
            let base = names::field(self.dialect, field).ok()?;
            if self.position(&base).is_some() {
                return None;
            }
            let mut parts = self.dialect.split_suffixes.iter().filter_map(|suffix| {
                let index = self.position(&format!("{base}__{suffix}"))?;
                Some(self.columns[index].name.as_str())
            });
            parts.next().filter(|_| parts.next().is_none())
        })
    }

    /// Whether the stream declares a key, even one that no longer identifies rows.
    pub fn declares_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// Destination names of the key columns; `None` for keyless tables and when the key no longer identifies rows.
    pub fn key_columns(&self) -> Option<Vec<&str>> {
        self.keyed
            .then(|| self.key.iter().map(|(_, name)| name.as_str()).collect())
    }

    /// By what the items of the records' arrays are told apart; `run_seed` is that of keyless tables.
    pub fn record_key(&self, run_seed: u64) -> RecordKey {
        match self.key.is_empty() {
            true => RecordKey::Generated(run_seed),
            false => RecordKey::Fields(self.key.clone()),
        }
    }

    /// From now on rows are not told apart by key: the table's own key is another one.
    pub fn give_up_key(&mut self) {
        self.keyed = false;
    }

    /// Changes whenever a field's target or a column changed.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Where the fields of the last planned batch go, in the order of its schema.
    pub fn targets(&self) -> &[FieldTarget] {
        self.layout.as_ref().map_or(&[], |layout| &layout.targets)
    }

    /// Rows without a complete key, ascending. Empty for tables without a key, and cheap when no key is NULL.
    pub fn null_key_rows(&self, schema: &StreamSchema, records: &RecordBatch) -> Vec<usize> {
        let mut missing = Vec::new();
        if !self.keyed {
            return missing;
        }
        for (source_name, _) in &self.key {
            let fields: Vec<usize> = (0..schema.fields.len())
                .filter(|index| schema.fields[*index].is_top_level(source_name))
                .collect();
            if let [field] = fields[..]
                && records.column(field).null_count() == 0
            {
                continue;
            }
            missing.extend((0..records.num_rows()).filter(|row| {
                fields
                    .iter()
                    .all(|field| records.column(*field).is_null(*row))
            }));
        }
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Records of the batch planned last that do not get in, by ascending row; one reason each.
    pub fn row_rejections(&self, records: &RecordBatch) -> Vec<RowRejection> {
        let Some(layout) = self.layout.as_ref().filter(|layout| layout.judges_rows()) else {
            return Vec::new();
        };
        (0..records.num_rows())
            .filter_map(|row| {
                let set = |field: usize| !records.column(field).is_null(row);
                let reason = layout.reason(set)?;
                Some(RowRejection { row, reason })
            })
            .collect()
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns
            .iter()
            .position(|column| self.dialect.same_column(&column.name, name))
    }

    pub(crate) fn is_planned_for(&self, schema: &Arc<StreamSchema>) -> bool {
        self.layout
            .as_ref()
            .is_some_and(|layout| Arc::ptr_eq(&layout.schema, schema) || layout.schema == *schema)
    }
}
