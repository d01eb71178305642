//! Answers kept for repeats.

use selvedge_store::idempotency::{self, Reservation};
use selvedge_types::Timestamp;

use crate::support::{Fixture, after};

on_both_databases!(
    a_repeat_gets_the_first_answer,
    a_key_is_free_again_after_release_expiry_or_a_crash,
    whoever_lost_a_reservation_neither_answers_nor_releases_it,
    kept_answers_cannot_be_read_in_the_database,
);

const SCOPE: &str = "account:100000 POST /v4/sources";

/// Reserves at `now`, with a day of memory and a minute of patience.
async fn reserve(fixture: &Fixture, key: &str, body: &[u8], now: Timestamp) -> Reservation {
    let mut tx = fixture.store.begin().await.unwrap();
    let (expired, abandoned) = (now.plus_seconds(-86_400), now.plus_seconds(-60));
    let reservation = idempotency::reserve(&mut tx, SCOPE, key, body, now, expired, abandoned)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    reservation
}

/// Answers what was reserved at `reserved_at`; whether that was still possible.
async fn answer(fixture: &Fixture, key: &str, reserved_at: Timestamp, body: &[u8]) -> bool {
    let mut tx = fixture.store.begin().await.unwrap();
    let kept = idempotency::answer(&mut tx, SCOPE, key, reserved_at, 200, body)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    kept
}

async fn release(fixture: &Fixture, key: &str, reserved_at: Timestamp) {
    let mut tx = fixture.store.begin().await.unwrap();
    idempotency::release(&mut tx, SCOPE, key, reserved_at)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn a_repeat_gets_the_first_answer(fixture: Fixture) {
    assert_eq!(
        reserve(&fixture, "k", b"{}", after(0)).await,
        Reservation::Reserved
    );
    assert_eq!(
        reserve(&fixture, "k", b"{}", after(1)).await,
        Reservation::InProgress
    );
    assert!(answer(&fixture, "k", after(0), b"first").await);
    let answered = Reservation::Answered {
        status: 200,
        body: b"first".to_vec(),
    };
    assert_eq!(reserve(&fixture, "k", b"{}", after(3_600)).await, answered);
    assert_eq!(
        reserve(&fixture, "k", b"[]", after(3_600)).await,
        Reservation::Mismatch
    );
    assert_eq!(
        reserve(&fixture, "other", b"{}", after(3_600)).await,
        Reservation::Reserved
    );
}

async fn a_key_is_free_again_after_release_expiry_or_a_crash(fixture: Fixture) {
    reserve(&fixture, "released", b"{}", after(0)).await;
    release(&fixture, "released", after(0)).await;
    assert_eq!(
        reserve(&fixture, "released", b"[]", after(1)).await,
        Reservation::Reserved
    );

    reserve(&fixture, "crashed", b"{}", after(0)).await;
    assert_eq!(
        reserve(&fixture, "crashed", b"{}", after(60)).await,
        Reservation::Reserved
    );

    reserve(&fixture, "old", b"{}", after(0)).await;
    answer(&fixture, "old", after(0), b"first").await;
    assert_eq!(
        reserve(&fixture, "old", b"[]", after(86_400)).await,
        Reservation::Reserved
    );

    let mut tx = fixture.store.begin().await.unwrap();
    assert_eq!(
        idempotency::delete_older_than(&mut tx, after(60))
            .await
            .unwrap(),
        2
    );
}

async fn whoever_lost_a_reservation_neither_answers_nor_releases_it(fixture: Fixture) {
    reserve(&fixture, "k", b"{}", after(0)).await;
    assert_eq!(
        reserve(&fixture, "k", b"[]", after(60)).await,
        Reservation::Reserved
    );
    release(&fixture, "k", after(0)).await;
    assert!(!answer(&fixture, "k", after(0), b"late").await);
    assert_eq!(
        reserve(&fixture, "k", b"[]", after(61)).await,
        Reservation::InProgress
    );
    assert!(answer(&fixture, "k", after(60), b"second").await);
    assert!(!answer(&fixture, "k", after(60), b"third").await);
}

async fn kept_answers_cannot_be_read_in_the_database(fixture: Fixture) {
    reserve(&fixture, "the-key", b"the-body", after(0)).await;
    answer(&fixture, "the-key", after(0), b"the-answer").await;
    let bytes = fixture.stolen_bytes().await;
    let found = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(
        found(SCOPE.as_bytes()),
        "the search looks in the right place"
    );
    for secret in [&b"the-key"[..], b"the-body", b"the-answer"] {
        assert!(!found(secret));
    }
}
