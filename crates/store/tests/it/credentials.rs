//! Credentials at rest.

use selvedge_store::{StoreError, destinations, sources};
use serde_json::Value;

use crate::support::{Fixture, after, password};

on_both_databases!(
    credentials_come_back_and_cannot_be_read_in_the_database,
    credentials_are_bound_to_their_account_and_connection,
    updated_credentials_replace_the_old_ones,
);

async fn credentials_come_back_and_cannot_be_read_in_the_database(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let destination = fixture.destination(scope).await;
    let mut tx = fixture.store.read().await.unwrap();
    let source = sources::find(&mut tx, scope, source)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        source.credentials.expose("password"),
        Some(&Value::from("source-secret"))
    );
    let destination = destinations::find(&mut tx, scope, destination)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        destination.credentials.expose("password"),
        Some(&Value::from("destination-secret"))
    );
    assert!(!format!("{source:?} {destination:?}").contains("-secret"));
    drop(tx);

    let bytes = fixture.stolen_bytes().await;
    let found = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(
        found(b"db.example.com"),
        "the search looks in the right place"
    );
    assert!(!found(b"source-secret") && !found(b"destination-secret"));
}

async fn credentials_are_bound_to_their_account_and_connection(fixture: Fixture) {
    let (scope, other) = (fixture.account().await, fixture.account().await);
    let from = fixture.source(scope, "shop").await;
    let sibling = fixture.source(scope, "sibling").await;
    let foreign = fixture.source(other, "foreign").await;
    fixture
        .tamper(format!(
            "update sources
            set credentials = (select credentials from sources where id = {from})"
        ))
        .await;
    let mut tx = fixture.store.read().await.unwrap();
    assert!(sources::find(&mut tx, scope, from).await.unwrap().is_some());
    for (scope, id) in [(scope, sibling), (other, foreign)] {
        let refused = sources::find(&mut tx, scope, id).await;
        assert!(matches!(
            refused,
            Err(StoreError::Corrupt {
                table: "sources",
                column: "credentials",
                ..
            })
        ));
    }
}

async fn updated_credentials_replace_the_old_ones(fixture: Fixture) {
    let scope = fixture.account().await;
    let id = fixture.source(scope, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    let mut source = sources::find_for_update(&mut tx, scope, id)
        .await
        .unwrap()
        .unwrap();
    source.credentials = password("newer");
    assert!(
        sources::update(&mut tx, scope, &source, after(1))
            .await
            .unwrap()
    );
    let source = sources::find(&mut tx, scope, id).await.unwrap().unwrap();
    assert_eq!(source.credentials, password("newer"));

    let mut emptied = source;
    emptied.credentials.remove("password");
    assert!(
        sources::update(&mut tx, scope, &emptied, after(2))
            .await
            .unwrap()
    );
    let source = sources::find(&mut tx, scope, id).await.unwrap().unwrap();
    assert!(source.credentials.is_empty());
}
