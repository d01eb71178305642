//! A database, a writer and batches for the tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectionConfig, ConnectorError, Destination, Field,
    Instants, LoadContext, LoadMode, LogicalType, Nesting, Sequences, ShapedBatch, StreamIdentity,
    StreamSchema, SystemValues, TableTarget, TableWriter,
};
use selvedge_dest_postgres::PostgresDestination;
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_shape::json::JsonShaper;
use selvedge_testkit::clock::FakeClock;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_types::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

pub(crate) const SCHEMA: &str = "shop";
pub(crate) const EXTRACTED_AT: &str = "2031-02-03T04:05:06.789012Z";

/// A fresh database with its destination and a session that looks at what was written.
pub(crate) struct Warehouse {
    pub(crate) database: TestDatabase,
    pub(crate) destination: PostgresDestination,
    pub(crate) client: Client,
    sequence: AtomicI64,
}

pub(crate) fn settings(database: &TestDatabase, more: Value) -> ConnectionConfig {
    let mut properties = json!({
        "host": database.host, "port": database.port, "database": database.name,
        "username": database.user, "password": database.password,
    });
    if let (Value::Object(base), Value::Object(more)) = (&mut properties, more) {
        base.extend(more);
    }
    match properties {
        Value::Object(properties) => ConnectionConfig::new(properties),
        _ => unreachable!("settings are an object"),
    }
}

pub(crate) fn dialer() -> Dialer {
    let policy = NetworkPolicy {
        private: true,
        ..NetworkPolicy::default()
    };
    Dialer::new(policy, Duration::from_secs(10))
}

impl Warehouse {
    pub(crate) async fn create() -> Self {
        Self::within(TestDatabase::create().await).await
    }

    /// With a session of its own in a database that is there.
    pub(crate) async fn within(database: TestDatabase) -> Self {
        let client = database.connect().await;
        let destination = PostgresDestination::new(&settings(&database, json!({}))).unwrap();
        Self {
            database,
            destination,
            client,
            sequence: AtomicI64::new(1_000),
        }
    }

    pub(crate) fn target(&self, key: &[&str], mode: LoadMode) -> TableTarget {
        TableTarget {
            identity: StreamIdentity {
                source_id: 1,
                tap_stream_id: "shop-public-orders".to_owned(),
                epoch: 1,
            },
            schema_name: SCHEMA.to_owned(),
            table_name: "orders".to_owned(),
            schema: StreamSchema::new(Vec::new()),
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            mode,
            table_version: 5,
        }
    }

    pub(crate) async fn open(
        &self,
        target: TableTarget,
        fence: i64,
    ) -> Result<Box<dyn TableWriter>, ConnectorError> {
        self.destination
            .open(context(fence, CancellationToken::new()), target)
            .await
    }

    /// A batch whose sequences follow those of all batches before it.
    pub(crate) fn batch(&self, fields: Fields) -> ShapedBatch {
        let rows = fields.first().map_or(0, |(_, _, array)| array.len());
        let first = self
            .sequence
            .fetch_add(i64::try_from(rows).unwrap(), Ordering::SeqCst);
        batch_from(fields, first)
    }

    /// One run from open to finish.
    pub(crate) async fn run(&self, target: TableTarget, batches: Vec<ShapedBatch>) -> CommitReport {
        self.try_run(target, batches).await.unwrap()
    }

    pub(crate) async fn try_run(
        &self,
        target: TableTarget,
        batches: Vec<ShapedBatch>,
    ) -> Result<CommitReport, ConnectorError> {
        let rows: usize = batches.iter().map(ShapedBatch::record_count).sum();
        let mut writer = self.open(target, 1).await?;
        for batch in batches {
            writer.write(batch).await?;
        }
        let report = writer.finish(checkpoint(1)).await?;
        assert_eq!(report.books.total(), rows as u64, "{:?}", report.books);
        Ok(report)
    }

    /// Every row of a query as text, columns joined with `|`, NULL as `-`.
    pub(crate) async fn rows(&self, query: &str) -> Vec<String> {
        rows(&self.client, query).await
    }

    /// Names of the columns of `shop.orders` in order.
    pub(crate) async fn columns(&self) -> Vec<String> {
        self.rows(
            "select attname from pg_attribute
             where attrelid = 'shop.orders'::regclass and attnum > 0 and not attisdropped order by attnum",
        )
        .await
    }

    pub(crate) async fn data_columns(&self) -> Vec<String> {
        let mut columns = self.columns().await;
        columns.retain(|name| !name.contains("_sdc_"));
        columns
    }

    pub(crate) async fn primary_key(&self) -> Vec<String> {
        self.rows(
            "select conname, pg_get_constraintdef(oid) from pg_constraint
             where conrelid = 'shop.orders'::regclass and contype = 'p'",
        )
        .await
    }

    pub(crate) async fn mark(&self) -> Vec<String> {
        self.rows(
            "select epoch, checkpoint, fence, position, table_name, table_version, state
             from shop._sdc_selvedge_commits",
        )
        .await
    }

