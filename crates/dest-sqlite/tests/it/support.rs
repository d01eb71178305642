//! A file to load into, streams to load, and what is in the file afterwards.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, new_null_array,
};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectionConfig, ConnectorError, Destination, Field,
    Instants, LoadContext, LoadMode, LogicalType, Nesting, Sequences, ShapedBatch, StreamIdentity,
    StreamSchema, SystemValues, TableTarget, TableWriter,
};
use selvedge_dest_sqlite::SqliteDestination;
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_shape::json::JsonShaper;
use selvedge_testkit::clock::FakeClock;
use selvedge_types::Timestamp;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A warehouse file in a directory of its own; the file comes with the first row.
pub(crate) struct Warehouse {
    pub(crate) directory: TempDir,
    pub(crate) path: PathBuf,
}

/// A cell as tests write it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(&'static str),
    Double(f64),
    Bool(bool),
}

impl Warehouse {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("account").join("warehouse.db");
        Self { directory, path }
    }

    pub(crate) fn destination(&self) -> SqliteDestination {
        SqliteDestination::new(&ConnectionConfig::default(), self.path.clone()).unwrap()
    }

    pub(crate) async fn open(
        &self,
        ctx: LoadContext,
        target: TableTarget,
    ) -> Result<Box<dyn TableWriter>, ConnectorError> {
        self.destination().open(ctx, target).await
    }

    /// One run: all batches, then the end.
    pub(crate) async fn load(
        &self,
        target: TableTarget,
        batches: Vec<ShapedBatch>,
    ) -> CommitReport {
        let mut writer = self.open(context(1), target).await.unwrap();
        for batch in batches {
            writer.write(batch).await.unwrap();
        }
        writer.finish(checkpoint(1)).await.unwrap()
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap();
    }

    /// Rows of a query, cells joined by `|`.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        rows(&self.connection(), sql)
    }

    /// Columns of a table as `name type`, system columns left out.
    pub(crate) fn columns(&self, table: &str) -> Vec<String> {
        self.rows(&format!(
            "select name || ' ' || lower(type) from pragma_table_info('{table}')
             where name not like '\\_sdc%' escape '\\' and name <> '__sdc_primary_key'"
        ))
    }

    /// Names of all tables and indexes.
    pub(crate) fn objects(&self) -> Vec<String> {
        self.rows("select name from sqlite_schema where name not like 'sqlite_%' order by name")
    }
}

pub(crate) fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    statement
        .query_map([], |row| {
            let cells: Vec<String> = (0..width)
                .map(|index| match row.get_ref(index).unwrap() {
                    ValueRef::Null => "null".to_owned(),
                    ValueRef::Integer(value) => value.to_string(),
                    ValueRef::Real(value) => format!("{value:?}"),
                    ValueRef::Text(text) => String::from_utf8(text.to_vec()).unwrap(),
                    ValueRef::Blob(bytes) => format!("{bytes:?}"),
                })
                .collect();
            Ok(cells.join("|"))
        })
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap()
}

pub(crate) fn context(fence: i64) -> LoadContext {
    LoadContext {
        dialer: Dialer::new(NetworkPolicy::default(), std::time::Duration::from_secs(1)),
        clock: Arc::new(FakeClock::at("2031-02-03T04:05:06Z")),
        stop: CancellationToken::new(),
        fence,
        run_seed: 42,
    }
}

pub(crate) fn checkpoint(number: i64) -> Checkpoint {
    Checkpoint {
        number,
        position: Some(format!("position {number}")),
    }
}

/// A merge of `shop.<table>` by `key`.
pub(crate) fn merge(table: &str, key: &[&str]) -> TableTarget {
    TableTarget {
        identity: StreamIdentity {
            source_id: 100_001,
            tap_stream_id: format!("db-public-{table}"),
            epoch: 1,
        },
        schema_name: "shop".to_owned(),
        table_name: table.to_owned(),
        schema: StreamSchema::new(Vec::new()),
        key: key.iter().map(|name| (*name).to_owned()).collect(),
        mode: LoadMode::Merge,
        table_version: 0,
    }
}

/// A replacement of `shop.<table>` by version `table_version`.
pub(crate) fn replace(table: &str, key: &[&str], table_version: i64) -> TableTarget {
    TableTarget {
        mode: LoadMode::Replace,
        table_version,
        ..merge(table, key)
    }
}

