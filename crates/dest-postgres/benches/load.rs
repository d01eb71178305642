//! Loading prepared batches, against the server's own COPY of the same rows from a file.
//!
//! The server is the one that `SELVEDGE_TEST_POSTGRES_URL` names. `cargo xtask bench load` provides one.

use std::path::PathBuf;
use std::pin::pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{SinkExt as _, TryStreamExt as _};
use selvedge_connector::{ConnectionConfig, Destination};
use selvedge_dest_postgres::PostgresDestination;
use selvedge_testkit::bulk::{Bench, Contender};
use selvedge_testkit::postgres::TestDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_postgres::Client;

const COPY_CHUNK: usize = 256 * 1024;

/// A database of its own.
struct Server {
    client: Client,
    destination: PostgresDestination,
    folder: TempDir,
}

impl Server {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let properties = json!({
            "host": database.host, "port": database.port, "database": database.name,
            "username": database.user, "password": database.password,
        });
        let Value::Object(properties) = properties else {
            unreachable!("settings are an object")
        };
        let destination = PostgresDestination::new(&ConnectionConfig::new(properties));
        Self {
            client: database.connect().await,
            destination: destination.expect("settings are complete"),
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("orders.copy")
    }
}

#[async_trait]
impl Contender for Server {
    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn schema_name(&self) -> String {
        "ours".to_owned()
    }

    async fn start_over(&mut self) {
        let fresh = "drop schema if exists ours cascade; drop schema if exists theirs cascade; create schema theirs";
        let emptied = self.client.batch_execute(fresh).await;
        emptied.expect("an empty database");
    }

    /// As the text of COPY.
    async fn unload(&mut self) -> u64 {
        let rows = self.client.copy_out("copy ours.orders to stdout").await;
        let mut rows = pin!(rows.expect("the table can be read"));
        let mut out = tokio::fs::File::create(self.file()).await.expect("a file");
        let mut size_bytes = 0;
        while let Some(piece) = rows.try_next().await.expect("rows") {
            size_bytes += piece.len() as u64;
            out.write_all(&piece).await.expect("room on the disk");
        }
        out.flush().await.expect("room on the disk");
        size_bytes
    }

    /// COPY from the file into a new table of the same columns, then its key.
    async fn bulk_load(&mut self, key: &[&str]) {
        self.client
            .batch_execute(
                "create table theirs.orders (like ours.orders); alter table theirs.orders alter id drop not null",
            )
            .await
            .expect("a table");
        let sink = self
            .client
            .copy_in::<_, Bytes>("copy theirs.orders from stdin")
            .await;
        let mut sink = pin!(sink.expect("COPY begins"));
        let mut rows = tokio::fs::File::open(self.file()).await.expect("the file");
        loop {
            let mut piece = Vec::with_capacity(COPY_CHUNK);
            if rows.read_buf(&mut piece).await.expect("the file") == 0 {
                break;
            }
            sink.send(Bytes::from(piece)).await.expect("COPY goes on");
        }
        sink.finish().await.expect("COPY ends");
        if !key.is_empty() {
            let add = format!(
                "alter table theirs.orders add primary key ({})",
                key.join(", ")
            );
            self.client
                .batch_execute(&add)
                .await
                .expect("keys are unique");
        }
    }

    async fn check(&mut self, rows: u64) {
        let query = |schema: &str| {
            format!(
                "select count(*), sum(id)::text, sum(quantity)::text, sum(price)::text, count(note), max(placed_at)::text,
                        sum(hashtext(customer))::text, sum(_sdc_sequence)::text
                 from {schema}.orders"
            )
        };
        let ours = self
            .client
            .query_one(&query("ours"), &[])
            .await
            .expect("our table");
        let theirs = self
            .client
            .query_one(&query("theirs"), &[])
            .await
            .expect("their table");
        assert_eq!(ours.get::<_, i64>(0).unsigned_abs(), rows);
        assert_eq!(ours.get::<_, i64>(4), theirs.get::<_, i64>(4));
        for column in [1, 2, 3, 5, 6, 7] {
            let (ours, theirs): (&str, &str) = (ours.get(column), theirs.get(column));
            assert_eq!(ours, theirs, "column {column}");
        }
    }
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bench = Bench::start("PostgreSQL", "COPY of a file");
    runtime.block_on(async {
        let mut server = Server::new().await;
        bench.contest("with a key", &["id"], &mut server).await;
        bench.contest("without a key", &[], &mut server).await;
    });
}
