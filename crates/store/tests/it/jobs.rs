//! The queue and the history of jobs.

use selvedge_store::jobs::{self, Enqueued, Heartbeat, JobResult};
use selvedge_store::{Connection, Page, sources};
use selvedge_types::job::{JobMode, JobOutcome, JobProgress, JobState, PhaseOutcome};
use selvedge_types::{DestinationId, SourceId};
use uuid::Uuid;

use crate::support::{Fixture, LEASE_SECONDS, START, after, success};

on_both_databases!(
    one_job_per_connection_and_mode_is_active,
    only_live_connections_get_jobs,
    a_result_is_stored_whole,
    a_waiting_job_stops_at_once_and_a_running_one_at_its_heartbeat,
    a_stop_request_survives_a_lost_worker,
    only_a_waiting_job_can_be_called_off,
    a_new_check_replaces_the_running_one,
    the_newest_job_is_the_last_one_asked_for,
    the_newest_jobs_of_all_sources_are_those_of_each,
    the_last_completed_sync_of_each_source_is_listed,
    old_jobs_are_forgotten_but_for_the_newest_check,
    active_jobs_are_counted,
);

async fn one_job_per_connection_and_mode_is_active(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let name = fixture.enqueue(scope, source, JobMode::Sync).await;
    assert_eq!(
        name.to_string(),
        format!("{}.{source}.sync.{}", scope.account(), name.uuid)
    );
    let mut tx = fixture.store.begin().await.unwrap();
    let again = jobs::enqueue(
        &mut tx,
        scope,
        source.into(),
        JobMode::Sync,
        Uuid::new_v4(),
        START,
    );
    assert_eq!(again.await.unwrap(), Enqueued::AlreadyActive);
    let active = jobs::active(&mut tx, scope, source.into(), JobMode::Sync)
        .await
        .unwrap();
    assert_eq!(active.unwrap().name, name);
    let check = jobs::active(&mut tx, scope, source.into(), JobMode::Check)
        .await
        .unwrap();
    assert!(check.is_none());
    tx.commit().await.unwrap();

    let job = fixture.claim(START).await.unwrap();
    assert!(fixture.finish(&job, after(1)).await);
    fixture.enqueue(scope, source, JobMode::Sync).await;
}

async fn only_live_connections_get_jobs(fixture: Fixture) {
    let scope = fixture.account().await;
    let deleted = fixture.source(scope, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    sources::delete(&mut tx, scope, deleted, START)
        .await
        .unwrap();
    for connection in [
        Connection::Source(deleted),
        Connection::Source(SourceId(1)),
        // The number of a source is no number of a destination.
        Connection::Destination(DestinationId(deleted.0)),
    ] {
        let refused = jobs::enqueue(
            &mut tx,
            scope,
            connection,
            JobMode::Check,
            Uuid::new_v4(),
            START,
        );
        assert_eq!(refused.await.unwrap(), Enqueued::NoConnection);
    }
}

async fn a_result_is_stored_whole(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let job = fixture.claim(after(1)).await.unwrap();
    let result = JobResult {
        state: JobState::Failed,
        outcome: JobOutcome {
            discovery: PhaseOutcome::succeeded(),
            tap: PhaseOutcome::failed("the table is gone"),
            target: PhaseOutcome {
                exit_status: None,
                description: Some("ü".to_owned()),
            },
        },
        check: PhaseOutcome {
            exit_status: Some(-2),
            description: None,
        },
        progress: JobProgress {
            row_count: u64::from(u32::MAX) + 1,
            size_bytes: 12,
            streams_done: 1,
            streams_total: 3,
        },
    };
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(
        jobs::finish(&mut tx, &job.name, job.fence, &result, after(9))
            .await
            .unwrap()
    );
    let record = jobs::find(&mut tx, scope, &job.name)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.state, result.state);
    assert_eq!(record.outcome, result.outcome);
    assert_eq!(record.check, result.check);
    assert_eq!(record.progress, result.progress);
    assert_eq!(record.connection, Connection::Source(source));
    assert_eq!(
        (record.created_at, record.started_at, record.completed_at),
        (START, Some(after(1)), Some(after(9)))
    );
    assert_eq!((record.fence, record.attempts), (job.fence, 1));
    assert_eq!(record.lease_owner.as_deref(), Some("node-1/worker-1"));
    assert_eq!(record.lease_expires_at, None);
}

