//! What a run promises, whatever happens on either side.

use std::sync::Arc;

use selvedge_connector::ErrorKind;
use selvedge_types::job::JobState;
use selvedge_types::stream::ReplicationMethod::{FullTable, Incremental};

use crate::fakes::{Bench, Fault, Happened, RESET, Step};

#[tokio::test]
async fn every_row_arrives_once_with_ascending_sequences() {
    let bench = Bench::new(
        FullTable,
        vec![("a", vec![Step::Rows(vec![1, 2]), Step::Rows(vec![3])])],
    );
    let rows = Arc::clone(&bench.rows);
    let report = bench.execute().await;
    assert_eq!(report.outcome.state(), JobState::Succeeded);
    assert_eq!(Bench::ids(&rows), [1, 2, 3]);
    let sequences: Vec<i64> = rows
        .lock()
        .unwrap()
        .iter()
        .map(|(_, sequence)| *sequence)
        .collect();
    assert!(
        sequences.is_sorted_by(|left, right| left < right),
        "{sequences:?}"
    );
    assert_eq!(report.streams[0].books.total(), 3);
}

#[tokio::test]
async fn a_position_is_saved_only_after_the_commit_that_covers_it() {
    let steps = vec![
        Step::Rows(vec![1, 2]),
        Step::Passed("2"),
        Step::Rows(vec![3]),
        Step::Position("3"),
    ];
    let bench = Bench::new(Incremental, vec![("a", steps)]);
    let history = Arc::clone(&bench.history);
    bench.execute().await;
    let table = || "a".to_owned();
    let saved = |value: Option<&str>, complete| Happened::Saved {
        stream: "db-public-a".to_owned(),
        value: value.map(str::to_owned),
        complete,
    };
    assert_eq!(
        *history.lock().unwrap(),
        [
            saved(None, false),
            Happened::Committed {
                table: table(),
                rows: 2
            },
            saved(Some("2"), false),
            Happened::Finished { table: table() },
            saved(Some("3"), true),
        ]
    );
}

#[tokio::test]
async fn a_failed_commit_leaves_the_position_where_it_was() {
    let steps = vec![
        Step::Rows(vec![1]),
        Step::Passed("1"),
        Step::Rows(vec![2]),
        Step::Passed("2"),
    ];
    let mut bench = Bench::new(Incremental, vec![("a", steps)]);
    bench.fault = Fault::SecondCommit;
    let history = Arc::clone(&bench.history);
    let report = bench.execute().await;
    assert_eq!(report.outcome.target.exit_status, Some(1));
    assert_eq!(report.outcome.tap.exit_status, Some(0));
    let last = history
        .lock()
        .unwrap()
        .iter()
        .rev()
        .find_map(|event| match event {
            Happened::Saved { value, .. } => Some(value.clone()),
            _ => None,
        });
    assert_eq!(last, Some(Some("1".to_owned())));
}

#[tokio::test]
async fn a_table_that_fails_does_not_stop_the_others() {
    let streams = vec![
        ("bad", vec![Step::Rows(vec![1])]),
        ("good", vec![Step::Rows(vec![2])]),
    ];
    let mut bench = Bench::new(FullTable, streams);
    bench.fault = Fault::OpenBad(ErrorKind::Permission);
    let rows = Arc::clone(&bench.rows);
    let report = bench.execute().await;
    assert_eq!(Bench::ids(&rows), [2]);
    assert_eq!(report.outcome.state(), JobState::Failed);
    assert!(
        report
            .outcome
            .target
            .description
            .unwrap()
            .contains("loading bad into the destination")
    );
}

#[tokio::test]
async fn a_destination_that_is_away_ends_the_run_at_once() {
    let streams = vec![
        ("bad", vec![Step::Rows(vec![1])]),
        ("good", vec![Step::Rows(vec![2])]),
    ];
    let mut bench = Bench::new(FullTable, streams);
    bench.fault = Fault::OpenBad(ErrorKind::Unreachable);
    let rows = Arc::clone(&bench.rows);
    let report = bench.execute().await;
    assert!(Bench::ids(&rows).is_empty());
    assert_eq!(report.outcome.target.exit_status, Some(1));
}

#[tokio::test]
async fn a_source_that_breaks_keeps_what_was_committed() {
    let steps = vec![
        Step::Rows(vec![1]),
        Step::Passed("1"),
        Step::Rows(vec![2]),
        Step::Fail(ErrorKind::Data),
    ];
    let bench = Bench::new(Incremental, vec![("a", steps)]);
    let rows = Arc::clone(&bench.rows);
    let report = bench.execute().await;
    assert_eq!(
        Bench::ids(&rows),
        [1],
        "the row without a position must not be committed"
    );
    assert_eq!(report.outcome.tap.exit_status, Some(1));
    assert_eq!(report.outcome.target.exit_status, Some(0));
}

#[tokio::test]
async fn a_lost_row_fails_the_run() {
    let mut bench = Bench::new(FullTable, vec![("a", vec![Step::Rows(vec![1, 2])])]);
    bench.fault = Fault::LoseOneRow;
    let report = bench.execute().await;
    assert_eq!(report.outcome.state(), JobState::Failed);
    assert!(
        report
            .outcome
            .target
            .description
            .unwrap()
            .contains("do not balance")
    );
}

#[tokio::test]
async fn a_stop_keeps_everything_up_to_the_checkpoint_and_says_terminated() {
    let steps = vec![Step::Rows(vec![1]), Step::Passed("1"), Step::Hang];
    let mut bench = Bench::new(Incremental, vec![("a", steps)]);
    bench.checkpoint_bytes = usize::MAX;
    let (stop, rows, history) = (
        bench.stop.clone(),
        Arc::clone(&bench.rows),
        Arc::clone(&bench.history),
    );
    let running = tokio::spawn(bench.execute());
    // Nothing is observable before the checkpoint, so the stop itself must bring it about.
    tokio::task::yield_now().await;
    stop.cancel();
    let report = running.await.unwrap();
    assert_eq!(report.outcome.state(), JobState::Terminated);
    assert!(report.stopped);
    let saved = history
        .lock()
        .unwrap()
        .iter()
        .any(|event| matches!(event, Happened::Saved { value: Some(_), .. }));
    assert_eq!(
        saved,
        !Bench::ids(&rows).is_empty(),
        "rows and position are kept together or not at all"
    );
}

#[tokio::test]
async fn a_run_that_lost_its_lease_ends_without_a_trace() {
    let mut bench = Bench::new(FullTable, vec![("a", vec![Step::Rows(vec![1])])]);
    bench.fenced = true;
    let rows = Arc::clone(&bench.rows);
    let report = bench.execute().await;
    assert!(report.fenced);
    assert!(Bench::ids(&rows).is_empty());
}

#[tokio::test]
async fn a_stream_that_is_reset_meanwhile_does_not_end_the_others() {
    let streams = vec![
        (RESET, vec![Step::Rows(vec![1])]),
        ("good", vec![Step::Rows(vec![2])]),
    ];
    let bench = Bench::new(FullTable, streams);
    let rows = Arc::clone(&bench.rows);
    let report = bench.execute().await;
    assert_eq!(Bench::ids(&rows), [2]);
    assert_eq!(report.outcome.state(), JobState::Succeeded);
}
