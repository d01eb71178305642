//! Tables in memory, with the semantics every destination has: upsert by key, replacement in one step.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use async_trait::async_trait;
use selvedge_connector::{
    Books, CheckContext, CheckReport, Checkpoint, CommitReport, ConnectorError, Destination,
    ErrorKind, LoadContext, LoadMode, LogicalType, Nesting, ShapedBatch, TableTarget, TableWriter,
    TypeFidelity,
};

use crate::workload::DeliveredRow;

/// A row: its sequence, and its values as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryRow {
    pub sequence: i64,
    pub values: BTreeMap<String, Option<String>>,
}

#[derive(Debug, Default)]
struct Tables {
    rows: BTreeMap<String, Vec<MemoryRow>>,
    /// The last commit of each table: epoch and position.
    positions: BTreeMap<String, (i64, String)>,
}

/// Holds committed rows; clones share them. Booleans, integers, doubles, timestamps and texts only.
#[derive(Clone, Debug, Default)]
pub struct MemoryDestination {
    tables: Arc<Mutex<Tables>>,
}

impl MemoryDestination {
    /// The rows of `<schema>.<table>`; `None` before the first commit with rows.
    pub fn rows(&self, table: &str) -> Option<Vec<MemoryRow>> {
        self.lock().rows.get(table).cloned()
    }

