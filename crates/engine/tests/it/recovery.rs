//! What a run finds that died: nothing is lost, and nothing is there twice, even where rows are only appended.

use std::sync::Arc;

use selvedge_types::job::JobState;
use selvedge_types::stream::ReplicationMethod::{FullTable, Incremental};

use crate::fakes::{Bench, Fault, RESET, Step};

/// Seven rows in three checkpoints and the end; two share a key.
fn script() -> Vec<Step> {
    vec![
        Step::Rows(vec![1, 2, 2]),
        Step::Passed("2"),
        Step::Rows(vec![3, 4]),
        Step::Passed("4"),
        Step::Rows(vec![5]),
        Step::Passed("5"),
        Step::Rows(vec![6]),
        Step::Position("6"),
    ]
}

const COMMITS: u32 = 4;

fn sorted(bench: &Bench) -> Vec<i64> {
    let mut ids = Bench::ids(&bench.rows);
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_job_that_dies_between_any_commit_and_its_position_goes_on_where_the_destination_is() {
    for commit in 1..=COMMITS {
        let mut first = Bench::new(Incremental, vec![("a", script())]);
        first.fault = Fault::DieAfterCommit(commit);
        let second = first.next_run("job");
        let third = second.next_run("next job");
        let look = second.next_run("nobody");
        assert_eq!(first.execute().await.outcome.state(), JobState::Failed);
        let report = second.execute().await;
        assert_eq!(report.outcome.state(), JobState::Succeeded);
        assert_eq!(sorted(&look), [1, 2, 2, 3, 4, 5, 6], "died after {commit}");
        assert_eq!(look.progress.lock().unwrap().row_count, 7);
        // The next job begins with the last key, as every job does.
        third.execute().await;
        assert_eq!(sorted(&look), [1, 2, 2, 3, 4, 5, 6, 6]);
    }
}

#[tokio::test]
async fn another_job_goes_on_there_too_and_reads_the_last_key_of_a_complete_stream_again() {
    for commit in 1..=COMMITS {
        let mut first = Bench::new(Incremental, vec![("a", script())]);
        first.fault = Fault::DieAfterCommit(commit);
        let second = first.next_run("next job");
        let look = second.next_run("nobody");
        first.execute().await;
        second.execute().await;
        let mut expected = vec![1, 2, 2, 3, 4, 5, 6];
        if commit == COMMITS {
            expected.push(6);
        }
        assert_eq!(sorted(&look), expected, "died after {commit}");
    }
}

#[tokio::test]
async fn a_run_that_dies_while_it_recovers_is_recovered_from() {
    let mut first = Bench::new(Incremental, vec![("a", script())]);
    first.fault = Fault::DieAfterCommit(1);
    let mut second = first.next_run("job");
    second.fault = Fault::DieAfterCommit(2);
    let third = second.next_run("job");
    let look = third.next_run("nobody");
    first.execute().await;
    second.execute().await;
    third.execute().await;
    assert_eq!(sorted(&look), [1, 2, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_job_does_not_repeat_the_streams_it_had_finished() {
    for method in [Incremental, FullTable] {
        let mut first = Bench::new(method, vec![("a", script()), ("b", script())]);
        let commits = if method == Incremental { COMMITS } else { 8 };
        first.fault = Fault::DieAfterCommit(commits + 1);
        let mut second = first.next_run("job");
        // Full copies start over; here it is the first stream that matters.
        second.source.streams[0].1 = vec![Step::Rows(vec![666])];
        let look = second.next_run("nobody");
        first.execute().await;
        let report = second.execute().await;
        assert_eq!(report.outcome.state(), JobState::Succeeded);
        assert!(!Bench::ids(&look.rows).contains(&666), "{method:?}");
        let progress = look.progress.lock().unwrap().clone();
        assert_eq!((progress.streams_done, progress.streams_total), (2, 2));
        assert_eq!(progress.row_count, 14, "{method:?}");
    }
}

#[tokio::test]
async fn a_stream_that_was_reset_is_read_anew_by_the_job_that_had_finished_it() {
    let streams = || vec![("a", script()), (RESET, script())];
    let first = Bench::new(Incremental, streams());
    let mut second = first.next_run("job");
    second.epoch = 2;
    let look = second.next_run("nobody");
    first.execute().await;
    look.positions.lock().unwrap().clear();
    second.execute().await;
    let twice = sorted(&look).iter().filter(|id| **id == 1).count();
    assert!(twice >= 2, "{:?}", Bench::ids(&look.rows));
}

#[tokio::test]
async fn what_another_installation_committed_moves_nothing() {
    let first = Bench::new(Incremental, vec![("a", script())]);
    let second = first.next_run("job");
    let look = second.next_run("nobody");
    first.execute().await;
    // The same ids and the same destination, but a store that knows nothing.
    look.positions.lock().unwrap().clear();
    look.rows.lock().unwrap().clear();
    second.execute().await;
    assert_eq!(sorted(&look), [1, 2, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn commits_whose_books_did_not_balance_are_not_taken_over() {
    let mut first = Bench::new(Incremental, vec![("a", script())]);
    first.checkpoint_bytes = usize::MAX;
    first.fault = Fault::LoseOneRow;
    let second = first.next_run("next job");
    let look = second.next_run("nobody");
    let report = first.execute().await;
    assert_eq!(report.outcome.state(), JobState::Failed);
    assert!(!Bench::ids(&look.rows).contains(&6));
    second.execute().await;
    assert!(Bench::ids(&look.rows).contains(&6), "it is read again");
}

#[tokio::test]
async fn a_key_with_very_many_rows_does_not_put_every_checkpoint_off() {
    let steps = vec![
        Step::Rows(vec![7; 100]),
        Step::Position("7"),
        Step::Rows(vec![7]),
        Step::Position("7"),
    ];
    let bench = Bench::new(Incremental, vec![("a", steps)]);
    let history = Arc::clone(&bench.history);
    bench.execute().await;
    let committed = history
        .lock()
        .unwrap()
        .iter()
        .any(|event| matches!(event, crate::fakes::Happened::Committed { rows: 100, .. }));
    assert!(committed, "{:?}", history.lock().unwrap());
}

#[tokio::test]
async fn a_load_is_told_once_with_all_its_commits_wherever_the_job_died() {
    for commit in 1..=COMMITS {
        let mut first = Bench::new(Incremental, vec![("a", script())]);
        first.fault = Fault::DieAfterCommit(commit);
        let second = first.next_run("job");
        let third = second.next_run("next job");
        let look = second.next_run("nobody");
        first.execute().await;
        assert!(look.told.lock().unwrap().is_empty());
        second.execute().await;
        third.execute().await;
        let told = look.told.lock().unwrap().clone();
        let sums: Vec<_> = told
            .iter()
            .map(|load| {
                let bookmark = &load.bookmarks[0];
                let range = (bookmark.min_value.as_str(), bookmark.max_value.as_str());
                (load.root.row_count, range)
            })
            .collect();
        assert_eq!(
            sums,
            [(7, ("1", "6")), (1, ("6", "6"))],
            "died after {commit}"
        );
        assert!(told.iter().all(|load| !load.new_version));
    }
}

#[tokio::test]
async fn rows_of_a_job_that_never_came_to_its_end_are_told_by_the_next() {
    let mut first = Bench::new(Incremental, vec![("a", script())]);
    first.fault = Fault::SecondCommit;
    let second = first.next_run("next job");
    let look = second.next_run("nobody");
    first.execute().await;
    second.execute().await;
    let told = look.told.lock().unwrap().clone();
    let counts: Vec<_> = told.iter().map(|load| load.root.row_count).collect();
    assert_eq!(counts, [7]);
}

#[tokio::test]
async fn a_replacement_is_told_as_a_new_version_and_counts_its_own_rows_only() {
    let mut first = Bench::new(FullTable, vec![("a", script())]);
    first.fault = Fault::DieAfterCommit(2);
    let second = first.next_run("job");
    let look = second.next_run("nobody");
    first.execute().await;
    second.execute().await;
    let told = look.told.lock().unwrap().clone();
    let [load] = told.try_into().unwrap();
    assert_eq!((load.new_version, load.root.row_count), (true, 7));
    assert!(load.table_version > 0 && load.bookmarks.is_empty());
    assert_eq!(load.root.source_name, "a");
}
