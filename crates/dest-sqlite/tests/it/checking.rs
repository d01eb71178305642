//! The check of the settings.

use selvedge_connector::{
    CheckContext, CheckReport, ConnectionConfig, Destination, ErrorKind, TypeFidelity,
};
use selvedge_dest_sqlite::SqliteDestination;
use selvedge_net::{Dialer, NetworkPolicy};
use tokio_util::sync::CancellationToken;

use crate::support::{Warehouse, merge, people};

async fn check(warehouse: &Warehouse) -> CheckReport {
    let ctx = CheckContext {
        dialer: Dialer::new(NetworkPolicy::default(), std::time::Duration::from_secs(1)),
        stop: CancellationToken::new(),
    };
    warehouse.destination().check(&ctx).await.unwrap()
}

fn files(warehouse: &Warehouse) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(warehouse.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_checked_without_a_trace() {
    let warehouse = Warehouse::new();
    assert!(check(&warehouse).await.failure().is_none());
    assert_eq!(files(&warehouse), Vec::<String>::new());
}

#[tokio::test]
async fn an_existing_file_is_left_as_it_was() {
    let warehouse = Warehouse::new();
    warehouse
        .load(merge("people", &["id"]), vec![people(1, &[(1, "a")])])
        .await;
    let before = warehouse.objects();
    assert!(check(&warehouse).await.failure().is_none());
    assert_eq!(warehouse.objects(), before);
}

#[tokio::test]
async fn a_file_of_another_kind_fails_with_a_reason() {
    let warehouse = Warehouse::new();
    std::fs::create_dir_all(warehouse.path.parent().unwrap()).unwrap();
    std::fs::write(
        &warehouse.path,
        "not a database, but long enough".repeat(99),
    )
    .unwrap();
    let report = check(&warehouse).await;
    let error = report.failure().unwrap().error.clone().unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration);
}

#[test]
fn type_fidelity_is_a_choice_of_two() {
    let fidelity = |text: &str| {
        let config = ConnectionConfig::new([("type_fidelity".to_owned(), text.into())]);
        SqliteDestination::new(&config, "x.db".into()).map(|destination| destination.fidelity())
    };
    assert_eq!(fidelity("native").unwrap(), TypeFidelity::Native);
    assert_eq!(fidelity("stitch").unwrap(), TypeFidelity::Stitch);
    assert!(fidelity("exact").is_err());
}
