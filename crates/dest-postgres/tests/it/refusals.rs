//! Servers that refuse or give up in the middle: the kind, the sentence and the server's own words of each.

use selvedge_connector::{ConnectorError, Destination as _, ErrorKind, LoadMode};
use selvedge_dest_postgres::PostgresDestination;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Warehouse, checkpoint, context, int, long, settings};

/// A login of its own that may do everything in the database, with this setting.
async fn restrict(warehouse: &mut Warehouse, setting: &str) {
    let name = &warehouse.database.name;
    warehouse
        .client
        .batch_execute(&format!(
            "create role {name} login superuser password 'secret'; alter role {name} {setting}"
        ))
        .await
        .unwrap();
    let more = json!({"username": name, "password": "secret"});
    let limited = PostgresDestination::new(&settings(&warehouse.database, more));
    warehouse.destination = limited.unwrap();
}

/// The first run creates `shop.orders`; `between` happens before the second, which fails.
async fn fail_second(warehouse: &mut Warehouse, setting: &str, between: &str) -> ConnectorError {
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let first = warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse.run(target.clone(), vec![first]).await;
    restrict(warehouse, setting).await;
    warehouse.client.batch_execute(between).await.unwrap();
    let second = warehouse.batch(vec![int("id", &[Some(2)])]);
    let failed = warehouse.try_run(target, vec![second]).await;
    warehouse
        .client
        .batch_execute("rollback")
        .await
        .expect("ours is open or not");
    assert_eq!(
        warehouse.rows("select id from shop.orders").await,
        ["1"],
        "{setting}"
    );
    failed.map(drop).expect_err(setting)
}

#[track_caller]
fn assert_told(error: &ConnectorError, kind: ErrorKind, code: &str, sentence: &str, words: &str) {
    assert_eq!(error.kind, kind, "{error:?}");
    assert_eq!(error.code.as_deref(), Some(code), "{error:?}");
    assert!(error.message.contains(sentence), "{error:?}");
    let detail = error.detail.as_deref().unwrap_or_default();
    assert!(detail.contains(words), "{error:?}");
}

#[tokio::test]
async fn a_read_only_server_is_a_setting() {
    let mut warehouse = Warehouse::create().await;
    let setting = "set default_transaction_read_only = on";
    let error = fail_second(&mut warehouse, setting, "").await;
    assert_told(
        &error,
        ErrorKind::Configuration,
        "25006",
        "The server is read-only.",
        "read-only transaction",
    );
}

#[tokio::test]
async fn a_lock_that_cannot_be_had_in_time_is_tried_again() {
    let mut warehouse = Warehouse::create().await;
    let setting = "set lock_timeout = '50ms'";
    let held = "begin; lock table shop.orders in exclusive mode";
    let error = fail_second(&mut warehouse, setting, held).await;
    assert_told(
        &error,
        ErrorKind::Unreachable,
        "55P03",
        "A lock could not be had in time.",
        "due to lock timeout",
    );
    assert!(error.temporary());
}

#[tokio::test]
async fn a_statement_that_somebody_cancels_is_tried_again() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |id| warehouse.batch(vec![int("id", &[Some(id)])]);
    warehouse.run(target.clone(), vec![batch(1)]).await;
    let held = "begin; lock table shop.orders in exclusive mode";
    warehouse.client.batch_execute(held).await.unwrap();
    let canceller = warehouse.database.connect().await;
    let cancelled = async {
        // Until it waits for the lock, there is nothing to cancel.
        let cancel = "select pg_cancel_backend(pid) from pg_stat_activity
                      where datname = current_database() and wait_event_type = 'Lock'";
        while canceller.query(cancel, &[]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let load = warehouse.try_run(target, vec![batch(2)]);
    let (failed, ()) = tokio::join!(load, cancelled);
    assert_told(
        &failed.map(drop).unwrap_err(),
        ErrorKind::Unreachable,
        "57014",
        "The server cancelled the statement.",
        "due to user request",
    );
    warehouse.client.batch_execute("rollback").await.unwrap();
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["1"]);
}

#[tokio::test]
async fn a_server_without_a_connection_to_spare_is_tried_again() {
    let mut warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    restrict(&mut warehouse, "nosuperuser connection limit 0").await;
    let error = warehouse.open(target, 1).await.err().expect("no session");
    assert_told(
        &error,
        ErrorKind::Unreachable,
        "53300",
        "The server has no connection to spare.",
        "too many connections",
    );
}

