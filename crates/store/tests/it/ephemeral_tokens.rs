//! Tokens that start a web session.

use selvedge_store::{accounts, ephemeral_tokens, tokens};
use selvedge_types::{Secret, Timestamp, TokenId};

use crate::support::{Fixture, START, after};

on_both_databases!(
    a_token_acts_for_its_maker_until_it_expires,
    a_token_ends_with_the_access_token_that_made_it,
    a_token_ends_with_its_account,
    an_exchanged_token_is_refused,
    expired_tokens_are_deleted,
    a_stolen_database_holds_no_token,
);

const EXPIRY_SECONDS: i64 = 3_600;

/// A token made at the start, with its maker.
async fn minted(fixture: &Fixture) -> (selvedge_types::AccountScope, TokenId, Secret) {
    let scope = fixture.account().await;
    let mut tx = fixture.store.begin().await.unwrap();
    let (maker, _) = tokens::mint(&mut tx, scope, None, START).await.unwrap();
    let token = ephemeral_tokens::mint(&mut tx, scope, maker, START, after(EXPIRY_SECONDS))
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    (scope, maker, token)
}

async fn works(fixture: &Fixture, token: &Secret, now: Timestamp) -> bool {
    let mut tx = fixture.store.read().await.unwrap();
    ephemeral_tokens::authenticate(&mut tx, token.expose(), now)
        .await
        .unwrap()
        .is_some()
}

async fn a_token_acts_for_its_maker_until_it_expires(fixture: Fixture) {
    let (scope, maker, token) = minted(&fixture).await;
    assert_eq!(token.expose().len(), 64);
    let last = after(EXPIRY_SECONDS - 1);
    let mut tx = fixture.store.read().await.unwrap();
    let authenticated = ephemeral_tokens::authenticate(&mut tx, token.expose(), last)
        .await
        .unwrap();
    let holder = tokens::TokenHolder {
        token: maker,
        scope,
        plan: None,
    };
    assert_eq!(authenticated, Some(holder));
    drop(tx);
    assert!(!works(&fixture, &token, after(EXPIRY_SECONDS)).await);
    assert!(!works(&fixture, &Secret::new("0000"), START).await);
}

async fn a_token_ends_with_the_access_token_that_made_it(fixture: Fixture) {
    let (scope, maker, token) = minted(&fixture).await;
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(
        tokens::revoke(&mut tx, scope, maker, after(1))
            .await
            .unwrap()
    );
    let another = ephemeral_tokens::mint(&mut tx, scope, maker, after(1), after(2)).await;
    assert!(another.unwrap().is_none());
    tx.commit().await.unwrap();
    assert!(!works(&fixture, &token, after(1)).await);
}

async fn a_token_ends_with_its_account(fixture: Fixture) {
    let (scope, _, token) = minted(&fixture).await;
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(accounts::delete(&mut tx, scope, after(1)).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!works(&fixture, &token, after(1)).await);
}

async fn an_exchanged_token_is_refused(fixture: Fixture) {
    let (_, _, token) = minted(&fixture).await;
    assert!(works(&fixture, &token, after(1)).await);
    fixture
        .tamper("update ephemeral_tokens set exchanged_at = created_at".to_owned())
        .await;
    assert!(!works(&fixture, &token, after(1)).await);
}

async fn expired_tokens_are_deleted(fixture: Fixture) {
    let (scope, maker, token) = minted(&fixture).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let later = ephemeral_tokens::mint(&mut tx, scope, maker, after(1), after(EXPIRY_SECONDS + 1))
        .await
        .unwrap()
        .unwrap();
    let now = after(EXPIRY_SECONDS);
    let deleted = ephemeral_tokens::delete_expired(&mut tx, now)
        .await
        .unwrap();
    assert_eq!(deleted, 1);
    tx.commit().await.unwrap();
    assert!(!works(&fixture, &token, START).await, "it is gone");
    assert!(works(&fixture, &later, now).await);
}

async fn a_stolen_database_holds_no_token(fixture: Fixture) {
    let (_, _, token) = minted(&fixture).await;
    let bytes = fixture.stolen_bytes().await;
    let text = token.expose().as_bytes();
    assert!(!bytes.windows(text.len()).any(|window| window == text));
}
