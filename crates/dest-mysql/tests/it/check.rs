use selvedge_connector::{CheckContext, CheckReport, Destination, ErrorKind, LoadMode};
use selvedge_dest_mysql::MysqlDestination;
use selvedge_net::{Dialer, NetworkPolicy};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Warehouse, dialer, int, settings};

async fn check(destination: &MysqlDestination) -> CheckReport {
    let ctx = CheckContext {
        dialer: dialer(),
        stop: CancellationToken::new(),
    };
    destination.check(&ctx).await.unwrap()
}

/// A login of its own with these rights. Users belong to the server, so its name comes from the schema's.
async fn limited_user(warehouse: &Warehouse, grants: &[&str]) -> (String, MysqlDestination) {
    let name = warehouse.schema.name[..20].to_owned();
    let create = format!("create user {name}@'%' identified by 'secret'");
    warehouse.execute(&[&create]).await;
    for grant in grants {
        warehouse
            .execute(&[&format!("grant {grant} to {name}@'%'")])
            .await;
    }
    let more = json!({"username": name, "password": "secret"});
    let destination = MysqlDestination::new(&settings(&warehouse.schema, more)).unwrap();
    (name, destination)
}

#[tokio::test]
async fn a_usable_destination_passes_and_nothing_is_left() {
    let warehouse = Warehouse::create().await;
    let grants = "create, alter, drop, index, select, insert, update, delete, create temporary tables on *.*";
    let (name, destination) = limited_user(&warehouse, &[grants]).await;
    let report = check(&destination).await;
    assert!(report.failure().is_none(), "{report:?}");
    assert!(report.steps.len() > 5);
    // Other tests check at the same time; whoever passed has dropped its database before.
    let batch = warehouse.batch(vec![int("id", &[Some(1)])]);
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let mut writer = destination
        .open(crate::support::context(1, CancellationToken::new()), target)
        .await
        .unwrap();
    writer.write(batch).await.unwrap();
    writer.finish(crate::support::checkpoint(1)).await.unwrap();
    assert_eq!(warehouse.rows("select id from shop.orders").await, ["1"]);
    warehouse.execute(&[&format!("drop user {name}@'%'")]).await;
}

#[tokio::test]
async fn a_user_without_rights_fails_with_the_grant_to_run() {
    let warehouse = Warehouse::create().await;
    let (name, destination) = limited_user(&warehouse, &[]).await;
    for (right, step) in [
        (None, "check that databases can be created"),
        (Some("drop"), "check that databases can be created"),
        (Some("create"), "check that tables can be altered"),
    ] {
        if let Some(right) = right {
            warehouse
                .execute(&[&format!("grant {right} on *.* to {name}@'%'")])
                .await;
        }
        let report = check(&destination).await;
        let failure = report.failure().unwrap();
        assert_eq!(failure.name, step);
        assert_eq!(failure.error.as_ref().unwrap().kind, ErrorKind::Permission);
        assert_eq!(
            failure.remedy.as_deref().unwrap(),
            format!(
                "Run: GRANT CREATE, ALTER, DROP, INDEX, SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES ON *.* \
                 TO `{name}`;"
            )
        );
    }
    warehouse.execute(&[&format!("drop user {name}@'%'")]).await;
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_port_are_failed_steps() {
    let warehouse = Warehouse::create().await;
    let with = |more| MysqlDestination::new(&settings(&warehouse.schema, more)).unwrap();
    let report = check(&with(json!({"password": "wrong"}))).await;
    let error = report.failure().unwrap().error.clone().unwrap();
    assert_eq!(error.kind, ErrorKind::Authentication, "{error}");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let report = check(&with(json!({"port": port}))).await;
    let error = report.failure().unwrap().error.clone().unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.starts_with("Connection refused."), "{error}");
}

#[tokio::test]
async fn a_server_without_tls_fails_a_destination_that_asks_for_it() {
    let warehouse = Warehouse::create().await;
    let encrypted = settings(&warehouse.schema, json!({"ssl": "true"}));
    let report = check(&MysqlDestination::new(&encrypted).unwrap()).await;
    let error = report.failure().unwrap().error.clone().unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.message.contains("offers no TLS"), "{error}");
}

#[tokio::test]
async fn a_forbidden_network_is_not_reached() {
    let warehouse = Warehouse::create().await;
    let ctx = CheckContext {
        dialer: Dialer::new(NetworkPolicy::default(), std::time::Duration::from_secs(5)),
        stop: CancellationToken::new(),
    };
    let report = warehouse.destination.check(&ctx).await.unwrap();
    let error = report.failure().unwrap().error.clone().unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert!(error.message.contains("may not reach"), "{error}");
}

#[tokio::test]
async fn a_schema_that_cannot_be_created_has_its_documented_text() {
    let mut warehouse = Warehouse::create().await;
    let (name, destination) = limited_user(&warehouse, &[]).await;
    warehouse.destination = destination;
    let batch = warehouse.batch(vec![int("id", &[Some(1)])]);
    let error = warehouse
        .try_run(warehouse.target(&["id"], LoadMode::Merge), vec![batch])
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Permission);
    assert!(
        error
            .message
            .contains("Encountered error while attempting to create new schema."),
        "{error}"
    );
    warehouse.execute(&[&format!("drop user {name}@'%'")]).await;
}

#[tokio::test]
async fn a_table_of_somebody_else_has_its_documented_text() {
    let mut warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch()]).await;
    let grants = [
        "create temporary tables on shop.*",
        "select, insert, update, delete on shop._sdc_selvedge_commits",
        "select on shop.orders",
    ];
    let (name, destination) = limited_user(&warehouse, &grants).await;
    let batch = batch();
    warehouse.destination = destination;
    let error = warehouse.try_run(target, vec![batch]).await.unwrap_err();
    assert_eq!(
        error.message,
        "ERROR: permission denied for relation [orders]"
    );
    warehouse.execute(&[&format!("drop user {name}@'%'")]).await;
}