/// Rows under `fields`, sequences from `first_sequence`.
pub(crate) fn batch(
    first_sequence: i64,
    fields: &[(&str, LogicalType)],
    rows: &[&[Cell]],
) -> ShapedBatch {
    let arrays = fields
        .iter()
        .enumerate()
        .map(|(index, (_, logical_type))| {
            let cells: Vec<Cell> = rows.iter().map(|row| row[index]).collect();
            array(logical_type, &cells)
        })
        .collect();
    shaped(first_sequence, fields, arrays)
}

pub(crate) fn shaped(
    first_sequence: i64,
    fields: &[(&str, LogicalType)],
    arrays: Vec<ArrayRef>,
) -> ShapedBatch {
    let schema = StreamSchema::new(
        fields
            .iter()
            .map(|(name, logical_type)| Field::new(*name, logical_type.clone()))
            .collect(),
    );
    let records = RecordBatch::try_new(schema.arrow_schema(), arrays).unwrap();
    ShapedBatch::of_columns(schema, records, system(first_sequence))
}

pub(crate) fn system(first_sequence: i64) -> SystemValues {
    let at = Timestamp::parse("2031-02-03T04:05:06.000007Z").unwrap();
    SystemValues {
        extracted_at: Instants::Same(Some(at)),
        received_at: Instants::Same(Some(at)),
        batched_at: at,
        sequences: Sequences::From(first_sequence),
        table_version: 0,
    }
}

/// Records of a stream as they are pushed, each with its sequence.
pub(crate) fn json(key: &[&str], records: &[(i64, &str)]) -> ShapedBatch {
    let key: Vec<String> = key.iter().map(|name| (*name).to_owned()).collect();
    shape_json(JsonShaper::new(Nesting::Subtables, "SQLite", &key), records)
}

/// The same with the JSON Schema of the records.
pub(crate) fn declared_json(
    key: &[&str],
    schema: &serde_json::Value,
    records: &[(i64, &str)],
) -> ShapedBatch {
    let key: Vec<String> = key.iter().map(|name| (*name).to_owned()).collect();
    let shaper = JsonShaper::with_schema(Nesting::Subtables, "SQLite", &key, schema);
    shape_json(shaper, records)
}

fn shape_json(mut shaper: JsonShaper, records: &[(i64, &str)]) -> ShapedBatch {
    for (_, record) in records {
        shaper.push(record).unwrap();
    }
    let system = SystemValues {
        sequences: records.iter().map(|(sequence, _)| *sequence).collect(),
        ..system(0)
    };
    shaper.finish(system).unwrap()
}

fn array(logical_type: &LogicalType, cells: &[Cell]) -> ArrayRef {
    match logical_type {
        LogicalType::Int64 => {
            Arc::new(Int64Array::from_iter(cells.iter().map(|cell| match cell {
                Cell::Int(value) => Some(*value),
                _ => None,
            })))
        }
        LogicalType::Float64 => Arc::new(Float64Array::from_iter(cells.iter().map(
            |cell| match cell {
                Cell::Double(value) => Some(*value),
                _ => None,
            },
        ))),
        LogicalType::Boolean => Arc::new(BooleanArray::from_iter(cells.iter().map(
            |cell| match cell {
                Cell::Bool(value) => Some(*value),
                _ => None,
            },
        ))),
        LogicalType::Text | LogicalType::DecimalText => Arc::new(StringArray::from_iter(
            cells.iter().map(|cell| match cell {
                Cell::Text(value) => Some(*value),
                _ => None,
            }),
        )),
        other => new_null_array(&other.arrow_type(), cells.len()),
    }
}

pub(crate) const ID_NAME: &[(&str, LogicalType)] =
    &[("id", LogicalType::Int64), ("name", LogicalType::Text)];

/// Rows `(id, name)`.
pub(crate) fn people(first_sequence: i64, rows: &[(i64, &'static str)]) -> ShapedBatch {
    let rows: Vec<[Cell; 2]> = rows
        .iter()
        .map(|(id, name)| [Cell::Int(*id), Cell::Text(name)])
        .collect();
    let rows: Vec<&[Cell]> = rows.iter().map(|row| row.as_slice()).collect();
    batch(first_sequence, ID_NAME, &rows)
}

pub(crate) fn written(written: u64) -> Books {
    Books {
        written,
        ..Books::default()
    }
}
