//! The outbox of hooks.

use selvedge_store::hook_messages::{self, ClaimedMessage};
use selvedge_store::{StoreError, Tx, hooks};
use selvedge_types::{AccountScope, HookId, Timestamp};

use crate::support::{Fixture, START, after};

on_both_databases!(
    a_message_comes_with_all_that_its_delivery_needs,
    messages_of_one_hook_are_claimed_one_at_a_time,
    a_claim_ends_by_itself_or_is_given_back,
    a_failed_attempt_is_counted_and_the_next_waits_its_time,
    messages_for_hooks_that_are_gone_or_disabled_are_dropped,
    only_enabled_hooks_of_the_destination_are_listed,
    what_is_told_cannot_be_read_in_the_database,
    a_message_that_cannot_be_read_blocks_nobody,
    a_stranger_changes_nothing,
);

const URL: &str = "https://hooks.example.org/in/7";
const CLAIM_SECONDS: i64 = 60;

async fn hook(fixture: &Fixture, scope: AccountScope) -> HookId {
    let destination = fixture.destination(scope).await;
    let mut tx = fixture.store.begin().await.unwrap();
    let created = hooks::create(&mut tx, scope, destination, URL, START).await;
    tx.commit().await.unwrap();
    created.unwrap().0
}

async fn enqueue(fixture: &Fixture, scope: AccountScope, hook: HookId, body: &str) -> String {
    let mut tx = fixture.store.begin().await.unwrap();
    let id = hook_messages::enqueue(&mut tx, scope, hook, body.as_bytes(), START).await;
    tx.commit().await.unwrap();
    id.unwrap()
}

