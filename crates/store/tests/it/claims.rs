//! Claiming, leases and fences, also under contention.

use std::collections::HashSet;
use std::time::Duration;

use selvedge_store::Store;
use selvedge_store::jobs::{self, ClaimLimits, ClaimedJob, Heartbeat};
use selvedge_types::Timestamp;
use selvedge_types::job::{JobMode, JobProgress, JobState};
use tokio::task::JoinHandle;

use crate::support::{ANYTHING, Fixture, LEASE_SECONDS, START, after, claim, success};

on_both_databases!(
    claimers_at_the_same_time_never_get_the_same_job,
    one_job_per_connection_runs_however_many_claim,
    the_account_limit_holds_however_many_claim,
    fences_ascend_per_connection,
    a_lost_worker_is_taken_over_and_heard_no_more,
    a_lease_that_expired_unnoticed_can_be_extended,
    a_check_that_takes_over_shuts_out_the_lost_sync,
    a_sync_waits_for_the_check_of_its_source,
    checks_come_first_and_then_the_order_of_asking,
    a_worker_gets_only_what_it_has_room_for,
    a_restarted_process_takes_its_own_jobs_back_at_once,
    jobs_that_are_given_back_lose_no_attempt,
    a_held_lease_keeps_claimers_away,
    a_claim_waits_for_one_of_the_same_account_that_is_under_way,
    a_claim_waits_for_one_of_the_same_connection_that_is_under_way,
);

/// Claims until nothing is left.
async fn drain(store: Store, limits: ClaimLimits) -> Vec<ClaimedJob> {
    let mut jobs = Vec::new();
    while let Some(job) = claim(&store, START, limits).await {
        jobs.push(job);
    }
    jobs
}

/// What `claimers` get that all begin at once, half of them through another process's connections.
async fn contend(fixture: &Fixture, claimers: usize, limits: ClaimLimits) -> Vec<ClaimedJob> {
    let second = fixture.second_store().await;
    let tasks: Vec<_> = (0..claimers)
        .map(|number| {
            let store = if number % 2 == 0 {
                &fixture.store
            } else {
                &second
            };
            tokio::spawn(drain(store.clone(), limits))
        })
        .collect();
    let mut claimed = Vec::new();
    for task in tasks {
        claimed.extend(task.await.unwrap());
    }
    claimed
}

async fn claimers_at_the_same_time_never_get_the_same_job(fixture: Fixture) {
    let scope = fixture.account().await;
    let mut expected = HashSet::new();
    for number in 0..24 {
        let source = fixture.source(scope, &format!("s{number}")).await;
        expected.insert(fixture.enqueue(scope, source, JobMode::Sync).await);
    }
    let claimed = contend(&fixture, 6, ANYTHING).await;
    assert_eq!(claimed.len(), expected.len());
    let names: HashSet<_> = claimed.into_iter().map(|job| job.name).collect();
    assert_eq!(names, expected);
}

async fn one_job_per_connection_runs_however_many_claim(fixture: Fixture) {
    let scope = fixture.account().await;
    for number in 0..12 {
        let source = fixture.source(scope, &format!("s{number}")).await;
        fixture.enqueue(scope, source, JobMode::Sync).await;
        fixture.enqueue(scope, source, JobMode::Check).await;
    }
    let claimed = contend(&fixture, 6, ANYTHING).await;
    let connections: HashSet<_> = claimed.iter().map(|job| job.connection).collect();
    assert_eq!((claimed.len(), connections.len()), (12, 12));
}

async fn the_account_limit_holds_however_many_claim(fixture: Fixture) {
    let (scope, other) = (fixture.account().await, fixture.account().await);
    for number in 0..12 {
        let source = fixture.source(scope, &format!("s{number}")).await;
        fixture.enqueue(scope, source, JobMode::Sync).await;
    }
    let source = fixture.source(other, "other").await;
    fixture.enqueue(other, source, JobMode::Sync).await;
    let limits = ClaimLimits {
        running_syncs_per_account: 3,
        ..ANYTHING
    };
    let claimed = contend(&fixture, 6, limits).await;
    let count = |wanted| claimed.iter().filter(|job| job.scope == wanted).count();
    assert_eq!((count(scope), count(other)), (3, 1));
}

async fn fences_ascend_per_connection(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let mut fences = Vec::new();
    for mode in [JobMode::Check, JobMode::Sync, JobMode::Sync] {
        fixture.enqueue(scope, source, mode).await;
        let job = fixture.claim(START).await.unwrap();
        assert_eq!(job.mode, mode);
        assert!(fixture.finish(&job, START).await);
        fences.push(job.fence);
    }
    let first = START.as_micros();
    assert_eq!(
        fences,
        [first, first + 1, first + 2],
        "also while the clock stands still"
    );
    let other = fixture.source(scope, "other").await;
    fixture.enqueue(scope, other, JobMode::Sync).await;
    assert_eq!(fixture.claim(START).await.unwrap().fence, first);
}

