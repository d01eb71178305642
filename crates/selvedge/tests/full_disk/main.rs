//! Disks of destinations that are really full. `cargo xtask soak --full-disk` makes the disks, small
//! file systems in memory, and runs this; no other command does.

#[path = "../it/pipeline.rs"]
#[expect(
    dead_code,
    reason = "shared with the other tests of the binary, which use all of it"
)]
mod pipeline;
#[path = "../it/platform.rs"]
#[expect(
    dead_code,
    reason = "shared with the other tests of the binary, which use all of it"
)]
mod platform;

mod disk;

use std::os::unix::fs::{MetadataExt as _, chown, symlink};

use rusqlite::Connection;
use selvedge_testkit::postgres::TestDatabase;
use serde_json::json;
use tokio_postgres::Client;

use crate::disk::Disk;
use crate::pipeline::{execute, rows};
use crate::platform::{Platform, destination_body, source_body};

/// Rows of a kilobyte that a full disk has no room for.
const MANY: i64 = 20_000;

/// A source with a table for each way of replicating, a few rows in each.
async fn shop() -> (TestDatabase, Client) {
    let from = TestDatabase::create().await;
    let origin = from.connect().await;
    let tables = "
        create table keyed (id bigint primary key, note text);
        create table keyless (id bigint, note text);
        create table whole (id bigint primary key, note text);";
    execute(&origin, tables).await;
    fill(&origin, 1, 10).await;
    (from, origin)
}

async fn fill(origin: &Client, first: i64, last: i64) {
    for table in ["keyed", "keyless", "whole"] {
        // Text that does not get smaller by compression.
        let insert = format!(
            "insert into {table} select i, (select string_agg(md5((i * 40 + n)::text), '') from generate_series(1, 32) n)
             from generate_series({first}, {last}) i"
        );
        execute(origin, &insert).await;
    }
}

async fn select(platform: &Platform, source: i64) {
    for (table, key) in [("keyed", true), ("keyless", true), ("whole", false)] {
        let metadata = match key {
            true => {
                json!({ "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id" })
            }
            false => json!({ "selected": true, "replication-method": "FULL_TABLE" }),
        };
        let entries = json!([{ "breadcrumb": [], "metadata": metadata }]);
        platform.set_metadata(source, table, entries).await;
    }
}

/// What a destination holds of each table: rows, and different rows.
async fn check_counts(counts: impl AsyncFn(&str) -> (i64, i64), rows: i64, jobs_behind: i64) {
    for table in ["keyed", "whole"] {
        assert_eq!(counts(table).await, (rows, rows), "{table}");
    }
    // Each job that finishes begins with the row it ended with: one more copy, and no more.
    let (all, different) = counts("keyless").await;
    assert_eq!((different, all), (rows, rows + jobs_behind));
}

/// Fills the destination's disk under a job, and sees it through.
async fn fill_the_destination(
    platform: &Platform,
    disk: &Disk,
    origin: &Client,
    source: i64,
    counts: impl AsyncFn(&str) -> (i64, i64),
) {
    select(platform, source).await;
    platform.sync(source).await.succeeded();
    check_counts(&counts, 10, 0).await;

    fill(origin, 11, MANY).await;
    disk.fill(2 << 20);
    let failed = platform.sync(source).await;
    assert_eq!(failed.statuses(), [Some(0), Some(0), Some(1)], "{failed:?}");
    let description = failed.description("target").to_lowercase();
    assert!(
        description.contains("disk")
            && description.contains("full")
            && description.contains("destination"),
        "{description}"
    );
    // What was there is there, once; replacements are whole or not at all.
    for table in ["keyed", "whole"] {
        let (all, different) = counts(table).await;
        assert_eq!(all, different, "{table}");
        assert!(all >= 10, "{table}");
    }
    assert_eq!(counts("whole").await.0, 10, "nothing is half replaced");
    platform.api.get("/v4/sources").await.status(200);
    let load = platform.load("keyed").await;
    assert!(load["error_state"].is_object(), "{load}");

    disk.free();
    platform.sync(source).await.succeeded();
    check_counts(&counts, MANY, 1).await;
}

#[tokio::test]
async fn a_full_disk_under_a_sqlite_destination_is_told_and_the_next_job_completes_it() {
    let disk = Disk::mounted("sqlite");
    let (from, origin) = shop().await;
    let platform = Platform::start().await;
    let warehouses = platform.server.data_dir().join("warehouses");
    std::fs::remove_dir(&warehouses).expect("there is no warehouse yet");
    symlink(disk.path(), &warehouses).unwrap();
    platform
        .destination(&json!({ "type": "sqlite", "properties": {} }))
        .await;
    let source = platform.source(&source_body(&from)).await;
    let counts = async |table: &str| {
        let file = std::fs::read_dir(disk.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|extension| extension == "db"))
            .expect("the account has a warehouse");
        let connection = Connection::open(file).unwrap();
        let whole: String = connection
            .query_row("pragma quick_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(whole, "ok");
        let sql = format!("select count(*), count(distinct id) from shop__{table}");
        connection
            .query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
    };
    fill_the_destination(&platform, &disk, &origin, source, counts).await;
}

#[tokio::test]
async fn a_full_disk_under_a_postgres_destination_is_told_and_the_next_job_completes_it() {
    let disk = Disk::mounted("postgres");
    let (from, origin) = shop().await;
    let mut to = TestDatabase::create().await;
    let session = to.connect().await;
    let name = format!("{}_small", to.name);
    let [data_directory] = &rows(&session, "show data_directory").await[..] else {
        panic!("a server has one data directory");
    };
    let owner = std::fs::metadata(data_directory)
        .expect("the PostgreSQL server of this test has to run on this machine");
    chown(disk.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
    let location = disk.path().display();
    for statement in [
        format!("create tablespace {name} location '{location}'"),
        format!("create database {name} tablespace {name}"),
    ] {
        execute(&session, &statement).await;
    }
    to.name.clone_from(&name);
    let platform = Platform::start().await;
    platform.destination(&destination_body(&to)).await;
    let source = platform.source(&source_body(&from)).await;
    let replica = to.connect().await;
    let counts = async |table: &str| {
        let sql = format!("select count(*), count(distinct id) from shop.{table}");
        let row = replica.query_one(&sql, &[]).await.unwrap();
        (row.get(0), row.get(1))
    };
    fill_the_destination(&platform, &disk, &origin, source, counts).await;
    drop(platform);
    // The server outlives its disk.
    for statement in [
        format!("drop database {name} with (force)"),
        format!("drop tablespace {name}"),
    ] {
        execute(&session, &statement).await;
    }
}
