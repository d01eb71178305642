//! API access tokens.

use selvedge_store::{accounts, tokens};
use selvedge_types::TokenId;

use crate::support::{Fixture, START, after};

on_both_databases!(
    a_token_acts_for_its_account_until_it_is_revoked,
    last_use_only_moves_forward,
    a_stolen_database_holds_no_token,
);

async fn a_token_acts_for_its_account_until_it_is_revoked(fixture: Fixture) {
    let (scope, other) = (fixture.account().await, fixture.account().await);
    let mut tx = fixture.store.begin().await.unwrap();
    let (id, token) = tokens::mint(&mut tx, scope, None, START).await.unwrap();
    let (_, second) = tokens::mint(&mut tx, scope, None, START).await.unwrap();
    assert!(token.expose().starts_with("ac_"));
    let authenticated = tokens::authenticate(&mut tx, token.expose()).await.unwrap();
    let holder = |plan: Option<&str>| {
        Some(tokens::TokenHolder {
            token: id,
            scope,
            plan: plan.map(str::to_owned),
        })
    };
    assert_eq!(authenticated, holder(None));
    accounts::set_plan(&mut tx, scope, Some("basic"))
        .await
        .unwrap();
    let authenticated = tokens::authenticate(&mut tx, token.expose()).await.unwrap();
    assert_eq!(authenticated, holder(Some("basic")));

    assert!(!tokens::revoke(&mut tx, other, id, after(1)).await.unwrap());
    assert!(tokens::revoke(&mut tx, scope, id, after(1)).await.unwrap());
    assert!(!tokens::revoke(&mut tx, scope, id, after(2)).await.unwrap());
    assert!(
        tokens::authenticate(&mut tx, token.expose())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        tokens::authenticate(&mut tx, second.expose())
            .await
            .unwrap()
            .is_some()
    );
    for unknown in ["", "ac_", "ac_0000"] {
        assert!(
            tokens::authenticate(&mut tx, unknown)
                .await
                .unwrap()
                .is_none()
        );
    }
}

async fn last_use_only_moves_forward(fixture: Fixture) {
    let scope = fixture.account().await;
    let mut tx = fixture.store.begin().await.unwrap();
    let (id, _) = tokens::mint(&mut tx, scope, None, START).await.unwrap();
    let unknown = TokenId(1);
    tokens::touch(&mut tx, &[(unknown, after(9)), (id, after(5))])
        .await
        .unwrap();
    tokens::touch(&mut tx, &[(id, after(3))]).await.unwrap();
    let listed = tokens::list(&mut tx, scope).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].last_used_at, Some(after(5)));
}

async fn a_stolen_database_holds_no_token(fixture: Fixture) {
    let scope = fixture.account().await;
    let mut tx = fixture.store.begin().await.unwrap();
    let (_, token) = tokens::mint(&mut tx, scope, None, START).await.unwrap();
    tx.commit().await.unwrap();
    let bytes = fixture.stolen_bytes().await;
    let random_part = token.expose().trim_start_matches("ac_").as_bytes();
    assert!(
        !bytes
            .windows(random_part.len())
            .any(|window| window == random_part)
    );
}
