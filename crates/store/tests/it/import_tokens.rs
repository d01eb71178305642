//! Import API access tokens.

use selvedge_store::{import_tokens, sources};
use selvedge_types::{FIRST_ID, SourceId};

use crate::support::{Fixture, START, after};

on_both_databases!(
    active_tokens_are_listed_newest_first,
    only_live_sources_get_tokens,
    a_stolen_database_holds_no_token,
);

async fn active_tokens_are_listed_newest_first(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "pushed").await;
    let sibling = fixture.source(scope, "sibling").await;
    let mut tx = fixture.store.begin().await.unwrap();
    let mut ids = Vec::new();
    for seconds in 0..3 {
        let minted = import_tokens::mint(&mut tx, scope, source, after(seconds)).await;
        ids.push(minted.unwrap().unwrap().0);
    }
    assert_eq!(ids[0].0, FIRST_ID);
    let revoked = import_tokens::revoke(&mut tx, scope, sibling, ids[1], after(9)).await;
    assert!(!revoked.unwrap(), "the token is another source's");
    for expected in [true, false] {
        let revoked = import_tokens::revoke(&mut tx, scope, source, ids[1], after(9)).await;
        assert_eq!(revoked.unwrap(), expected);
    }
    let listed = import_tokens::list_active(&mut tx, scope, source)
        .await
        .unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|token| (token.id, token.created_at))
        .collect();
    assert_eq!(listed, [(ids[2], after(2)), (ids[0], START)]);
}

async fn only_live_sources_get_tokens(fixture: Fixture) {
    let scope = fixture.account().await;
    let deleted = fixture.source(scope, "deleted").await;
    let mut tx = fixture.store.begin().await.unwrap();
    sources::delete(&mut tx, scope, deleted, START)
        .await
        .unwrap();
    for source in [deleted, SourceId(1)] {
        let minted = import_tokens::mint(&mut tx, scope, source, after(1)).await;
        assert!(minted.unwrap().is_none());
        assert!(
            !sources::touch(&mut tx, scope, source, after(1))
                .await
                .unwrap()
        );
    }
}

async fn a_stolen_database_holds_no_token(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "pushed").await;
    let mut tx = fixture.store.begin().await.unwrap();
    let (_, token) = import_tokens::mint(&mut tx, scope, source, START)
        .await
        .unwrap()
        .unwrap();
    tx.commit().await.unwrap();
    let bytes = fixture.stolen_bytes().await;
    let text = token.expose().as_bytes();
    assert!(!bytes.windows(text.len()).any(|window| window == text));
}