async fn a_waiting_job_stops_at_once_and_a_running_one_at_its_heartbeat(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let waiting = fixture.enqueue(scope, source, JobMode::Sync).await;
    let stop = |seconds| {
        let store = fixture.store.clone();
        async move {
            let mut tx = store.begin().await.unwrap();
            let stopped =
                jobs::request_stop(&mut tx, scope, source.into(), JobMode::Sync, after(seconds))
                    .await
                    .unwrap();
            tx.commit().await.unwrap();
            stopped
        }
    };
    assert!(stop(1).await);
    assert!(!stop(2).await);
    let mut tx = fixture.store.read().await.unwrap();
    let record = jobs::find(&mut tx, scope, &waiting).await.unwrap().unwrap();
    assert_eq!(record.state, JobState::Terminated);
    assert_eq!(record.completed_at, Some(after(1)));
    assert_eq!(record.outcome, JobOutcome::terminated());
    drop(tx);

    fixture.enqueue(scope, source, JobMode::Sync).await;
    let job = fixture.claim(after(3)).await.unwrap();
    assert!(stop(4).await);
    assert_eq!(fixture.state(&job.name).await, JobState::Running);
    let mut tx = fixture.store.begin().await.unwrap();
    let progress = JobProgress::default();
    let beat = jobs::heartbeat(
        &mut tx,
        &job.name,
        job.fence,
        after(5),
        LEASE_SECONDS,
        &progress,
    );
    assert_eq!(beat.await.unwrap(), Heartbeat::StopRequested);
    tx.commit().await.unwrap();
    assert!(fixture.finish(&job, after(6)).await);
}

async fn a_stop_request_survives_a_lost_worker(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    assert!(!fixture.claim(START).await.unwrap().stop_requested);
    let mut tx = fixture.store.begin().await.unwrap();
    jobs::request_stop(&mut tx, scope, source.into(), JobMode::Sync, after(1))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(
        fixture
            .claim(after(LEASE_SECONDS))
            .await
            .unwrap()
            .stop_requested
    );
}

async fn only_a_waiting_job_can_be_called_off(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let waiting = fixture.enqueue(scope, source, JobMode::Sync).await;
    let call_off = || async {
        let mut tx = fixture.store.begin().await.unwrap();
        let ended = jobs::end_pending(&mut tx, scope, source.into(), JobMode::Sync, after(1)).await;
        tx.commit().await.unwrap();
        ended.unwrap()
    };
    assert!(call_off().await);
    assert_eq!(fixture.state(&waiting).await, JobState::Terminated);
    assert!(!call_off().await);
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let running = fixture.claim(after(2)).await.unwrap();
    assert!(!call_off().await);
    let mut tx = fixture.store.read().await.unwrap();
    let record = jobs::find(&mut tx, scope, &running.name).await.unwrap();
    assert_eq!(record.unwrap().stop_requested_at, None);
}

