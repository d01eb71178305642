//! Disks that are really full: the destination's, and the server's own. `cargo xtask soak --full-disk` makes the disks, small
//! file systems in memory, and runs this; no other command does.

#[path = "../it/gate.rs"]
mod gate;
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

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown, symlink};

use rusqlite::Connection;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::wait::wait_until;
use selvedge_testkit::workload::Seed;
use serde_json::json;
use tokio_postgres::Client;

use crate::disk::Disk;
use crate::gate::{Gate, SLOW_ROWS, slow_view};
use crate::pipeline::{execute, rows};
use crate::platform::{Extraction, PATIENCE, Platform, destination_body, settings, source_body};

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

/// Runs a job whose rows arrive while the server cannot write, and gives the room back when the server's log says `until`
/// of the job's end.
async fn run_while_the_server_cannot_write(
    platform: &Platform,
    disk: &Disk,
    from: &TestDatabase,
    source: i64,
    until: &str,
) -> Extraction {
    let gate = Gate::close(from).await;
    let job_name = platform.start_sync(source).await;
    gate.reached().await;
    let said_before = platform.server.log().len();
    disk.fill(0);
    let path = format!("/v4/sources/{source}");
    let refused = wait_until("a refusal", PATIENCE, async || {
        let answer = platform.api.put(&path, &json!({})).await;
        match answer.status {
            200 => Err("there is still room"),
            _ => Ok(answer),
        }
    })
    .await;
    assert_eq!(refused.status, 500, "{refused:?}");
    assert!(refused.body["error"].is_string(), "{refused:?}");
    // What needs no room is answered.
    platform.api.get("/v4/sources").await.status(200);
    gate.open().await;
    let until = format!("the end of a job could not be recorded; {until}");
    wait_until(&until, PATIENCE, async || {
        let log = platform.server.log().split_off(said_before);
        if log.contains(&until) {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    disk.free();
    platform.ended(&job_name).await
}

#[tokio::test]
async fn a_full_disk_under_the_server_refuses_cleanly_and_loses_nothing() {
    let disk = Disk::mounted("server");
    let (from, to) = (TestDatabase::create().await, TestDatabase::create().await);
    let origin = from.connect().await;
    execute(&origin, &slow_view()).await;
    let mut platform = Platform::start_with(settings().data_parent(disk.path())).await;
    platform.destination(&destination_body(&to)).await;
    let source = platform.source(&source_body(&from)).await;
    // Without a key: whatever is read twice shows.
    let entries = json!([{ "breadcrumb": [], "metadata": {
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id",
    } }]);
    platform.set_metadata(source, "slow", entries).await;

    // For a moment: the job ends as soon as that can be written down. The rows are there, their position could not be kept.
    let failed =
        run_while_the_server_cannot_write(&platform, &disk, &from, source, "it is tried again")
            .await;
    assert_eq!(failed.statuses(), [Some(0), Some(0), Some(1)], "{failed:?}");
    let description = failed.description("target");
    assert!(
        description.contains("the control-plane database is not available"),
        "{description}"
    );
    platform.sync(source).await.succeeded();
    let replica = to.connect().await;
    let counts = "select count(distinct id), count(*) from shop.slow";
    // The second job begins with the last row, as every job does.
    assert_eq!(
        rows(&replica, counts).await,
        [format!("{SLOW_ROWS}|{}", SLOW_ROWS + 1)]
    );

    // For longer than a lease: the job is taken up again.
    let full = json!({ "selected": true, "replication-method": "FULL_TABLE" });
    let entries = json!([{ "breadcrumb": [], "metadata": full }]);
    platform.set_metadata(source, "slow", entries).await;
    run_while_the_server_cannot_write(
        &platform,
        &disk,
        &from,
        source,
        "it is taken up again when its lease expires",
    )
    .await
    .succeeded();
    assert_eq!(
        rows(&replica, counts).await,
        [format!("{SLOW_ROWS}|{SLOW_ROWS}")]
    );

    platform.server.kill().await;
    let store = Connection::open(platform.server.data_dir().join("selvedge.db")).unwrap();
    let whole: String = store
        .query_row("pragma integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
    platform.restart().await;
    platform.sync(source).await.succeeded();
}

#[tokio::test]
async fn a_request_that_a_full_disk_has_no_room_for_is_refused_whole() {
    let disk = Disk::mounted("intake");
    let to = TestDatabase::create().await;
    let settings = settings().data_parent(disk.path());
    let mut config = tempfile::NamedTempFile::new().unwrap();
    writeln!(config, "[intake]\nload_after_seconds = 1\nreserve_mib = 1").unwrap();
    let path = config.path().display().to_string();
    let platform = Platform::start_with(settings.argument("--config").argument(path)).await;
    platform.destination(&destination_body(&to)).await;
    let body = json!({ "type": "import_api", "display_name": "Pushed", "properties": {} });
    let source = platform.api.post("/v4/sources", &body).await.status(200);
    let tokens = format!("/v4/sources/{}/tokens", source["id"]);
    let token = platform.api.post(&tokens, &json!(null)).await.status(200);
    let token = token["access_token"].as_str().expect("a token").to_owned();
    let gate = platform.server.client().with_token(&token);

    // Each request has records of its own, of text that does not get smaller by compression.
    let mut random = Seed::new(7);
    let mut request = |number: i64| {
        let messages: Vec<_> = (0..50)
            .map(|record| {
                let noise: String = (0..2_500).map(|_| format!("{:08x}", random.below(1 << 32))).collect();
                json!({ "action": "upsert", "sequence": 1, "data": { "id": number * 50 + record, "noise": noise } })
            })
            .collect();
        json!({ "table_name": "t", "schema": {}, "messages": messages })
    };
    let mut accepted = 0;
    gate.post("/v2/import/batch", &request(accepted))
        .await
        .status(201);
    accepted += 1;
    disk.fill(3 << 20);
    let refused = wait_until("a refusal", PATIENCE, async || {
        let answer = gate.post("/v2/import/batch", &request(accepted)).await;
        match answer.status {
            201 => {
                accepted += 1;
                Err("there is still room")
            }
            _ => Ok(answer),
        }
    })
    .await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.body["status"], "ERROR", "{refused:?}");
    let state = platform.server.client().get("/v2/import/status").await;
    assert_eq!(
        (state.status, &state.body["status"]),
        (503, &json!("ERROR"))
    );

    disk.free();
    wait_until("room", PATIENCE, async || {
        let answer = gate.post("/v2/import/batch", &request(accepted)).await;
        match answer.status {
            201 => Ok(()),
            _ => Err(answer),
        }
    })
    .await;
    accepted += 1;
    let replica = to.connect().await;
    let counts = "select count(*), count(distinct id), max(id) from pushed.t";
    let expected = [format!("{0}|{0}|{1}", accepted * 50, accepted * 50 - 1)];
    wait_until("the rows of all accepted requests", PATIENCE, async || {
        let there = replica
            .query_one("select to_regclass('pushed.t') is not null", &[])
            .await;
        if !there.expect("the server answers").get::<_, bool>(0) {
            return Err(Vec::new());
        }
        let found = rows(&replica, counts).await;
        match found == expected {
            true => Ok(()),
            false => Err(found),
        }
    })
    .await;
}
