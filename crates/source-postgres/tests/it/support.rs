//! A database, a source on it, and the events of a read as plain data.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::DataType;
use selvedge_connector::{
    Catalog, ConnectionConfig, ConnectorError, DiscoverContext, DiscoveredStream, Field, KeyBound,
    LogLevel, ReadContext, ReadMethod, Source, SourceEvent, StreamRead, StreamSchema, TypeFidelity,
    event_channel,
};
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_source_postgres::PostgresSource;
use selvedge_testkit::clock::FakeClock;
use selvedge_testkit::postgres::TestDatabase;
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

pub(crate) use TypeFidelity::{Native, Stitch};

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) client: Client,
}

pub(crate) fn dialer() -> Dialer {
    let policy = NetworkPolicy {
        private: true,
        ..NetworkPolicy::default()
    };
    Dialer::new(policy, Duration::from_secs(5))
}

pub(crate) fn context(fidelity: TypeFidelity) -> ReadContext {
    ReadContext {
        dialer: dialer(),
        clock: Arc::new(FakeClock::at("2031-02-03T04:05:06Z")),
        stop: CancellationToken::new(),
        fidelity,
        batch_bytes: 1 << 20,
        batch_rows: 10_000,
    }
}

/// What a read emitted.
#[derive(Default)]
pub(crate) struct Events {
    pub(crate) batches: Vec<RecordBatch>,
    /// Rows before each key that was passed, and the key.
    pub(crate) passed: Vec<(usize, String)>,
    /// Rows before each position, and the position.
    pub(crate) positions: Vec<(usize, String)>,
    pub(crate) warnings: Vec<String>,
}

impl Events {
    pub(crate) fn row_count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// All rows as text; NULL is `∅`.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for batch in &self.batches {
            let columns: Vec<Vec<String>> = batch.columns().iter().map(texts).collect();
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|column| column[row].clone()).collect());
            }
        }
        rows
    }

    /// All values of the only column.
    pub(crate) fn column(&self) -> Vec<String> {
        self.rows().into_iter().flatten().collect()
    }
}

/// The values of a column as text; instants with a zone end in `Z`.
fn texts(column: &ArrayRef) -> Vec<String> {
    let zoned = matches!(column.data_type(), DataType::Timestamp(_, Some(_)));
    let column: ArrayRef = match zoned {
        true => Arc::new(
            column
                .as_primitive::<TimestampMicrosecondType>()
                .clone()
                .with_timezone_opt(None::<Arc<str>>),
        ),
        false => Arc::clone(column),
    };
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column.as_ref(), &options).unwrap();
    let text = |row| match (column.is_null(row), zoned) {
        (true, _) => "∅".to_owned(),
        (false, true) => format!("{}Z", formatter.value(row)),
        (false, false) => formatter.value(row).to_string(),
    };
    (0..column.len()).map(text).collect()
}

impl Fixture {
    /// A database in which `sql` has been run.
    pub(crate) async fn new(sql: &str) -> Self {
        let database = TestDatabase::create().await;
        let client = database.connect().await;
        client
            .batch_execute(sql)
            .await
            .expect("the test's SQL is right");
        Self { database, client }
    }

    pub(crate) fn properties(&self, change: Value) -> ConnectionConfig {
        let mut properties = json!({
            "host": self.database.host, "port": self.database.port.to_string(), "dbname": self.database.name,
            "user": self.database.user, "password": self.database.password,
        });
        if let (Value::Object(properties), Value::Object(change)) = (&mut properties, change) {
            properties.extend(change);
        }
        let Value::Object(properties) = properties else {
            unreachable!("an object was written above")
        };
        ConnectionConfig::new(properties)
    }

    pub(crate) fn source(&self) -> PostgresSource {
        self.source_with(json!({}))
    }

    pub(crate) fn source_with(&self, change: Value) -> PostgresSource {
        PostgresSource::new(&self.properties(change)).unwrap()
    }

    pub(crate) async fn discover(&self, fidelity: TypeFidelity) -> Catalog {
        discover(&self.source(), fidelity).await.unwrap()
    }

    /// The discovered stream of a table in `public`.
    pub(crate) async fn stream(&self, table: &str, fidelity: TypeFidelity) -> DiscoveredStream {
        let catalog = self.discover(fidelity).await;
        find(catalog, "public", table)
    }

    /// Reads the supported fields of a table in `public`.
    pub(crate) async fn read(&self, table: &str, fidelity: TypeFidelity) -> Events {
        let stream = self.stream(table, fidelity).await;
        read(
            &self.source(),
            context(fidelity),
            request(&stream, ReadMethod::FullTable),
        )
        .await
        .unwrap()
    }

    /// The values of one select expression, through a table.
    pub(crate) async fn values(&self, expression: &str, fidelity: TypeFidelity) -> Vec<String> {
        self.client
            .batch_execute(&format!(
                "drop table if exists one_value; create table one_value as {expression}"
            ))
            .await
            .expect("the test's SQL is right");
        self.read("one_value", fidelity).await.column()
    }
}

pub(crate) fn find(catalog: Catalog, schema: &str, table: &str) -> DiscoveredStream {
    catalog
        .streams
        .into_iter()
        .find(|stream| stream.location.schema == schema && stream.location.table == table)
        .unwrap_or_else(|| panic!("{schema}.{table} was not discovered"))
}

pub(crate) async fn discover(
    source: &PostgresSource,
    fidelity: TypeFidelity,
) -> Result<Catalog, ConnectorError> {
    let ctx = DiscoverContext {
        dialer: dialer(),
        stop: CancellationToken::new(),
        fidelity,
    };
    source.discover(&ctx).await
}

/// All supported fields.
pub(crate) fn request(stream: &DiscoveredStream, method: ReadMethod) -> StreamRead {
    let fields = stream
        .fields
        .iter()
        .filter_map(|field| Some(Field::new(field.name.clone(), field.logical_type.clone()?)))
        .collect();
    StreamRead {
        tap_stream_id: stream.tap_stream_id.clone(),
        location: stream.location.clone(),
        schema: StreamSchema::new(fields),
        method,
    }
}

/// Reads by `key`: everything, or from a value of it on.
pub(crate) fn incremental(key: &str, from: Option<&str>) -> ReadMethod {
    ReadMethod::Incremental {
        key: key.to_owned(),
        from: from.map(|value| KeyBound {
            value: value.to_owned(),
            inclusive: true,
        }),
    }
}

pub(crate) async fn read(
    source: &PostgresSource,
    ctx: ReadContext,
    stream: StreamRead,
) -> Result<Events, ConnectorError> {
    let (sender, mut receiver) = event_channel(4);
    let collect = async {
        let mut events = Events::default();
        while let Some(event) = receiver.recv().await {
            match event {
                SourceEvent::Batch(batch) => {
                    assert_eq!(batch.records.schema(), stream.schema.arrow_schema());
                    events.batches.push(batch.records);
                }
                SourceEvent::Passed(key) => {
                    events.passed.push((events.row_count(), key));
                }
                SourceEvent::Position(position) => {
                    events.positions.push((events.row_count(), position));
                }
                SourceEvent::Log(level, line) => {
                    assert_eq!(level, LogLevel::Warning);
                    events.warnings.push(line);
                }
            }
        }
        events
    };
    let (outcome, events) = tokio::join!(source.read(ctx, stream.clone(), sender), collect);
    outcome.map(|()| events)
}
