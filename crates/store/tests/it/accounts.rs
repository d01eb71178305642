//! Accounts and partners.

use selvedge_store::jobs::Enqueued;
use selvedge_store::{StoreError, accounts, destinations, jobs, partners, sources, tokens};
use selvedge_types::job::{JobMode, JobState};
use selvedge_types::{AccountId, FIRST_ID};
use uuid::Uuid;

use crate::support::{Fixture, START, after, new_account};

on_both_databases!(
    ids_have_six_digits_and_ascend,
    an_email_address_is_taken_whatever_its_case,
    deleting_an_account_ends_everything_in_it,
    accounts_are_listed_page_by_page,
    a_partner_authenticates_with_its_newest_secret_only,
    a_disabled_partner_is_refused_until_enabled,
);

async fn ids_have_six_digits_and_ascend(fixture: Fixture) {
    let first = fixture.account().await;
    let second = fixture.account().await;
    assert_eq!(first.account(), AccountId(FIRST_ID));
    assert_eq!(second.account(), AccountId(FIRST_ID + 1));
    assert_eq!(fixture.source(first, "a").await.0, FIRST_ID);
    assert_eq!(fixture.destination(second).await.0, FIRST_ID);
    // A row that vanished altogether does not free its id.
    fixture
        .tamper(
            format!("delete from accounts where id = {}", FIRST_ID + 1).replace(
                "delete from accounts",
                "delete from destinations; delete from accounts",
            ),
        )
        .await;
    assert_eq!(fixture.account().await.account(), AccountId(FIRST_ID + 2));
}

async fn an_email_address_is_taken_whatever_its_case(fixture: Fixture) {
    let mut tx = fixture.store.begin().await.unwrap();
    let id = accounts::create(&mut tx, &new_account("Ada"), START)
        .await
        .unwrap();
    assert!(
        accounts::email_taken(&mut tx, "aDa@EXAMPLE.com")
            .await
            .unwrap()
    );
    let refused = accounts::create(&mut tx, &new_account("ADA"), START).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    // The refusal leaves the transaction usable.
    let stored = accounts::find(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(stored.email, "Ada@example.com");

    let scope = selvedge_types::AccountScope::of(id);
    assert!(accounts::delete(&mut tx, scope, after(1)).await.unwrap());
    assert!(
        !accounts::email_taken(&mut tx, "ada@example.com")
            .await
            .unwrap()
    );
    accounts::create(&mut tx, &new_account("ada"), after(2))
        .await
        .unwrap();
}

async fn deleting_an_account_ends_everything_in_it(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let (running, waiting) = (
        fixture.source(scope, "running").await,
        fixture.source(scope, "waiting").await,
    );
    fixture.enqueue(scope, running, JobMode::Sync).await;
    let claimed = fixture.claim(START).await.unwrap();
    let pending = fixture.enqueue(scope, waiting, JobMode::Sync).await;

    let mut tx = fixture.store.begin().await.unwrap();
    let (token_id, token) = tokens::mint(&mut tx, scope, None, START).await.unwrap();
    assert!(accounts::lock(&mut tx, scope).await.unwrap());
    assert!(accounts::delete(&mut tx, scope, after(5)).await.unwrap());
    assert!(!accounts::lock(&mut tx, scope).await.unwrap());
    assert!(!accounts::delete(&mut tx, scope, after(6)).await.unwrap());
    assert!(
        tokens::authenticate(&mut tx, token.expose())
            .await
            .unwrap()
            .is_none()
    );
    let listed = tokens::list(&mut tx, scope).await.unwrap();
    assert_eq!(
        (listed[0].id, listed[0].revoked_at),
        (token_id, Some(after(5)))
    );
    let source = sources::find(&mut tx, scope, running)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(source.deleted_at, Some(after(5)));
    let gone = destinations::find(&mut tx, scope, destination)
        .await
        .unwrap();
    assert_eq!(gone.unwrap().deleted_at, Some(after(5)));
    let record = jobs::find(&mut tx, scope, &claimed.name)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.stop_requested_at, Some(after(5)));
    let enqueued = jobs::enqueue(
        &mut tx,
        scope,
        waiting.into(),
        JobMode::Sync,
        Uuid::new_v4(),
        after(6),
    )
    .await
    .unwrap();
    assert_eq!(enqueued, Enqueued::NoConnection);
    tx.commit().await.unwrap();
    assert_eq!(fixture.state(&pending).await, JobState::Terminated);
}

async fn accounts_are_listed_page_by_page(fixture: Fixture) {
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(fixture.account().await.account());
    }
    let mut tx = fixture.store.read().await.unwrap();
    let (mut listed, mut last) = (Vec::new(), None);
    loop {
        let page = accounts::list(&mut tx, last, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(account) = page.last() else { break };
        last = Some(account.id);
        listed.extend(page.iter().map(|account| account.id));
    }
    assert_eq!(listed, expected);
}

async fn a_partner_authenticates_with_its_newest_secret_only(fixture: Fixture) {
    let mut tx = fixture.store.begin().await.unwrap();
    let uris = ["https://example.com/callback".to_owned()];
    let (partner, secret) = partners::create(&mut tx, "Example", &uris, START)
        .await
        .unwrap();
    assert!(partner.id.starts_with("oc_") && secret.expose().starts_with("oc_"));
    let authenticated = partners::authenticate(&mut tx, &partner.id, secret.expose())
        .await
        .unwrap();
    assert_eq!(authenticated.as_ref(), Some(&partner));
    assert_eq!(
        partners::find(&mut tx, &partner.id).await.unwrap(),
        Some(partner.clone())
    );

    let newer = partners::rotate(&mut tx, &partner.id)
        .await
        .unwrap()
        .unwrap();
    for (secret, accepted) in [(&secret, false), (&newer, true)] {
        let by_id = partners::authenticate(&mut tx, &partner.id, secret.expose()).await;
        assert_eq!(by_id.unwrap().is_some(), accepted);
        let alone = partners::authenticate_by_secret(&mut tx, secret.expose()).await;
        assert_eq!(alone.unwrap().is_some(), accepted);
    }
    let unknown = partners::authenticate(&mut tx, "oc_unknown", newer.expose()).await;
    assert!(unknown.unwrap().is_none());
    assert!(
        partners::rotate(&mut tx, "oc_unknown")
            .await
            .unwrap()
            .is_none()
    );
}

async fn a_disabled_partner_is_refused_until_enabled(fixture: Fixture) {
    let mut tx = fixture.store.begin().await.unwrap();
    let (partner, secret) = partners::create(&mut tx, "Example", &[], START)
        .await
        .unwrap();
    assert!(
        partners::disable(&mut tx, &partner.id, after(1))
            .await
            .unwrap()
    );
    assert!(
        partners::disable(&mut tx, &partner.id, after(2))
            .await
            .unwrap()
    );
    let refused = partners::authenticate(&mut tx, &partner.id, secret.expose()).await;
    assert!(refused.unwrap().is_none());
    let listed = partners::list(&mut tx).await.unwrap();
    assert_eq!(listed[0].disabled_at, Some(after(1)));
    assert!(partners::enable(&mut tx, &partner.id).await.unwrap());
    let accepted = partners::authenticate(&mut tx, &partner.id, secret.expose()).await;
    assert!(accepted.unwrap().is_some());
    assert!(
        !partners::disable(&mut tx, "oc_unknown", START)
            .await
            .unwrap()
    );
}