async fn in_transaction<T>(
    fixture: &Fixture,
    work: impl AsyncFnOnce(&mut Tx) -> Result<T, StoreError>,
) -> T {
    let mut tx = fixture.store.begin().await.unwrap();
    let value = work(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    value
}

async fn claim(fixture: &Fixture, now: Timestamp) -> Option<ClaimedMessage> {
    in_transaction(fixture, async |tx| {
        hook_messages::claim(tx, now, CLAIM_SECONDS).await
    })
    .await
}

async fn claimed_id(fixture: &Fixture, now: Timestamp) -> Option<String> {
    claim(fixture, now).await.map(|message| message.id)
}

async fn any_due(fixture: &Fixture, now: Timestamp) -> bool {
    let mut tx = fixture.store.read().await.unwrap();
    hook_messages::any_due(&mut tx, now).await.unwrap()
}

async fn a_message_comes_with_all_that_its_delivery_needs(fixture: Fixture) {
    let scope = fixture.account().await;
    let hook = hook(&fixture, scope).await;
    assert!(!any_due(&fixture, START).await);
    let id = enqueue(&fixture, scope, hook, "{}").await;
    assert!(id.starts_with("msg_") && id.len() == 4 + 32, "{id}");
    assert!(any_due(&fixture, START).await);
    assert!(!any_due(&fixture, after(-1)).await);
    let message = claim(&fixture, START).await.unwrap();
    assert_eq!((message.id, message.hook), (id.clone(), hook));
    assert_eq!(message.scope.account(), scope.account());
    assert_eq!((message.url.as_str(), message.attempts), (URL, 0));
    assert_eq!(message.created_at, START);
    let content = message.content.unwrap();
    assert_eq!(content.body, b"{}");
    let mut tx = fixture.store.read().await.unwrap();
    let secret = hooks::signing_secret(&mut tx, scope, hook).await.unwrap();
    drop(tx);
    assert!(secret == Some(content.secret));
    assert!(!any_due(&fixture, START).await);
    in_transaction(&fixture, async |tx| {
        hook_messages::delete(tx, scope, &id).await
    })
    .await;
    assert!(claim(&fixture, after(CLAIM_SECONDS)).await.is_none());
}

async fn messages_of_one_hook_are_claimed_one_at_a_time(fixture: Fixture) {
    let scope = fixture.account().await;
    let (one, two) = (hook(&fixture, scope).await, hook(&fixture, scope).await);
    for _ in 0..2 {
        enqueue(&fixture, scope, one, "{}").await;
    }
    enqueue(&fixture, scope, two, "{}").await;
    let first = claim(&fixture, START).await.unwrap();
    let second = claim(&fixture, START).await.unwrap();
    assert_ne!(first.hook, second.hook);
    assert!(claim(&fixture, START).await.is_none());
    let of_one = if first.hook == one { first } else { second };
    in_transaction(&fixture, async |tx| {
        hook_messages::delete(tx, scope, &of_one.id).await
    })
    .await;
    assert_eq!(claim(&fixture, START).await.unwrap().hook, one);
}

async fn a_claim_ends_by_itself_or_is_given_back(fixture: Fixture) {
    let scope = fixture.account().await;
    let hook = hook(&fixture, scope).await;
    let id = Some(enqueue(&fixture, scope, hook, "{}").await);
    assert_eq!(claimed_id(&fixture, START).await, id);
    assert_eq!(claimed_id(&fixture, after(CLAIM_SECONDS - 1)).await, None);
    let message = claim(&fixture, after(CLAIM_SECONDS)).await.unwrap();
    assert_eq!((Some(&message.id), message.attempts), (id.as_ref(), 0));
    in_transaction(&fixture, async |tx| {
        hook_messages::release(tx, scope, &message.id).await
    })
    .await;
    assert_eq!(claimed_id(&fixture, after(CLAIM_SECONDS)).await, id);
    let ended = in_transaction(&fixture, hook_messages::release_all).await;
    assert_eq!(ended, 1);
    assert_eq!(claimed_id(&fixture, after(CLAIM_SECONDS)).await, id);
}

async fn a_failed_attempt_is_counted_and_the_next_waits_its_time(fixture: Fixture) {
    let scope = fixture.account().await;
    let hook = hook(&fixture, scope).await;
    let id = enqueue(&fixture, scope, hook, "{}").await;
    for attempts in 0..3 {
        let at = after(i64::from(attempts) * 10);
        let message = claim(&fixture, at).await.unwrap();
        assert_eq!(message.attempts, attempts);
        in_transaction(&fixture, async |tx| {
            hook_messages::postpone(tx, scope, &id, at.plus_seconds(10), "no answer").await
        })
        .await;
        assert_eq!(claimed_id(&fixture, at.plus_seconds(9)).await, None);
    }
}

async fn messages_for_hooks_that_are_gone_or_disabled_are_dropped(fixture: Fixture) {
    let scope = fixture.account().await;
    let (gone, disabled) = (hook(&fixture, scope).await, hook(&fixture, scope).await);
    for hook in [gone, disabled, disabled] {
        enqueue(&fixture, scope, hook, "{}").await;
    }
    in_transaction(&fixture, async |tx| {
        hooks::set_enabled(tx, scope, disabled, false, START).await?;
        hooks::delete(tx, scope, gone).await
    })
    .await;
    assert!(claim(&fixture, START).await.is_none());
    in_transaction(&fixture, async |tx| {
        hooks::set_enabled(tx, scope, disabled, true, START).await
    })
    .await;
    assert!(claim(&fixture, START).await.is_none());
    assert!(!any_due(&fixture, START).await);
}

async fn only_enabled_hooks_of_the_destination_are_listed(fixture: Fixture) {
    let scope = fixture.account().await;
    let (here, elsewhere) = (
        fixture.destination(scope).await,
        fixture.destination(scope).await,
    );
    let mut tx = fixture.store.begin().await.unwrap();
    let mut created = Vec::new();
    for destination in [here, elsewhere, here, here] {
        let hook = hooks::create(&mut tx, scope, destination, URL, START).await;
        created.push(hook.unwrap().0);
    }
    hooks::set_enabled(&mut tx, scope, created[2], false, START)
        .await
        .unwrap();
    let listed = hooks::list_enabled(&mut tx, scope, here).await.unwrap();
    assert_eq!(listed, [created[0], created[3]]);
}

async fn what_is_told_cannot_be_read_in_the_database(fixture: Fixture) {
    let scope = fixture.account().await;
    let hook = hook(&fixture, scope).await;
    let id = enqueue(&fixture, scope, hook, "the greatest bookmark").await;
    let bytes = fixture.stolen_bytes().await;
    let found = |text: &str| {
        let text = text.as_bytes();
        bytes.windows(text.len()).any(|window| window == text)
    };
    assert!(found(&id), "the search looks in the right place");
    assert!(!found("bookmark"));
}

async fn a_message_that_cannot_be_read_blocks_nobody(fixture: Fixture) {
    let scope = fixture.account().await;
    let (one, two) = (hook(&fixture, scope).await, hook(&fixture, scope).await);
    let source = enqueue(&fixture, scope, one, "{}").await;
    let damaged = enqueue(&fixture, scope, two, "{}").await;
    fixture
        .tamper(format!(
            "update hook_messages set body = (select body from hook_messages where id = '{source}')"
        ))
        .await;
    let claimed = [
        claim(&fixture, START).await.unwrap(),
        claim(&fixture, START).await.unwrap(),
    ];
    for message in claimed {
        assert_eq!(
            message.id == damaged,
            matches!(
                message.content,
                Err(StoreError::Corrupt {
                    table: "hook_messages",
                    ..
                })
            )
        );
    }
}

async fn a_stranger_changes_nothing(fixture: Fixture) {
    let (owner, stranger) = (fixture.account().await, fixture.account().await);
    let hook = hook(&fixture, owner).await;
    let id = enqueue(&fixture, owner, hook, "{}").await;
    in_transaction(&fixture, async |tx| {
        hook_messages::delete(tx, stranger, &id).await?;
        hook_messages::postpone(tx, stranger, &id, after(9), "mine").await
    })
    .await;
    let message = claim(&fixture, START).await.unwrap();
    assert_eq!(message.attempts, 0);
    in_transaction(&fixture, async |tx| {
        hook_messages::release(tx, stranger, &id).await
    })
    .await;
    assert!(claim(&fixture, START).await.is_none());
}