    /// The same as the workload's oracle reads them.
    pub fn delivered(&self, table: &str) -> Vec<DeliveredRow> {
        let text = |row: &MemoryRow, name: &str| row.values.get(name).cloned().flatten();
        let number = |row: &MemoryRow, name: &str| text(row, name)?.parse().ok();
        self.rows(table)
            .unwrap_or_default()
            .iter()
            .map(|row| DeliveredRow {
                table: text(row, "row_table"),
                key: number(row, "row_key"),
                version: number(row, "row_version"),
                check: text(row, "row_check"),
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Destination for MemoryDestination {
    fn display_name(&self) -> &'static str {
        "memory"
    }

    fn nesting(&self) -> Nesting {
        Nesting::Json
    }

    fn fidelity(&self) -> TypeFidelity {
        TypeFidelity::Stitch
    }

    async fn check(&self, _: &CheckContext) -> Result<CheckReport, ConnectorError> {
        let mut report = CheckReport::default();
        report.passed("look into memory");
        Ok(report)
    }

    async fn open(
        &self,
        _: LoadContext,
        target: TableTarget,
    ) -> Result<Box<dyn TableWriter>, ConnectorError> {
        let committed = self
            .lock()
            .positions
            .get(&table_name(&target))
            .filter(|(epoch, _)| *epoch == target.identity.epoch)
            .map(|(_, position)| position.clone());
        Ok(Box::new(Writer {
            destination: self.clone(),
            target,
            committed,
            pending: Vec::new(),
            replacement: Vec::new(),
        }))
    }
}

struct Writer {
    destination: MemoryDestination,
    target: TableTarget,
    committed: Option<String>,
    pending: Vec<MemoryRow>,
    /// Committed rows of a replacement that is not active yet.
    replacement: Vec<MemoryRow>,
}

impl Writer {
    fn commit_pending(&mut self, upto: Checkpoint) -> CommitReport {
        let pending = std::mem::take(&mut self.pending);
        let key = &self.target.key;
        let replaces = self.target.mode == LoadMode::Replace;
        let mut books = Books::default();
        if replaces {
            merge(&mut self.replacement, pending, key, &mut books);
        } else if !pending.is_empty() {
            let mut tables = self.destination.lock();
            let table = tables.rows.entry(table_name(&self.target)).or_default();
            merge(table, pending, key, &mut books);
            self.mark(&mut tables, upto);
        }
        CommitReport {
            books,
            durable: !replaces,
            ..CommitReport::default()
        }
    }

    fn mark(&self, tables: &mut Tables, upto: Checkpoint) {
        if let Some(position) = upto.position {
            let mark = (self.target.identity.epoch, position);
            tables.positions.insert(table_name(&self.target), mark);
        }
    }
}

#[async_trait]
impl TableWriter for Writer {
    fn table_name(&self) -> &str {
        &self.target.table_name
    }

    fn committed_position(&self) -> Option<&str> {
        self.committed.as_deref()
    }

    async fn write(&mut self, batch: ShapedBatch) -> Result<(), ConnectorError> {
        for index in 0..batch.records.num_rows() {
            self.pending.push(MemoryRow {
                sequence: batch.system.sequences.at(index),
                values: values(&batch, index)?,
            });
        }
        Ok(())
    }

    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        Ok(self.commit_pending(upto))
    }

    async fn finish(mut self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let mut report = self.commit_pending(upto.clone());
        if self.target.mode == LoadMode::Replace {
            let rows = std::mem::take(&mut self.replacement);
            let mut tables = self.destination.lock();
            tables.rows.insert(table_name(&self.target), rows);
            self.mark(&mut tables, upto);
            report.durable = true;
        }
        Ok(report)
    }
}

fn table_name(target: &TableTarget) -> String {
    format!("{}.{}", target.schema_name, target.table_name)
}

/// Upserts by key, the greater sequence winning; appends without a key.
fn merge(table: &mut Vec<MemoryRow>, rows: Vec<MemoryRow>, key: &[String], books: &mut Books) {
    if key.is_empty() {
        books.written += rows.len() as u64;
        table.extend(rows);
        return;
    }
    let key_of = |row: &MemoryRow| -> Option<Vec<String>> {
        key.iter()
            .map(|name| row.values.get(name).cloned().flatten())
            .collect()
    };
    let mut positions: BTreeMap<Vec<String>, usize> = table
        .iter()
        .enumerate()
        .filter_map(|(position, row)| Some((key_of(row)?, position)))
        .collect();
    let stored = table.len();
    // Rows of this load may replace each other; rows from before are replaced without a word.
    let mut replaced = vec![false; stored];
    for row in rows {
        let Some(key) = key_of(&row) else {
            books.null_key += 1;
            continue;
        };
        match positions.get(&key) {
            None => {
                positions.insert(key, table.len());
                table.push(row);
                books.written += 1;
            }
            Some(&position) if position < stored && table[position].sequence >= row.sequence => {
                books.older_sequence += 1;
            }
            Some(&position) if position < stored && !replaced[position] => {
                replaced[position] = true;
                table[position] = row;
                books.written += 1;
            }
            Some(&position) => {
                // On a tie the later one wins.
                if table[position].sequence <= row.sequence {
                    table[position] = row;
                }
                books.superseded += 1;
            }
        }
    }
}

fn values(
    batch: &ShapedBatch,
    index: usize,
) -> Result<BTreeMap<String, Option<String>>, ConnectorError> {
    let mut values = BTreeMap::new();
    for (position, field) in batch.schema.fields.iter().enumerate() {
        let value = cell(&batch.records, position, &field.logical_type, index)?;
        values.insert(field.name.clone(), value);
    }
    Ok(values)
}

fn cell(
    records: &RecordBatch,
    position: usize,
    logical_type: &LogicalType,
    index: usize,
) -> Result<Option<String>, ConnectorError> {
    let column = records.column(position);
    if column.is_null(index) {
        return Ok(None);
    }
    Ok(Some(match logical_type {
        LogicalType::Boolean => column.as_boolean().value(index).to_string(),
        LogicalType::Int16 => column.as_primitive::<Int16Type>().value(index).to_string(),
        LogicalType::Int32 => column.as_primitive::<Int32Type>().value(index).to_string(),
        LogicalType::Int64 => column.as_primitive::<Int64Type>().value(index).to_string(),
        LogicalType::Float64 => column
            .as_primitive::<Float64Type>()
            .value(index)
            .to_string(),
        LogicalType::Timestamp => column
            .as_primitive::<TimestampMicrosecondType>()
            .value(index)
            .to_string(),
        LogicalType::Text | LogicalType::DecimalText => {
            column.as_string::<i32>().value(index).to_owned()
        }
        other => {
            return Err(ConnectorError::new(
                ErrorKind::Data,
                format!("the memory destination holds no {other:?}"),
            ));
        }
    }))
}
