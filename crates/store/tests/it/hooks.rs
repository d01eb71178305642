//! Hooks and their secrets.

use selvedge_store::{StoreError, accounts, destinations, hooks};
use selvedge_types::{DestinationId, FIRST_ID};

use crate::support::{Fixture, START, after};

on_both_databases!(
    a_hook_belongs_to_a_live_destination,
    disabling_and_enabling_leave_a_trace_once,
    signing_secrets_come_back_and_cannot_be_read_in_the_database,
    signing_secrets_are_bound_to_their_hook,
    hooks_go_with_their_destination_and_their_account,
);

const URL: &str = "https://hooks.example.org/in/7";

async fn a_hook_belongs_to_a_live_destination(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    for _ in 0..2 {
        hooks::create(&mut tx, scope, destination, URL, START)
            .await
            .unwrap();
    }
    let listed = hooks::list(&mut tx, scope).await.unwrap();
    assert_eq!(
        listed.iter().map(|hook| hook.id.0).collect::<Vec<_>>(),
        [FIRST_ID, FIRST_ID + 1]
    );
    let hook = hooks::find(&mut tx, scope, listed[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(hook, listed[0]);
    assert_eq!(
        (hook.hook_type.as_str(), hook.url.as_str()),
        ("post_load", URL)
    );
    assert_eq!(
        (hook.created_at, hook.modified_at, hook.disabled_at),
        (START, START, None)
    );
    assert_eq!(hooks::count(&mut tx, scope).await.unwrap(), 2);

    destinations::delete(&mut tx, scope, destination, START)
        .await
        .unwrap();
    for gone in [destination, DestinationId(1)] {
        let refused = hooks::create(&mut tx, scope, gone, URL, START).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))));
    }
}

async fn disabling_and_enabling_leave_a_trace_once(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let (id, _) = hooks::create(&mut tx, scope, destination, URL, START)
        .await
        .unwrap();
    for (seconds, enabled, disabled_at, modified_at) in [
        (1, true, None, START),
        (2, false, Some(after(2)), after(2)),
        (3, false, Some(after(2)), after(2)),
        (4, true, None, after(4)),
        (5, true, None, after(4)),
    ] {
        hooks::set_enabled(&mut tx, scope, id, enabled, after(seconds))
            .await
            .unwrap();
        let hook = hooks::find(&mut tx, scope, id).await.unwrap().unwrap();
        assert_eq!(
            (hook.disabled_at, hook.modified_at),
            (disabled_at, modified_at)
        );
    }
}

async fn signing_secrets_come_back_and_cannot_be_read_in_the_database(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let (id, secret) = hooks::create(&mut tx, scope, destination, URL, START)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let text = secret.expose();
    // 32 bytes in base64.
    assert!(text.starts_with("whsec_") && text.len() == 6 + 44 && text.ends_with('='));

    let mut tx = fixture.store.read().await.unwrap();
    let stored = hooks::signing_secret(&mut tx, scope, id).await.unwrap();
    assert!(stored.as_ref() == Some(&secret));
    drop(tx);
    let bytes = fixture.stolen_bytes().await;
    let found = |text: &str| {
        let text = text.as_bytes();
        bytes.windows(text.len()).any(|window| window == text)
    };
    assert!(found(URL), "the search looks in the right place");
    assert!(!found("whsec_") && !found(&text[6..]));
}

async fn signing_secrets_are_bound_to_their_hook(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let (one, _) = hooks::create(&mut tx, scope, destination, URL, START)
        .await
        .unwrap();
    let (two, _) = hooks::create(&mut tx, scope, destination, URL, START)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    fixture
        .tamper(format!(
            "update hooks set secret = (select secret from hooks where id = {one})"
        ))
        .await;
    let mut tx = fixture.store.read().await.unwrap();
    assert!(hooks::signing_secret(&mut tx, scope, one).await.is_ok());
    let refused = hooks::signing_secret(&mut tx, scope, two).await;
    assert!(matches!(
        refused,
        Err(StoreError::Corrupt {
            table: "hooks",
            column: "secret",
            ..
        })
    ));
}

async fn hooks_go_with_their_destination_and_their_account(fixture: Fixture) {
    let scope = fixture.account().await;
    let (going, staying) = (
        fixture.destination(scope).await,
        fixture.destination(scope).await,
    );
    let mut tx = fixture.store.begin().await.unwrap();
    for destination in [going, staying, going] {
        hooks::create(&mut tx, scope, destination, URL, START)
            .await
            .unwrap();
    }
    hooks::delete_of_destination(&mut tx, scope, going)
        .await
        .unwrap();
    let left = hooks::list(&mut tx, scope).await.unwrap();
    assert_eq!(
        left.iter()
            .map(|hook| hook.destination_id)
            .collect::<Vec<_>>(),
        [staying]
    );
    assert!(accounts::delete(&mut tx, scope, after(1)).await.unwrap());
    assert!(hooks::list(&mut tx, scope).await.unwrap().is_empty());
}