async fn a_lost_worker_is_taken_over_and_heard_no_more(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let loser = fixture.claim(START).await.unwrap();
    assert!(fixture.claim(after(LEASE_SECONDS - 1)).await.is_none());
    let winner = fixture.claim(after(LEASE_SECONDS)).await.unwrap();
    assert_eq!((loser.attempts, winner.attempts), (1, 2));
    assert_eq!(winner.name, loser.name);
    assert_eq!(winner.started_at, START);
    assert!(winner.fence > loser.fence);

    let progress = JobProgress::default();
    let now = after(LEASE_SECONDS + 1);
    let mut tx = fixture.store.begin().await.unwrap();
    let beat = jobs::heartbeat(
        &mut tx,
        &loser.name,
        loser.fence,
        now,
        LEASE_SECONDS,
        &progress,
    );
    assert_eq!(beat.await.unwrap(), Heartbeat::Lost);
    assert!(
        !jobs::finish(&mut tx, &loser.name, loser.fence, &success(), now)
            .await
            .unwrap()
    );
    assert!(
        !jobs::hold_lease(&mut tx, &loser.name, loser.fence)
            .await
            .unwrap()
    );
    assert!(
        !jobs::hold_fence(&mut tx, source.into(), loser.fence)
            .await
            .unwrap()
    );
    assert!(
        jobs::hold_lease(&mut tx, &winner.name, winner.fence)
            .await
            .unwrap()
    );
    let beat = jobs::heartbeat(
        &mut tx,
        &winner.name,
        winner.fence,
        now,
        LEASE_SECONDS,
        &progress,
    );
    assert_eq!(beat.await.unwrap(), Heartbeat::Continue);
    tx.commit().await.unwrap();
    assert_eq!(fixture.state(&winner.name).await, JobState::Running);
    assert!(fixture.finish(&winner, now).await);
    assert!(!fixture.finish(&winner, now).await);
}

async fn a_lease_that_expired_unnoticed_can_be_extended(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let job = fixture.claim(START).await.unwrap();
    let now = after(10 * LEASE_SECONDS);
    let mut tx = fixture.store.begin().await.unwrap();
    let progress = JobProgress {
        row_count: 5,
        ..JobProgress::default()
    };
    let beat = jobs::heartbeat(&mut tx, &job.name, job.fence, now, LEASE_SECONDS, &progress);
    assert_eq!(beat.await.unwrap(), Heartbeat::Continue);
    tx.commit().await.unwrap();
    assert!(fixture.claim(now).await.is_none());
    let mut tx = fixture.store.read().await.unwrap();
    let record = jobs::find(&mut tx, scope, &job.name)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.progress, progress);
}

async fn a_check_that_takes_over_shuts_out_the_lost_sync(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let sync = fixture.claim(START).await.unwrap();
    fixture.enqueue(scope, source, JobMode::Check).await;
    let check = fixture.claim(after(LEASE_SECONDS)).await.unwrap();
    assert_eq!(check.mode, JobMode::Check);
    assert!(!fixture.finish(&sync, after(LEASE_SECONDS)).await);
    assert!(fixture.claim(after(LEASE_SECONDS)).await.is_none());
    assert!(fixture.finish(&check, after(LEASE_SECONDS + 1)).await);
    let again = fixture.claim(after(LEASE_SECONDS + 1)).await.unwrap();
    assert_eq!((again.name, again.attempts), (sync.name, 2));
}

async fn a_sync_waits_for_the_check_of_its_source(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let sync = fixture.enqueue(scope, source, JobMode::Sync).await;
    let check = fixture.enqueue(scope, source, JobMode::Check).await;
    let first = fixture.claim(START).await.unwrap();
    assert_eq!(first.name, check);
    assert!(fixture.claim(START).await.is_none());
    assert!(fixture.finish(&first, START).await);
    assert_eq!(fixture.claim(START).await.unwrap().name, sync);
}

async fn checks_come_first_and_then_the_order_of_asking(fixture: Fixture) {
    let scope = fixture.account().await;
    let destination = fixture.destination(scope).await;
    let mut expected = Vec::new();
    for name in ["a", "b"] {
        let source = fixture.source(scope, name).await;
        expected.push(fixture.enqueue(scope, source, JobMode::Sync).await);
    }
    expected.insert(0, fixture.enqueue(scope, destination, JobMode::Check).await);
    let mut order = Vec::new();
    while let Some(job) = fixture.claim(START).await {
        order.push(job.name);
    }
    assert_eq!(order, expected);
}

