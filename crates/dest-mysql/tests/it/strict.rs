//! A server that takes encrypted connections only, and rows by `LOAD DATA LOCAL INFILE` when it is told to. Its settings are for all
//! at once, so these tests take turns.

use selvedge_connector::{CheckContext, CheckStep, Destination, ErrorKind, LoadMode};
use selvedge_dest_mysql::MysqlDestination;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Warehouse, dialer, int, settings};

async fn failure(destination: &MysqlDestination) -> Option<CheckStep> {
    let ctx = CheckContext {
        dialer: dialer(),
        stop: CancellationToken::new(),
    };
    let report = destination.check(&ctx).await.unwrap();
    report.failure().cloned()
}

#[tokio::test]
async fn rows_arrive_over_an_encrypted_connection_and_over_no_other() {
    let warehouse = Warehouse::create_strict().await;
    warehouse.execute(&["set global local_infile = 1"]).await;
    assert!(failure(&warehouse.destination).await.is_none());
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch()]).await;
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["1"]);

    let plain = settings(&warehouse.schema, json!({"ssl": "false"}));
    let plain = MysqlDestination::new(&plain).unwrap();
    let step = failure(&plain).await.expect("a refusal");
    assert!(step.name.starts_with("connect to "), "{step:?}");
    let error = step.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
    assert_eq!(
        error.message,
        "The server takes encrypted connections only: set the property ssl to true."
    );
    assert!(error.detail.is_some(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_takes_no_rows_says_what_to_do() {
    let warehouse = Warehouse::create_strict().await;
    warehouse.execute(&["set global local_infile = 0"]).await;
    let sentence = "The server does not accept rows by LOAD DATA LOCAL INFILE: set local_infile = ON in its configuration, or run \
                    SET GLOBAL local_infile = ON.";
    let step = failure(&warehouse.destination).await.expect("a refusal");
    assert_eq!(
        step.name,
        "check that rows can be sent with LOAD DATA LOCAL INFILE"
    );
    let error = step.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
    assert_eq!(error.message, sentence);

    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    let failed = warehouse.try_run(target.clone(), vec![batch()]).await;
    let error = failed.map(drop).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
    assert!(error.message.ends_with(sentence), "{error:?}");
    warehouse.execute(&["set global local_infile = 1"]).await;
    warehouse.run(target, vec![batch()]).await;
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["1"]);
}

#[tokio::test]
async fn a_read_only_server_is_a_setting() {
    let mut warehouse = Warehouse::create_strict().await;
    warehouse.execute(&["set global local_infile = 1"]).await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch()]).await;
    let batch = batch();
    // Users with every right may write all the same.
    let name = warehouse.schema.name[..20].to_owned();
    let create = format!("create user {name}@'%' identified by 'secret'");
    let rights =
        "create, alter, drop, index, select, insert, update, delete, create temporary tables";
    let grant = format!("grant {rights} on *.* to {name}@'%'");
    warehouse.execute(&[&create, &grant]).await;
    let more = json!({"username": name, "password": "secret", "ssl": "true"});
    let limited = MysqlDestination::new(&settings(&warehouse.schema, more));
    warehouse.destination = limited.unwrap();
    warehouse.execute(&["set global read_only = 1"]).await;
    let step = failure(&warehouse.destination).await;
    let failed = warehouse.try_run(target, vec![batch]).await;
    let drop_user = format!("drop user {name}@'%'");
    warehouse
        .execute(&["set global read_only = 0", &drop_user])
        .await;
    let remedy = step.expect("a refusal").remedy;
    assert!(remedy.unwrap().contains("not to a replica"));
    let error = failed.map(drop).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error:?}");
    assert!(
        error.message.contains("The server is read-only."),
        "{error:?}"
    );
    assert!(error.detail.unwrap().contains("read-only option"));
}
