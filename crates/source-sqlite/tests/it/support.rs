//! A file to read, and a reader that keeps what it was told.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use rusqlite::Connection;
use selvedge_connector::{
    Catalog, ConnectionConfig, ConnectorError, DiscoverContext, Field, KeyBound, LogLevel,
    LogicalType, ReadContext, ReadMethod, Source, SourceBatch, SourceEvent, StreamLocation,
    StreamRead, StreamSchema, TypeFidelity, event_channel,
};
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_source_sqlite::{SourceFiles, SqliteSource};
use selvedge_testkit::clock::FakeClock;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A SQLite file in an allowed directory of its own.
pub(crate) struct SourceFile {
    pub(crate) directory: TempDir,
    pub(crate) path: PathBuf,
}

/// What a read said.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) batches: Vec<SourceBatch>,
    /// Rows before each key that was passed, and the key.
    pub(crate) passed: Vec<(usize, String)>,
    pub(crate) positions: Vec<String>,
    pub(crate) logs: Vec<(LogLevel, String)>,
}

impl SourceFile {
    /// A file `shop.db` made by `sql`.
    pub(crate) fn with(sql: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.db");
        let file = Self { directory, path };
        file.connection().execute_batch(sql).unwrap();
        file
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    pub(crate) fn source(&self) -> SqliteSource {
        source(
            &self.path,
            &SourceFiles {
                allowed_directories: vec![self.directory.path().to_owned()],
                forbidden: Vec::new(),
            },
        )
    }

    pub(crate) async fn discover(&self, fidelity: TypeFidelity) -> Catalog {
        self.source()
            .discover(&DiscoverContext {
                dialer: dialer(),
                stop: CancellationToken::new(),
                fidelity,
            })
            .await
            .unwrap()
    }

    /// Reads `table` with the fields as discovered.
    pub(crate) async fn read(
        &self,
        table: &str,
        method: ReadMethod,
        ctx: ReadContext,
    ) -> Result<Heard, ConnectorError> {
        let catalog = self.discover(ctx.fidelity).await;
        let stream = catalog
            .streams
            .iter()
            .find(|stream| stream.stream_name == table)
            .expect("the table was discovered");
        let fields = stream
            .fields
            .iter()
            .filter_map(|field| Some(Field::new(field.name.clone(), field.logical_type.clone()?)))
            .collect();
        self.read_fields(table, fields, method, ctx).await
    }

    pub(crate) async fn read_fields(
        &self,
        table: &str,
        fields: Vec<Field>,
        method: ReadMethod,
        ctx: ReadContext,
    ) -> Result<Heard, ConnectorError> {
        let (sender, mut receiver) = event_channel(2);
        let source = self.source();
        let stream = stream(table, fields, method);
        let reading = tokio::spawn(async move { source.read(ctx, stream, sender).await });
        let mut heard = Heard::default();
        while let Some(event) = receiver.recv().await {
            match event {
                SourceEvent::Batch(batch) => heard.batches.push(batch),
                SourceEvent::Passed(position) => heard.passed.push((heard.row_count(), position)),
                SourceEvent::Position(position) => heard.positions.push(position),
                SourceEvent::Log(level, text) => heard.logs.push((level, text)),
            }
        }
        reading.await.unwrap()?;
        Ok(heard)
    }
}

impl Heard {
    pub(crate) fn row_count(&self) -> usize {
        let rows = self.batches.iter().map(|batch| batch.records.num_rows());
        rows.sum()
    }

    /// All cells of the fields called `name`, as `type:value` of whichever field is set.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let mut cells = Vec::new();
        for batch in &self.batches {
            for row in 0..batch.records.num_rows() {
                cells.push(cell(batch, name, row));
            }
        }
        cells
    }

    pub(crate) fn log_text(&self) -> String {
        self.logs
            .iter()
            .map(|(level, text)| format!("{} {text}\n", level.as_str()))
            .collect()
    }
}

fn cell(batch: &SourceBatch, name: &str, row: usize) -> String {
    let mut found = batch
        .schema
        .fields
        .iter()
        .enumerate()
        .filter(|(index, field)| field.name == name && batch.records.column(*index).is_valid(row))
        .map(|(index, field)| render(&batch.records, index, row, &field.logical_type));
    let first = found.next().unwrap_or_else(|| "null".to_owned());
    assert!(found.next().is_none(), "two fields of {name} are set");
    first
}

fn render(records: &RecordBatch, index: usize, row: usize, logical_type: &LogicalType) -> String {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
    let array = records.column(index);
    match logical_type {
        LogicalType::Boolean => format!("boolean:{}", array.as_boolean().value(row)),
        LogicalType::Int64 => format!("integer:{}", array.as_primitive::<Int64Type>().value(row)),
        LogicalType::Float64 => {
            format!("double:{}", array.as_primitive::<Float64Type>().value(row))
        }
        LogicalType::DecimalText => format!("decimal:{}", array.as_string::<i32>().value(row)),
        LogicalType::Text => format!("text:{}", array.as_string::<i32>().value(row)),
        LogicalType::Json => format!("json:{}", array.as_string::<i32>().value(row)),
        LogicalType::Timestamp | LogicalType::TimestampTz => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            format!(
                "time:{}",
                selvedge_types::Timestamp::from_micros(micros).to_micros_string()
            )
        }
        LogicalType::Date => format!("date:{}", array.as_primitive::<Date32Type>().value(row)),
        LogicalType::Bytes => format!("bytes:{:?}", array.as_binary::<i32>().value(row)),
        other => panic!("no rendering for {other:?}"),
    }
}

pub(crate) fn source(path: &std::path::Path, files: &SourceFiles) -> SqliteSource {
    let config = ConnectionConfig::new([(
        "path".to_owned(),
        path.to_str().expect("a test path is UTF-8").into(),
    )]);
    SqliteSource::new(&config, files).unwrap()
}

pub(crate) fn stream(table: &str, fields: Vec<Field>, method: ReadMethod) -> StreamRead {
    StreamRead {
        tap_stream_id: format!("shop-main-{table}"),
        location: StreamLocation {
            database: "shop".to_owned(),
            schema: "main".to_owned(),
            table: table.to_owned(),
        },
        schema: StreamSchema::new(fields),
        method,
    }
}

pub(crate) fn dialer() -> Dialer {
    Dialer::new(NetworkPolicy::default(), std::time::Duration::from_secs(1))
}

pub(crate) fn context() -> ReadContext {
    ReadContext {
        dialer: dialer(),
        clock: Arc::new(FakeClock::at("2031-01-01T00:00:00Z")),
        stop: CancellationToken::new(),
        fidelity: TypeFidelity::Stitch,
        batch_bytes: 1 << 20,
        batch_rows: 1_000,
    }
}

pub(crate) fn incremental(key: &str, from: Option<&str>) -> ReadMethod {
    ReadMethod::Incremental {
        key: key.to_owned(),
        from: from.map(|value| KeyBound {
            value: value.to_owned(),
            inclusive: true,
        }),
    }
}