async fn a_worker_gets_only_what_it_has_room_for(fixture: Fixture) {
    let scope = fixture.account().await;
    let (one, two) = (
        fixture.source(scope, "a").await,
        fixture.source(scope, "b").await,
    );
    fixture.enqueue(scope, one, JobMode::Check).await;
    fixture.enqueue(scope, two, JobMode::Sync).await;
    let neither = ClaimLimits {
        checks: false,
        syncs: false,
        ..ANYTHING
    };
    assert!(claim(&fixture.store, START, neither).await.is_none());
    let syncs = ClaimLimits {
        checks: false,
        ..ANYTHING
    };
    assert_eq!(
        claim(&fixture.store, START, syncs).await.unwrap().mode,
        JobMode::Sync
    );
    assert!(claim(&fixture.store, START, syncs).await.is_none());
    let checks = ClaimLimits {
        syncs: false,
        running_syncs_per_account: 0,
        ..ANYTHING
    };
    assert_eq!(
        claim(&fixture.store, START, checks).await.unwrap().mode,
        JobMode::Check
    );
}

async fn a_restarted_process_takes_its_own_jobs_back_at_once(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let job = fixture.claim(START).await.unwrap();
    let mut tx = fixture.store.begin().await.unwrap();
    // Neither a wildcard nor another node's name.
    for stranger in ["node-2/", "node%", "node_1"] {
        assert_eq!(
            jobs::release_worker_leases(&mut tx, stranger, after(1))
                .await
                .unwrap(),
            0
        );
    }
    assert_eq!(
        jobs::release_worker_leases(&mut tx, "node-1/", after(1))
            .await
            .unwrap(),
        1
    );
    tx.commit().await.unwrap();
    let again = fixture.claim(after(1)).await.unwrap();
    assert_eq!((again.name, again.attempts), (job.name, 2));
}

async fn jobs_that_are_given_back_lose_no_attempt(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let job = fixture.claim(START).await.unwrap();
    let mut tx = fixture.store.begin().await.unwrap();
    for (owner, given_back) in [("node-", 0), ("node-1/worker-1", 1)] {
        assert_eq!(
            jobs::give_back_leases(&mut tx, owner, after(1))
                .await
                .unwrap(),
            given_back
        );
    }
    tx.commit().await.unwrap();
    let again = fixture.claim(after(1)).await.unwrap();
    assert_eq!((again.name, again.attempts), (job.name, 1));
    assert!(again.fence > job.fence);
}

async fn a_held_lease_keeps_claimers_away(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let job = fixture.claim(START).await.unwrap();
    let now = after(LEASE_SECONDS);

    let check = fixture.enqueue(scope, source, JobMode::Check).await;

    // The holder writes something just when its lease has expired and somebody claims the connection's next job.
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(
        jobs::hold_lease(&mut tx, &job.name, job.fence)
            .await
            .unwrap()
    );
    let claimer = claim_in_background(&fixture, now, ANYTHING).await;
    assert!(
        jobs::finish(&mut tx, &job.name, job.fence, &success(), now)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    assert_eq!(claimer.await.unwrap().unwrap().name, check);
    assert_eq!(fixture.state(&job.name).await, JobState::Succeeded);
}

async fn a_claim_waits_for_one_of_the_same_account_that_is_under_way(fixture: Fixture) {
    let scope = fixture.account().await;
    for name in ["a", "b"] {
        let source = fixture.source(scope, name).await;
        fixture.enqueue(scope, source, JobMode::Sync).await;
    }
    let limits = ClaimLimits {
        running_syncs_per_account: 1,
        ..ANYTHING
    };
    second_claim_gets_nothing(&fixture, limits).await;
}

async fn a_claim_waits_for_one_of_the_same_connection_that_is_under_way(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Check).await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    second_claim_gets_nothing(&fixture, ANYTHING).await;
}

async fn second_claim_gets_nothing(fixture: &Fixture, limits: ClaimLimits) {
    let mut tx = fixture.store.begin().await.unwrap();
    let first = jobs::claim(&mut tx, "node-2/worker-1", START, LEASE_SECONDS, &limits).await;
    assert!(first.unwrap().is_some());
    let second = claim_in_background(fixture, START, limits).await;
    tx.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), None);
}

/// Begins a claim that must not end before the caller's transaction does, and gives it every chance to do so.
async fn claim_in_background(
    fixture: &Fixture,
    now: Timestamp,
    limits: ClaimLimits,
) -> JoinHandle<Option<ClaimedJob>> {
    let store = fixture.store.clone();
    let mut task = tokio::spawn(async move { claim(&store, now, limits).await });
    let early = tokio::time::timeout(Duration::from_millis(250), &mut task).await;
    assert!(early.is_err(), "the claim did not wait: {early:?}");
    task
}