async fn a_new_check_replaces_the_running_one(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    fixture.enqueue(scope, source, JobMode::Check).await;
    let old = fixture.claim(START).await.unwrap();
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(
        jobs::supersede_checks(&mut tx, scope, source.into(), START)
            .await
            .unwrap()
    );
    assert!(
        !jobs::supersede_checks(&mut tx, scope, source.into(), START)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    let new = fixture.enqueue(scope, source, JobMode::Check).await;

    let mut tx = fixture.store.begin().await.unwrap();
    assert!(
        !jobs::hold_lease(&mut tx, &old.name, old.fence)
            .await
            .unwrap()
    );
    drop(tx);
    assert!(!fixture.finish(&old, after(1)).await);
    assert_eq!(fixture.state(&old.name).await, JobState::Terminated);
    assert_eq!(fixture.claim(after(1)).await.unwrap().name, new);
}

async fn the_newest_job_is_the_last_one_asked_for(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let mut tx = fixture.store.begin().await.unwrap();
    assert!(
        jobs::latest_check(&mut tx, scope, source.into())
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        jobs::newest_sync_start(&mut tx, scope, source)
            .await
            .unwrap()
            .is_none()
    );
    let mut names = Vec::new();
    for _ in 0..5 {
        jobs::supersede_checks(&mut tx, scope, source.into(), START)
            .await
            .unwrap();
        let check = jobs::enqueue(
            &mut tx,
            scope,
            source.into(),
            JobMode::Check,
            Uuid::new_v4(),
            START,
        );
        match check.await.unwrap() {
            Enqueued::Created(name) => names.push(name),
            other => panic!("{other:?}"),
        }
    }
    let latest = jobs::latest_check(&mut tx, scope, source.into())
        .await
        .unwrap();
    assert_eq!(Some(&latest.unwrap().name), names.last());
    tx.commit().await.unwrap();

    let check = fixture.claim(START).await.unwrap();
    fixture.finish(&check, START).await;
    fixture.enqueue(scope, source, JobMode::Sync).await;
    let start = || async {
        let mut tx = fixture.store.read().await.unwrap();
        jobs::newest_sync_start(&mut tx, scope, source)
            .await
            .unwrap()
    };
    assert_eq!(start().await, Some(START));
    fixture.claim(after(4)).await.unwrap();
    assert_eq!(start().await, Some(after(4)));
}

async fn the_newest_jobs_of_all_sources_are_those_of_each(fixture: Fixture) {
    let scope = fixture.account().await;
    let other = fixture.account().await;
    let mut expected = Vec::new();
    for (number, account) in [(0, scope), (1, scope), (2, scope), (3, other)] {
        let source = fixture.source(account, &format!("s{number}")).await;
        let mut tx = fixture.store.begin().await.unwrap();
        // One of them is not ready.
        let ready_at = (number != 1).then_some(START);
        assert!(
            sources::set_ready_at(&mut tx, account, source, ready_at)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        for run in 0..2 {
            fixture.enqueue(account, source, JobMode::Sync).await;
            let job = fixture.claim(after(run)).await.unwrap();
            fixture.finish(&job, after(run)).await;
        }
        fixture.enqueue(account, source, JobMode::Check).await;
        let check = fixture.claim(after(2)).await.unwrap();
        fixture.finish(&check, after(2)).await;
        let mut tx = fixture.store.read().await.unwrap();
        let newest = jobs::newest(&mut tx, account, source.into(), JobMode::Sync).await;
        if account == scope {
            let newest = newest.unwrap().unwrap();
            expected.push((source, Some((newest.started_at, newest.completed_at))));
        }
    }
    // Ready, and never run.
    let idle = fixture.source(scope, "idle").await;
    let mut tx = fixture.store.begin().await.unwrap();
    sources::set_ready_at(&mut tx, scope, idle, Some(START))
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let mut tx = fixture.store.read().await.unwrap();
    expected.push((idle, None));
    let found = sources::list_with_newest(&mut tx, scope).await.unwrap();
    for (source, newest) in &found {
        let alone = sources::find_with_newest(&mut tx, scope, source.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((alone.0.id, &alone.1), (source.id, newest));
    }
    let found: Vec<_> = found
        .into_iter()
        .map(|(source, newest)| {
            let times = newest.map(|newest| (newest.started_at, newest.completed_at));
            (source.id, times)
        })
        .collect();
    assert_eq!(found, expected);
}

async fn the_last_completed_sync_of_each_source_is_listed(fixture: Fixture) {
    let scope = fixture.account().await;
    let mut last = Vec::new();
    for number in 0..3 {
        let source = fixture.source(scope, &format!("s{number}")).await;
        for run in 0..3 {
            fixture.enqueue(scope, source, JobMode::Sync).await;
            let job = fixture.claim(after(run)).await.unwrap();
            assert!(fixture.finish(&job, after(10 * number + run)).await);
            if run == 2 {
                last.push(job.name);
            }
        }
        // Neither a job that still runs nor one that never began counts, nor a check.
        fixture.enqueue(scope, source, JobMode::Check).await;
        let check = fixture.claim(after(50)).await.unwrap();
        fixture.finish(&check, after(51)).await;
        fixture.enqueue(scope, source, JobMode::Sync).await;
        let mut tx = fixture.store.begin().await.unwrap();
        jobs::request_stop(&mut tx, scope, source.into(), JobMode::Sync, after(52))
            .await
            .unwrap();
        if number == 1 {
            sources::delete(&mut tx, scope, source, after(53))
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
    }
    fixture.source(scope, "never-run").await;

    let mut tx = fixture.store.read().await.unwrap();
    let all = jobs::last_completed_per_source(&mut tx, scope, START, Page::number(1))
        .await
        .unwrap();
    let names: Vec<_> = all.items.iter().map(|item| item.job.name.clone()).collect();
    assert_eq!((all.total, names), (3, last.clone()));
    assert_eq!(all.items[0].source_type, "platform.postgres");
    let recent = jobs::last_completed_per_source(&mut tx, scope, after(20), Page::number(1));
    let recent = recent.await.unwrap();
    assert_eq!((recent.total, &recent.items[0].job.name), (1, &last[2]));
    let beyond = jobs::last_completed_per_source(&mut tx, scope, START, Page::number(2));
    let beyond = beyond.await.unwrap();
    assert_eq!((beyond.total, beyond.items.len()), (3, 0));
}

async fn old_jobs_are_forgotten_but_for_the_newest_check(fixture: Fixture) {
    let scope = fixture.account().await;
    let source = fixture.source(scope, "shop").await;
    let mut names = Vec::new();
    for (number, mode) in [JobMode::Check, JobMode::Check, JobMode::Sync, JobMode::Sync]
        .into_iter()
        .enumerate()
    {
        fixture.enqueue(scope, source, mode).await;
        let job = fixture.claim(START).await.unwrap();
        let ended = i64::try_from(number).unwrap();
        assert!(fixture.finish(&job, after(ended)).await);
        names.push(job.name);
    }
    let running = fixture.enqueue(scope, source, JobMode::Sync).await;
    fixture.claim(START).await.unwrap();
    let mut tx = fixture.store.begin().await.unwrap();
    let first = jobs::delete_older_than(&mut tx, after(3), 1).await.unwrap();
    assert_eq!(first, [names[0].clone()]);
    let rest = jobs::delete_older_than(&mut tx, after(3), 100)
        .await
        .unwrap();
    assert_eq!(rest, [names[2].clone()]);
    for kept in [&names[1], &names[3], &running] {
        assert!(jobs::find(&mut tx, scope, kept).await.unwrap().is_some());
    }
}

async fn active_jobs_are_counted(fixture: Fixture) {
    let scope = fixture.account().await;
    for number in 0..3 {
        let source = fixture.source(scope, &format!("s{number}")).await;
        fixture.enqueue(scope, source, JobMode::Sync).await;
    }
    let done = fixture.claim(START).await.unwrap();
    let mut tx = fixture.store.begin().await.unwrap();
    jobs::finish(&mut tx, &done.name, done.fence, &success(), START)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    fixture.claim(START).await.unwrap();
    let mut tx = fixture.store.read().await.unwrap();
    let counts: Vec<_> = jobs::count_active(&mut tx)
        .await
        .unwrap()
        .into_iter()
        .map(|active| (active.mode, active.state, active.count))
        .collect();
    assert_eq!(
        counts,
        [
            (JobMode::Sync, JobState::Pending, 1),
            (JobMode::Sync, JobState::Running, 1)
        ]
    );
}
