//! A schema, a writer and batches for the tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectionConfig, ConnectorError, Destination, Field,
    Instants, LoadContext, LoadMode, LogicalType, Sequences, ShapedBatch, StreamIdentity,
    StreamSchema, SystemValues, TableTarget, TableWriter,
};
use selvedge_dest_mysql::MysqlDestination;
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_testkit::clock::FakeClock;
use selvedge_testkit::mysql::{self, TestSchema};
use selvedge_types::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

pub(crate) const EXTRACTED_AT: &str = "2031-02-03T04:05:06.789012Z";

/// A schema of its own with its destination and a session that looks at what was written. In the texts of statements
/// `shop.` stands for the schema.
pub(crate) struct Warehouse {
    pub(crate) schema: TestSchema,
    pub(crate) destination: MysqlDestination,
    session: Mutex<Conn>,
    sequence: AtomicI64,
}

pub(crate) fn settings(schema: &TestSchema, more: Value) -> ConnectionConfig {
    let mut properties = json!({
        "host": schema.host, "port": schema.port, "username": schema.user, "password": schema.password,
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
        Self::on(TestSchema::choose()).await
    }

    /// On the strict server, which is this test's alone as long as it has the session.
    pub(crate) async fn create_strict() -> Self {
        let warehouse = Self::on(TestSchema::choose_strict()).await;
        let turn = warehouse.rows("select get_lock('strict', 120)").await;
        assert_eq!(turn, ["1"], "the other tests have the server for too long");
        warehouse
    }

    async fn on(schema: TestSchema) -> Self {
        let session = Mutex::new(schema.connect().await);
        let encrypted = json!({"ssl": schema.encrypted.to_string()});
        let destination = MysqlDestination::new(&settings(&schema, encrypted)).unwrap();
        Self {
            schema,
            destination,
            session,
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
            schema_name: self.schema.name.clone(),
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

    pub(crate) fn sql(&self, text: &str) -> String {
        text.replace("shop.", &format!("{}.", self.schema.name))
    }

    /// Every row of a query as text, columns joined with `|`, NULL as `-`.
    pub(crate) async fn rows(&self, query: &str) -> Vec<String> {
        mysql::rows(&mut *self.session.lock().await, &self.sql(query)).await
    }

    /// Runs statements as the user of the server, not of the destination.
    pub(crate) async fn execute(&self, statements: &[&str]) {
        for statement in statements {
            let statement = self.sql(statement);
            let done = self.session.lock().await.query_drop(&statement).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    /// The schema, before anything was loaded.
    pub(crate) async fn create_schema(&self) {
        let name = &self.schema.name;
        self.execute(&[&format!("create database {name} character set utf8mb4")])
            .await;
    }

    /// Names of the columns of `shop.orders` in order.
    pub(crate) async fn columns(&self) -> Vec<String> {
        self.rows(&format!(
            "select column_name from information_schema.columns
             where table_schema = '{}' and table_name = 'orders' order by ordinal_position",
            self.schema.name
        ))
        .await
    }

    pub(crate) async fn data_columns(&self) -> Vec<String> {
        let mut columns = self.columns().await;
        columns.retain(|name| !name.contains("_sdc_"));
        columns
    }

    /// Names of the columns of the primary key of `shop.orders`.
    pub(crate) async fn primary_key(&self) -> Vec<String> {
        self.rows(&format!(
            "select column_name from information_schema.statistics
             where table_schema = '{}' and table_name = 'orders' and index_name = 'PRIMARY' order by seq_in_index",
            self.schema.name
        ))
        .await
    }

    pub(crate) async fn mark(&self) -> Vec<String> {
        self.rows(
            "select epoch, checkpoint, fence, position, table_name, table_version, state
             from shop._sdc_selvedge_commits",
        )
        .await
    }

    pub(crate) async fn tables(&self) -> Vec<String> {
        let query = format!(
            "select table_name from information_schema.tables where table_schema = '{}'",
            self.schema.name
        );
        let mut tables = self.rows(&query).await;
        tables.sort_unstable();
        tables
    }

    pub(crate) async fn exists(&self, table: &str) -> bool {
        self.tables().await.iter().any(|name| name == table)
    }
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
