//! A PostgreSQL source and a PostgreSQL destination, connected by a server.

use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::server::ServerSettings;
use serde_json::{Value, json};
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::platform::{Extraction, Platform, destination_body, settings, source_body};

/// The databases, a session in each, and the server between them.
pub(crate) struct Pipeline {
    pub(crate) platform: Platform,
    pub(crate) from: TestDatabase,
    pub(crate) to: TestDatabase,
    pub(crate) origin: Client,
    pub(crate) replica: Client,
    pub(crate) source: i64,
}

impl Pipeline {
    /// Starts a server, with `tables` (SQL) in the source. Nothing is selected yet.
    pub(crate) async fn start(tables: &str) -> Self {
        Self::start_with(settings(), tables, json!({})).await
    }

    /// The same with settings of the server and further properties of the source.
    pub(crate) async fn start_with(
        settings: ServerSettings,
        tables: &str,
        properties: Value,
    ) -> Self {
        let (from, to) = (TestDatabase::create().await, TestDatabase::create().await);
        let origin = from.connect().await;
        execute(&origin, tables).await;
        let platform = Platform::start_with(settings).await;
        platform.destination(&destination_body(&to)).await;
        let mut body = source_body(&from);
        for (name, value) in properties.as_object().into_iter().flatten() {
            body["properties"][name] = value.clone();
        }
        let source = platform.source(&body).await;
        Self {
            replica: to.connect().await,
            platform,
            from,
            to,
            origin,
            source,
        }
    }

    /// Selects a table to be read in full.
    pub(crate) async fn select_full(&self, table: &str) {
        self.set(
            table,
            json!({ "selected": true, "replication-method": "FULL_TABLE" }),
        )
        .await;
    }

    /// Selects a table to be read by key.
    pub(crate) async fn select_incremental(&self, table: &str, key: &str) {
        let metadata = json!({
            "selected": true,
            "replication-method": "INCREMENTAL",
            "replication-key": key,
        });
        self.set(table, metadata).await;
    }

    /// Changes stream-level metadata.
    pub(crate) async fn set(&self, table: &str, metadata: Value) {
        let entries = json!([{ "breadcrumb": [], "metadata": metadata }]);
        self.platform
            .set_metadata(self.source, table, entries)
            .await;
    }

    /// Runs a job that succeeds.
    pub(crate) async fn sync(&self) -> Extraction {
        self.platform.sync(self.source).await.succeeded()
    }

    /// Runs a job that may fail.
    pub(crate) async fn try_sync(&self) -> Extraction {
        self.platform.sync(self.source).await
    }

    /// Changes the source.
    pub(crate) async fn change(&self, sql: &str) {
        execute(&self.origin, sql).await;
    }

    /// Rows of a query on the destination.
    pub(crate) async fn arrived(&self, sql: &str) -> Vec<String> {
        rows(&self.replica, sql).await
    }

    /// A number from the destination.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        count(&self.replica, sql).await
    }

    /// Columns of a destination table in their order, as `name type`, without those of the system.
    pub(crate) async fn columns(&self, table: &str) -> Vec<String> {
        self.arrived(&format!(
            "select column_name || ' ' || data_type from information_schema.columns
             where table_schema = 'shop' and table_name = '{table}'
               and column_name not like '\\_sdc\\_%' and column_name <> '__sdc_primary_key'
             order by ordinal_position"
        ))
        .await
    }
}

/// Runs statements.
pub(crate) async fn execute(client: &Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{sql} failed: {error:?}");
    }
}

/// Rows of a query in text form: values parted by `|`, `∅` for NULL.
pub(crate) async fn rows(client: &Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).await;
    let messages = messages.unwrap_or_else(|error| panic!("{sql} failed: {error:?}"));
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| {
        let values: Vec<&str> = (0..row.len())
            .map(|index| row.get(index).unwrap_or("∅"))
            .collect();
        values.join("|")
    })
    .collect()
}

/// The one number that a query gives.
pub(crate) async fn count(client: &Client, sql: &str) -> i64 {
    let rows = rows(client, sql).await;
    let [only] = rows.as_slice() else {
        panic!("{sql} gave {rows:?}");
    };
    only.parse()
        .unwrap_or_else(|_| panic!("{sql} gave {only:?}, which is no number"))
}
