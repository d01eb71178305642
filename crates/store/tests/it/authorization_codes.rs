//! Authorization codes.

use selvedge_store::{Store, accounts, authorization_codes, partners};
use selvedge_types::{AccountScope, Secret, Timestamp};

use crate::support::{Fixture, START, after};

on_both_databases!(
    a_code_works_once_for_its_partner_until_it_expires,
    of_two_exchanges_at_the_same_time_one_succeeds,
    a_code_ends_with_its_account,
    expired_codes_are_deleted,
    a_stolen_database_holds_no_code,
);

const EXPIRY_SECONDS: i64 = 300;
const CALLBACK: &str = "https://app.example.com/callback";

async fn partner(store: &Store) -> String {
    let mut tx = store.begin().await.unwrap();
    let uris = [CALLBACK.to_owned()];
    let (partner, _) = partners::create(&mut tx, "Acme", &uris, START)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    partner.id
}

async fn mint(store: &Store, scope: AccountScope, partner: &str) -> Secret {
    let mut tx = store.begin().await.unwrap();
    let expires_at = after(EXPIRY_SECONDS);
    let code = authorization_codes::mint(&mut tx, scope, partner, CALLBACK, START, expires_at)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    code
}

async fn redeem(
    store: &Store,
    partner: &str,
    code: &Secret,
    now: Timestamp,
) -> Option<AccountScope> {
    let mut tx = store.begin().await.unwrap();
    let redeemed = authorization_codes::redeem(&mut tx, partner, code.expose(), now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    redeemed.map(|redeemed| {
        assert_eq!(redeemed.redirect_uri, CALLBACK);
        redeemed.scope
    })
}

async fn a_code_works_once_for_its_partner_until_it_expires(fixture: Fixture) {
    let store = &fixture.store;
    let scope = fixture.account().await;
    let (acme, other) = (partner(store).await, partner(store).await);
    let code = mint(store, scope, &acme).await;
    assert_eq!(code.expose().len(), 64);
    assert_eq!(redeem(store, &other, &code, START).await, None);
    assert_eq!(
        redeem(store, &acme, &Secret::new("0000"), START).await,
        None
    );
    let last = after(EXPIRY_SECONDS - 1);
    assert_eq!(redeem(store, &acme, &code, last).await, Some(scope));
    assert_eq!(redeem(store, &acme, &code, last).await, None, "used");
    let late = mint(store, scope, &acme).await;
    let expired = after(EXPIRY_SECONDS);
    assert_eq!(redeem(store, &acme, &late, expired).await, None);
}

async fn of_two_exchanges_at_the_same_time_one_succeeds(fixture: Fixture) {
    let scope = fixture.account().await;
    let acme = partner(&fixture.store).await;
    let second = fixture.second_store().await;
    for _ in 0..10 {
        let code = mint(&fixture.store, scope, &acme).await;
        let (one, two) = tokio::join!(
            redeem(&fixture.store, &acme, &code, START),
            redeem(&second, &acme, &code, START),
        );
        assert_eq!([one, two].iter().flatten().count(), 1);
    }
}

async fn a_code_ends_with_its_account(fixture: Fixture) {
    let scope = fixture.account().await;
    let acme = partner(&fixture.store).await;
    let code = mint(&fixture.store, scope, &acme).await;
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(accounts::delete(&mut tx, scope, START).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(redeem(&fixture.store, &acme, &code, START).await, None);
}

async fn expired_codes_are_deleted(fixture: Fixture) {
    let scope = fixture.account().await;
    let acme = partner(&fixture.store).await;
    mint(&fixture.store, scope, &acme).await;
    let mut tx = fixture.store.begin().await.unwrap();
    for (now, deleted) in [(EXPIRY_SECONDS - 1, 0), (EXPIRY_SECONDS, 1)] {
        let found = authorization_codes::delete_expired(&mut tx, after(now)).await;
        assert_eq!(found.unwrap(), deleted);
    }
}

async fn a_stolen_database_holds_no_code(fixture: Fixture) {
    let scope = fixture.account().await;
    let acme = partner(&fixture.store).await;
    let code = mint(&fixture.store, scope, &acme).await;
    let bytes = fixture.stolen_bytes().await;
    let code = code.expose().as_bytes();
    assert!(!bytes.windows(code.len()).any(|window| window == code));
}