    pub(crate) async fn exists(&self, table: &str) -> bool {
        let query = format!("select to_regclass('shop.{table}') is not null");
        self.rows(&query).await == ["true"]
    }
}

/// JSON records with their sequences as one batch; `schema` is a JSON Schema, `{}` for none.
pub(crate) fn json_batch(key: &[&str], schema: &Value, records: &[(i64, Value)]) -> ShapedBatch {
    let texts: Vec<(i64, String)> = records
        .iter()
        .map(|(sequence, record)| (*sequence, record.to_string()))
        .collect();
    text_batch(key, schema, &texts)
}

/// The same from texts, for records that a parser would change.
pub(crate) fn text_batch(key: &[&str], schema: &Value, records: &[(i64, String)]) -> ShapedBatch {
    let key: Vec<String> = key.iter().map(|name| (*name).to_owned()).collect();
    let mut shaper = JsonShaper::with_schema(Nesting::Subtables, "PostgreSQL", &key, schema);
    let mut sequences = Vec::new();
    for (sequence, record) in records {
        if shaper.push(record).unwrap() {
            sequences.push(*sequence);
        }
    }
    let instant = Timestamp::parse(EXTRACTED_AT).unwrap();
    shaper
        .finish(SystemValues {
            extracted_at: Instants::Same(None),
            received_at: Instants::Each(
                sequences
                    .iter()
                    .map(|_| Some(instant.as_micros()))
                    .collect(),
            ),
            batched_at: instant,
            sequences: Sequences::Each(sequences.into()),
            table_version: 0,
        })
        .unwrap()
}

/// Every row of a query as text, columns joined with `|`, NULL as `-`.
pub(crate) async fn rows(client: &Client, query: &str) -> Vec<String> {
    let query = format!(
        "select (select string_agg(coalesce(value, '-'), '|' order by place)
                 from json_each_text(to_json(q)) with ordinality as c (name, value, place)) from ({query}) as q"
    );
    client
        .query(&query, &[])
        .await
        .unwrap_or_else(|error| panic!("{query}: {error:?}"))
        .iter()
        .map(|row| row.get(0))
        .collect()
}

pub(crate) fn context(fence: i64, stop: CancellationToken) -> LoadContext {
    LoadContext {
        dialer: dialer(),
        clock: Arc::new(FakeClock::at("2031-02-03T05:00:00Z")),
        stop,
        fence,
        run_seed: 42,
    }
}

pub(crate) fn checkpoint(number: i64) -> Checkpoint {
    Checkpoint {
        number,
        position: Some(format!("p{number}")),
    }
}

pub(crate) fn written(rows: u64) -> Books {
    Books {
        written: rows,
        ..Books::default()
    }
}

pub(crate) type Fields = Vec<(&'static str, LogicalType, ArrayRef)>;

pub(crate) fn batch_from(
    fields: Vec<(impl Into<String>, LogicalType, ArrayRef)>,
    first_sequence: i64,
) -> ShapedBatch {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = fields
        .into_iter()
        .map(|(name, logical_type, array)| (Field::new(name, logical_type), array))
        .unzip();
    let schema = StreamSchema::new(fields);
    let records = RecordBatch::try_new(schema.arrow_schema(), arrays).unwrap();
    let instant = Timestamp::parse(EXTRACTED_AT).unwrap();
    let system = SystemValues {
        extracted_at: Instants::Same(Some(instant)),
        received_at: Instants::Same(Some(instant)),
        batched_at: instant,
        sequences: Sequences::From(first_sequence),
        table_version: 5,
    };
    ShapedBatch::of_columns(schema, records, system)
}

pub(crate) fn int(
    name: &'static str,
    values: &[Option<i32>],
) -> (&'static str, LogicalType, ArrayRef) {
    let array = Int32Array::from(values.to_vec());
    (name, LogicalType::Int32, Arc::new(array))
}

pub(crate) fn long(
    name: &'static str,
    values: &[Option<i64>],
) -> (&'static str, LogicalType, ArrayRef) {
    let array = Int64Array::from(values.to_vec());
    (name, LogicalType::Int64, Arc::new(array))
}

pub(crate) fn text(
    name: &'static str,
    values: &[Option<&str>],
) -> (&'static str, LogicalType, ArrayRef) {
    let array = StringArray::from(values.to_vec());
    (name, LogicalType::Text, Arc::new(array))
}

pub(crate) fn float(
    name: &'static str,
    values: &[Option<f64>],
) -> (&'static str, LogicalType, ArrayRef) {
    let array = Float64Array::from(values.to_vec());
    (name, LogicalType::Float64, Arc::new(array))
}

pub(crate) fn boolean(
    name: &'static str,
    values: &[Option<bool>],
) -> (&'static str, LogicalType, ArrayRef) {
    let array = BooleanArray::from(values.to_vec());
    (name, LogicalType::Boolean, Arc::new(array))
}
