//! Opening, migrating, and two processes at once.

use selvedge_store::{MasterKey, Page, Store, StoreError, StoreLocation, accounts, loads};
use selvedge_types::Secret;

use crate::support::{Fixture, START, master_key, new_account};

on_both_databases!(
    a_store_opens_again_with_the_same_key_and_identity,
    another_master_key_is_refused,
    two_processes_write_at_the_same_time,
    opening_at_the_same_time_migrates_once,
    an_edited_migration_is_refused,
    a_transaction_that_is_not_committed_leaves_nothing,
    a_reader_sees_one_state_throughout,
);

async fn a_store_opens_again_with_the_same_key_and_identity(fixture: Fixture) {
    fixture.store.ready().await.unwrap();
    assert_eq!(
        fixture.store.migration_version().await.unwrap(),
        newest_migration()
    );
    let scope = fixture.account().await;
    let identity = fixture.store.instance_id();
    fixture.store.close().await;

    let store = fixture.second_store().await;
    assert_eq!(store.instance_id(), identity);
    let mut tx = store.read().await.unwrap();
    let account = accounts::find(&mut tx, scope.account()).await.unwrap();
    assert_eq!(account.unwrap().company, "Company");
}

/// The highest number of the files in the folder.
fn newest_migration() -> i64 {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let number = |file: std::io::Result<std::fs::DirEntry>| -> i64 {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.split('_').next().unwrap().parse().unwrap()
    };
    let files = std::fs::read_dir(folder).unwrap();
    files.map(number).max().unwrap()
}

async fn another_master_key_is_refused(fixture: Fixture) {
    let other = MasterKey::from_bytes([43; 32]);
    let refused = Store::open(fixture.location.clone(), other).await.err();
    assert!(matches!(refused, Some(StoreError::WrongMasterKey)));
}

async fn two_processes_write_at_the_same_time(fixture: Fixture) {
    let second = fixture.second_store().await;
    let write = |store: Store, name: &'static str| {
        tokio::spawn(async move {
            for number in 0..40 {
                let mut tx = store.begin().await.unwrap();
                accounts::create(&mut tx, &new_account(&format!("{name}{number}")), START)
                    .await
                    .unwrap();
                tx.commit().await.unwrap();
            }
        })
    };
    let (one, two) = (
        write(fixture.store.clone(), "one"),
        write(second.clone(), "two"),
    );
    one.await.unwrap();
    two.await.unwrap();

    let mut tx = fixture.store.read().await.unwrap();
    let accounts = accounts::list(&mut tx, None, 1_000).await.unwrap();
    assert_eq!(accounts.len(), 80);
}

async fn opening_at_the_same_time_migrates_once(fixture: Fixture) {
    let fresh = match &fixture.location {
        StoreLocation::SqliteFile(path) => {
            StoreLocation::SqliteFile(path.with_file_name("fresh.db"))
        }
        StoreLocation::Postgres(_) => {
            let database = selvedge_testkit::postgres::TestDatabase::create().await;
            StoreLocation::Postgres(Secret::new(database.url()))
        }
    };
    let opening: Vec<_> = (0..4)
        .map(|_| tokio::spawn(Store::open(fresh.clone(), master_key())))
        .collect();
    let mut identities = Vec::new();
    for task in opening {
        identities.push(task.await.unwrap().unwrap().instance_id());
    }
    identities.dedup();
    assert_eq!(identities.len(), 1);
}

async fn an_edited_migration_is_refused(fixture: Fixture) {
    fixture
        .tamper("update selvedge_migrations set checksum = 'other'".to_owned())
        .await;
    let refused = Store::open(fixture.location.clone(), master_key())
        .await
        .err();
    assert!(matches!(
        refused,
        Some(StoreError::SchemaMismatch { version: 1 })
    ));
}

async fn a_transaction_that_is_not_committed_leaves_nothing(fixture: Fixture) {
    let mut tx = fixture.store.begin().await.unwrap();
    let account = accounts::create(&mut tx, &new_account("gone"), START)
        .await
        .unwrap();
    drop(tx);
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(accounts::find(&mut tx, account).await.unwrap().is_none());
}

async fn a_reader_sees_one_state_throughout(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let mut reader = fixture.store.read().await.unwrap();
    let before = loads::list_page(&mut reader, scope, START, Page::number(1))
        .await
        .unwrap();

    let mut tx = fixture.store.begin().await.unwrap();
    loads::record_success(&mut tx, scope, source, "orders", 1, START)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let after = loads::list_page(&mut reader, scope, START, Page::number(1))
        .await
        .unwrap();
    assert_eq!((before.total, after.total), (0, 0));
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;

    let fixture = Fixture::sqlite().await;
    fixture.account().await;
    let StoreLocation::SqliteFile(path) = &fixture.location else {
        unreachable!("the fixture is on SQLite");
    };
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
    }
}

#[tokio::test]
async fn a_directory_that_is_missing_is_said_to_be_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let location = StoreLocation::SqliteFile(directory.path().join("missing/store.db"));
    let refused = Store::open(location, master_key()).await.err();
    assert!(matches!(refused, Some(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn errors_about_the_database_url_do_not_show_its_password() {
    for url in [
        "postgres://user:hunter2@127.0.0.1:1/nothing",
        "postgres://user:hunter2@127.0.0.1:port/nothing",
    ] {
        let location = StoreLocation::Postgres(Secret::new(url));
        let error = Store::open(location, master_key()).await.err().unwrap();
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
