use selvedge_connector::{CheckContext, CheckReport, Destination, ErrorKind, LoadMode};
use selvedge_dest_postgres::PostgresDestination;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Warehouse, dialer, int, settings};

async fn check(destination: &PostgresDestination) -> CheckReport {
    let ctx = CheckContext {
        dialer: dialer(),
        stop: CancellationToken::new(),
    };
    destination.check(&ctx).await.unwrap()
}

/// A login of its own that may connect and do nothing else. Roles belong to the server, so its name is the database's.
async fn limited_user(warehouse: &Warehouse) -> PostgresDestination {
    let name = &warehouse.database.name;
    warehouse
        .client
        .batch_execute(&format!(
            "create role {name} login password 'secret'; revoke temporary on database {name} from public"
        ))
        .await
        .unwrap();
    let more = json!({"username": name, "password": "secret"});
    PostgresDestination::new(&settings(&warehouse.database, more)).unwrap()
}

#[tokio::test]
async fn a_usable_destination_passes_and_nothing_is_left() {
    let warehouse = Warehouse::create().await;
    let report = check(&warehouse.destination).await;
    assert!(report.failure().is_none(), "{report:?}");
    assert!(report.steps.len() > 1);
    assert_eq!(
        warehouse
            .rows("select count(*) from pg_class where relname like '%sdc%'")
            .await,
        ["0"]
    );
}

#[tokio::test]
async fn a_user_without_rights_fails_with_the_grant_to_run() {
    let warehouse = Warehouse::create().await;
    let destination = limited_user(&warehouse).await;
    let name = &warehouse.database.name;
    let report = check(&destination).await;
    let step = report.failure().unwrap();
    assert_eq!(step.error.as_ref().unwrap().kind, ErrorKind::Permission);
    let remedy = step.remedy.as_ref().unwrap();
    assert_eq!(
        remedy,
        &format!("Run: GRANT CREATE ON DATABASE \"{name}\" TO \"{name}\";")
    );
    for right in ["create", "temporary"] {
        warehouse
            .client
            .batch_execute(&format!("grant {right} on database {name} to {name}"))
            .await
            .unwrap();
    }
    assert!(check(&destination).await.failure().is_none());
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_a_failed_step() {
    let warehouse = Warehouse::create().await;
    let more = json!({"database": "no_such_database"});
    let destination = PostgresDestination::new(&settings(&warehouse.database, more)).unwrap();
    let report = check(&destination).await;
    assert!(
        report.failure_text().unwrap().contains("database"),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_schema_that_cannot_be_created_has_its_documented_text() {
    let mut warehouse = Warehouse::create().await;
    warehouse.destination = limited_user(&warehouse).await;
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
}

#[tokio::test]
async fn a_table_of_somebody_else_has_its_documented_text() {
    let mut warehouse = Warehouse::create().await;
    let target = warehouse.target(&["id"], LoadMode::Merge);
    let batch = || warehouse.batch(vec![int("id", &[Some(1)])]);
    warehouse.run(target.clone(), vec![batch()]).await;
    let batch = batch();
    warehouse.destination = limited_user(&warehouse).await;
    let name = &warehouse.database.name;
    warehouse
        .client
        .batch_execute(&format!(
            "grant temporary on database {name} to {name}; grant usage on schema shop to {name};
             grant select on shop._sdc_selvedge_commits to {name}"
        ))
        .await
        .unwrap();
    let error = warehouse.try_run(target, vec![batch]).await.unwrap_err();
    assert_eq!(
        error.message,
        "ERROR: permission denied for relation [orders]"
    );
}

#[test]
fn an_unknown_fidelity_is_refused() {
    let database = selvedge_testkit::postgres::TestDatabase {
        host: "h".to_owned(),
        port: 1,
        user: "u".to_owned(),
        password: "p".to_owned(),
        name: "n".to_owned(),
    };
    for (value, fine) in [("stitch", true), ("native", true), ("exact", false)] {
        let config = settings(&database, json!({"type_fidelity": value}));
        assert_eq!(PostgresDestination::new(&config).is_ok(), fine, "{value}");
    }
}
