//! Servers that refuse or give up in the middle: the kind, the sentence and the server's own words of each.

use selvedge_connector::{ConnectorError, ErrorKind, LoadMode};
use selvedge_dest_mysql::MysqlDestination;
use serde_json::json;

use crate::support::{Warehouse, checkpoint, int, settings};

/// A login of its own that may do everything, within this limit. Users belong to the server, so its name comes from the
/// schema's.
async fn restrict(warehouse: &mut Warehouse, limit: &str) -> String {
    let name = warehouse.schema.name[..20].to_owned();
    let create = format!("create user {name}@'%' identified by 'secret' {limit}");
    let grant = format!("grant all on *.* to {name}@'%'");
    warehouse.execute(&[&create, &grant]).await;
    let more = json!({"username": name, "password": "secret"});
    let limited = MysqlDestination::new(&settings(&warehouse.schema, more));
    warehouse.destination = limited.unwrap();
    name
}

#[track_caller]
fn assert_told(error: &ConnectorError, code: &str, sentence: &str, words: &str) {
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
    assert!(error.temporary());
    assert_eq!(error.code.as_deref(), Some(code), "{error:?}");
    assert!(error.message.contains(sentence), "{error:?}");
    let detail = error.detail.as_deref().unwrap_or_default();
    assert!(detail.contains(words), "{error:?}");
}

#[tokio::test]
async fn a_limit_of_time_passes_by_itself() {
    let mut warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch]).await;
    let name = restrict(&mut warehouse, "with max_statement_time 0.3").await;
    warehouse.execute(&["lock tables shop.orders write"]).await;
    let batch = warehouse.batch(vec![int("id", &[Some(2)])]);
    let failed = warehouse.try_run(target, vec![batch]).await;
    warehouse.execute(&["unlock tables"]).await;
    let error = failed.map(drop).unwrap_err();
    assert_told(
        &error,
        "1969",
        "The server cancelled the statement.",
        "max_statement_time exceeded",
    );
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["1"]);
    warehouse.execute(&[&format!("drop user {name}@'%'")]).await;
}

#[tokio::test]
async fn a_server_without_a_connection_to_spare_is_tried_again() {
    let mut warehouse = Warehouse::create().await;
    let name = restrict(&mut warehouse, "with max_user_connections 1").await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let first = warehouse.open(target.clone(), 1).await.unwrap();
    let error = warehouse.open(target, 2).await.err().expect("no session");
    assert_told(
        &error,
        "1226",
        "The server has no connection to spare.",
        "max_user_connections",
    );
    drop(first);
    warehouse.execute(&[&format!("drop user {name}@'%'")]).await;
}

#[tokio::test]
async fn a_session_that_is_killed_is_a_lost_connection_and_the_next_run_goes_on() {
    let mut warehouse = Warehouse::create().await;
    let name = restrict(&mut warehouse, "").await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let mut writer = warehouse.open(target.clone(), 1).await.unwrap();
    let batch = |id| warehouse.batch(vec![int("id", &[Some(id)])]);
    writer.write(batch(1)).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    let kill = format!("kill user {name}");
    warehouse.execute(&[&kill]).await;
    let failed = match writer.write(batch(2)).await {
        Ok(()) => writer.finish(checkpoint(2)).await.map(drop),
        failed => failed,
    };
    let error = failed.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error:?}");
    warehouse.run(target, vec![batch(3)]).await;
    let rows = warehouse.rows("select id from shop.orders order by id");
    assert_eq!(rows.await, ["1", "3"]);
    warehouse.execute(&[&format!("drop user {name}@'%'")]).await;
}