#[tokio::test]
async fn a_disk_quota_is_a_resource_of_the_server() {
    let mut warehouse = Warehouse::create().await;
    // What sorting for the key's index may put on the disk.
    let setting = "set temp_file_limit = '64kB'";
    restrict(&mut warehouse, setting).await;
    let name = &warehouse.database.name;
    let small = format!("alter role {name} set maintenance_work_mem = '1MB'");
    warehouse.client.batch_execute(&small).await.unwrap();
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let ids: Vec<Option<i32>> = (0..60_000).map(|id| Some(id * 7_919 % 60_013)).collect();
    let batch = warehouse.batch(vec![int("id", &ids)]);
    let failed = warehouse.try_run(target, vec![batch]).await;
    assert_told(
        &failed.map(drop).unwrap_err(),
        ErrorKind::Unreachable,
        "53400",
        "The server is out of resources.",
        "temporary file size exceeds",
    );
}

#[tokio::test]
async fn a_session_that_is_terminated_is_a_lost_connection_and_the_next_run_goes_on() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let mut writer = warehouse.open(target.clone(), 1).await.unwrap();
    let batch = |id| warehouse.batch(vec![int("id", &[Some(id)])]);
    writer.write(batch(1)).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    warehouse
        .rows(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
    let failed = match writer.write(batch(2)).await {
        Ok(()) => writer.finish(checkpoint(2)).await.map(drop),
        failed => failed,
    };
    let error = failed.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
    assert!(error.message.contains("An I/O error occurred"), "{error:?}");
    warehouse.run(target, vec![batch(3)]).await;
    let rows = warehouse.rows("select id from shop.orders order by id");
    assert_eq!(rows.await, ["1", "3"]);
}

#[tokio::test]
async fn nobody_at_the_port_has_its_documented_text() {
    let warehouse = Warehouse::create().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let config = settings(&warehouse.database, json!({"port": port}));
    let destination = PostgresDestination::new(&config).unwrap();
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let opened = destination.open(context(1, CancellationToken::new()), target);
    let error = opened.await.err().expect("nobody there");
    assert_eq!(error.kind, ErrorKind::Unreachable);
    let documented = "Connection refused. Check that the hostname and port are correct and that the postmaster is accepting \
                      TCP/IP connections.";
    assert!(error.message.ends_with(documented), "{error:?}");
}

#[tokio::test]
async fn a_view_that_a_change_would_break_stops_its_table_until_it_is_dropped() {
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let small = warehouse.batch(vec![int("id", &[Some(1)]), int("v", &[Some(1)])]);
    warehouse.run(target.clone(), vec![small]).await;
    let view = "create view shop.seen as select v from shop.orders";
    warehouse.client.batch_execute(view).await.unwrap();
    let large = || warehouse.batch(vec![int("id", &[Some(2)]), long("v", &[Some(1 << 40)])]);
    let failed = warehouse.try_run(target.clone(), vec![large()]).await;
    assert_told(
        &failed.map(drop).unwrap_err(),
        ErrorKind::Data,
        "0A000",
        "table shop.orders: A view depends on the table: drop it, and make it again after the next load.",
        "cannot alter type of a column used by a view",
    );
    let drop_view = "drop view shop.seen";
    warehouse.client.batch_execute(drop_view).await.unwrap();
    warehouse.run(target, vec![large()]).await;
    let rows = warehouse.rows("select v from shop.orders order by id");
    assert_eq!(rows.await, ["1", "1099511627776"]);
}

#[tokio::test]
async fn a_column_that_gets_another_type_under_a_load_fails_it_and_the_next_run_takes_it_as_it_is()
{
    let warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = |id| warehouse.batch(vec![int("id", &[Some(id)]), int("v", &[Some(id)])]);
    warehouse.run(target.clone(), vec![batch(1)]).await;
    let mut writer = warehouse.open(target.clone(), 1).await.unwrap();
    writer.write(batch(2)).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    let retype = "alter table shop.orders alter v type timestamp using null";
    warehouse.client.batch_execute(retype).await.unwrap();
    let failed = match writer.write(batch(3)).await {
        Ok(()) => writer.finish(checkpoint(2)).await.map(drop),
        failed => failed,
    };
    assert_told(
        &failed.unwrap_err(),
        ErrorKind::Data,
        "42804",
        "The table is not as loads need it.",
        "is of type timestamp",
    );
    warehouse.run(target, vec![batch(4)]).await;
    let rows = warehouse.rows("select id, v__ti, v__it from shop.orders order by id");
    assert_eq!(rows.await, ["1|-|-", "2|-|-", "4|-|4"]);
}
