//! The server dies between a destination's commit and the position that belongs to it, with a table that has no key: what
//! was committed is not read again, so that nothing is there twice, and nothing is missing.
//!
//! The moment is met exactly: whoever holds the write lock of the control plane's file keeps the position from being saved
//! while the destination goes on.

use rusqlite::Connection;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::wait::wait_until;
use serde_json::json;
use tokio_postgres::Client;

use crate::gate::{Gate, gated_view};
use crate::pipeline;
use crate::platform::{PATIENCE, Platform, destination_body, source_body};

/// Which commit nobody hears of.
#[derive(Clone, Copy, Debug)]
enum Commit {
    /// One with more rows behind it.
    First,
    /// The one that ends the stream.
    Last,
}

impl Commit {
    /// Rows, and bytes of each: a bit more than those after which a checkpoint is made, or far less.
    fn rows(self) -> (i64, u32) {
        match self {
            Commit::First => (720, 100_000),
            Commit::Last => (50, 10),
        }
    }

    /// Counts the commit when the destination has it.
    fn query(self) -> &'static str {
        match self {
            Commit::First => {
                "select count(*) from shop._sdc_selvedge_commits where position like '%\"checkpoint\":1,%'"
            }
            Commit::Last => {
                "select count(*) from shop._sdc_selvedge_commits where position like '%\"finished\":true%'"
            }
        }
    }
}

enum Replica {
    Postgres(Box<Client>),
    Sqlite,
}

impl Replica {
    /// The one number that a query gives; 0 as long as what it asks for is not there. Tables are those of PostgreSQL.
    async fn number(&self, platform: &Platform, sql: &str) -> i64 {
        match self {
            Replica::Postgres(client) => match client.query_one(sql, &[]).await {
                Ok(row) => row.get(0),
                Err(error) if error.code().is_some() => 0,
                Err(error) => panic!("{sql}: {error:?}"),
            },
            Replica::Sqlite => {
                let folder = platform.server.data_dir().join("warehouses");
                let mut files = std::fs::read_dir(folder).into_iter().flatten();
                let file = files.find_map(|entry| {
                    let path = entry.expect("the folder can be read").path();
                    path.extension()
                        .is_some_and(|extension| extension == "db")
                        .then_some(path)
                });
                let Some(file) = file else { return 0 };
                let connection = Connection::open(file).expect("the file can be opened");
                let sql = sql.replace("shop.", "shop__");
                connection
                    .query_row(&sql, [], |row| row.get(0))
                    .unwrap_or(0)
            }
        }
    }
}

async fn die_after(commit: Commit, sqlite: bool) {
    let from = TestDatabase::create().await;
    let origin = from.connect().await;
    let (rows, row_bytes) = commit.rows();
    pipeline::execute(&origin, &gated_view(rows, row_bytes, 5)).await;
    let mut platform = Platform::start().await;
    let replica = if sqlite {
        let body = json!({ "type": "sqlite", "properties": {} });
        platform.destination(&body).await;
        Replica::Sqlite
    } else {
        let to = TestDatabase::create().await;
        platform.destination(&destination_body(&to)).await;
        Replica::Postgres(Box::new(to.connect().await))
    };
    let source = platform.source(&source_body(&from)).await;
    let by_id = json!([{ "breadcrumb": [], "metadata": {
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id",
    } }]);
    platform.set_metadata(source, "slow", by_id).await;

    let gate = Gate::close(&from).await;
    let job_name = platform.start_sync(source).await;
    gate.reached().await;
    let path = platform.server.data_dir().join("selvedge.db");
    let store = Connection::open(path).unwrap();
    store.busy_timeout(PATIENCE).unwrap();
    store.execute_batch("begin immediate").unwrap();
    gate.open().await;
    wait_until("the commit", PATIENCE, async || {
        match replica.number(&platform, commit.query()).await {
            0 => Err(platform.server.log()),
            _ => Ok(()),
        }
    })
    .await;
    platform.server.kill().await;
    let known: String = store
        .query_row(
            "select position from streams where position is not null",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!(
        known.contains("\"checkpoint\":0,"),
        "the store has heard of it: {known}"
    );
    store.execute_batch("rollback").unwrap();
    platform.restart().await;
    platform.ended(&job_name).await.succeeded();
    let count = "select count(*) from shop.slow";
    let distinct = "select count(distinct id) from shop.slow";
    assert_eq!(replica.number(&platform, distinct).await, rows, "a gap");
    assert_eq!(replica.number(&platform, count).await, rows, "duplicates");
    let load = platform.load("slow").await;
    assert!(load["last_batch_loaded_at"].is_string(), "{load}");

    // In peace a job begins with the last key, as it always does.
    platform.sync(source).await.succeeded();
    assert_eq!(replica.number(&platform, distinct).await, rows);
    assert_eq!(replica.number(&platform, count).await, rows + 1);
}

#[tokio::test]
async fn a_crash_after_a_commit_to_postgres_repeats_no_row() {
    die_after(Commit::First, false).await;
}

#[tokio::test]
async fn a_crash_after_the_last_commit_to_postgres_repeats_no_row() {
    die_after(Commit::Last, false).await;
}

#[tokio::test]
async fn a_crash_after_a_commit_to_sqlite_repeats_no_row() {
    die_after(Commit::First, true).await;
}

#[tokio::test]
async fn a_crash_after_the_last_commit_to_sqlite_repeats_no_row() {
    die_after(Commit::Last, true).await;
}
