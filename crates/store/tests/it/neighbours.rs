//! Whether what was read may have changed: what this process and other servers commit.

use std::time::Duration;

use selvedge_store::{Store, accounts};
use selvedge_testkit::wait::wait_until;

use crate::support::{Fixture, START, new_account};

on_both_databases!(the_count_of_commits_grows_with_each);

const PATIENCE: Duration = Duration::from_secs(30);

async fn create(store: &Store, name: &str) {
    let mut tx = store.begin().await.unwrap();
    accounts::create(&mut tx, &new_account(name), START)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// Waits until nothing is counted that was not committed.
async fn hears(store: &Store) -> u64 {
    wait_until("a count that stays", PATIENCE, async || {
        let count = store.commit_count();
        (store.commit_count() == count)
            .then_some(count)
            .ok_or(count)
    })
    .await
}

async fn the_count_of_commits_grows_with_each(fixture: Fixture) {
    let store = fixture.store.clone();
    let hearing = tokio::spawn(async move { store.hear_others().await });
    let store = &fixture.store;
    let before = hears(store).await;
    create(store, "own").await;
    assert_ne!(store.commit_count(), before);
    // The listener leaves with the store.
    store.close().await;
    hearing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_another_server_is_heard() {
    let fixture = Fixture::postgres().await;
    let (store, other) = (fixture.store.clone(), fixture.second_store().await);
    tokio::spawn(async move { store.hear_others().await });
    let before = hears(&fixture.store).await;
    create(&other, "other").await;
    wait_until("the other's commit", PATIENCE, async || {
        let count = fixture.store.commit_count();
        (count != before).then_some(()).ok_or(count)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_taken_for_unchanged_while_others_are_not_heard() {
    let fixture = Fixture::postgres().await;
    let store = fixture.store.clone();
    assert_ne!(store.commit_count(), store.commit_count());
    let listening = store.clone();
    tokio::spawn(async move { listening.hear_others().await });
    let before = hears(&store).await;
    // The connection that listens is lost: until there is another one, something may have been missed.
    let lost = "select pg_terminate_backend(pid) from pg_stat_activity \
                where datname = current_database() and query ilike 'listen%'";
    fixture.tamper(lost.to_owned()).await;
    wait_until("a count that has grown", PATIENCE, async || {
        let count = store.commit_count();
        (count != before).then_some(()).ok_or(count)
    })
    .await;
    hears(&store).await;
}
