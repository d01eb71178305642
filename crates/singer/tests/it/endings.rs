//! However a tap ends, nothing of it stays.

use std::time::Duration;

use selvedge_connector::{ErrorKind, Tap as _, TapRead, tap_channel};
use serde_json::json;

use crate::fake::{FakeTap, processes_with};

const STATE: &str = r#"echo '{"type": "STATE", "value": 1}'"#;

fn nothing() -> TapRead {
    TapRead {
        document: json!({"streams": []}),
        selected: Vec::new(),
        state: None,
    }
}

#[tokio::test]
async fn a_tap_that_ignores_sigterm_is_killed_after_the_grace_period() {
    let mut tap = FakeTap::new(&format!(
        "trap 'echo asked >> $NOTES/asked' TERM\n{STATE}\nwhile :; do sleep 0.05; done"
    ));
    tap.limits.grace = Duration::from_millis(300);
    let (sender, mut receiver) = tap_channel(4);
    let (running, context) = (tap.tap(), tap.context());
    let reading = tokio::spawn(async move { running.read(context, nothing(), sender).await });
    assert!(receiver.recv().await.is_some());
    tap.stop.cancel();
    assert_eq!(reading.await.unwrap().unwrap_err().kind, ErrorKind::Stopped);
    assert!(tap.note("asked").starts_with("asked"));
    tap.assert_nothing_left();
}

#[tokio::test]
async fn a_child_that_holds_stdout_does_not_hold_the_run() {
    let tap = FakeTap::new(&format!("sleep 600 &\n{STATE}"));
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert_eq!(outcome.events, ["state 1"]);
    assert!(
        tap.log()[0].contains("left 1 process behind"),
        "{:?}",
        tap.log()
    );
}

#[tokio::test]
async fn a_child_that_writes_on_does_not_hold_the_run() {
    let tap = FakeTap::new(&format!("(while :; do {STATE}; done) &\n{STATE}\nexit 0"));
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
}

#[tokio::test]
async fn a_child_that_left_the_group_is_found() {
    let mut tap = FakeTap::new(&format!(
        "setsid sh -c \"trap '' TERM; while :; do sleep 0.05; done\" >/dev/null 2>&1 &\n{STATE}"
    ));
    tap.limits.grace = Duration::from_millis(200);
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
}

#[tokio::test]
async fn a_tap_that_forks_without_end_leaves_nothing() {
    let mut tap = FakeTap::new(
        "for i in 1 2 3 4 5 6 7 8; do (while :; do setsid sleep 600 >/dev/null 2>&1 & sleep 0.02; done) & done\nwait",
    );
    tap.limits.total = Some(Duration::from_millis(500));
    tap.limits.grace = Duration::from_millis(100);
    let outcome = tap.read().await;
    assert!(outcome.error().message.contains("its time limit"));
}

#[tokio::test]
async fn a_tap_whose_records_nobody_takes_has_no_more_time_than_others() {
    let mut tap = FakeTap::new(&format!("while :; do {STATE}; done"));
    tap.limits.total = Some(Duration::from_millis(300));
    tap.limits.grace = Duration::from_millis(100);
    let (sender, receiver) = tap_channel(1);
    let result = tap.tap().read(tap.context(), nothing(), sender).await;
    let error = result.expect_err("it was ended");
    assert!(error.message.contains("its time limit"), "{error}");
    drop(receiver);
    tap.assert_nothing_left();
}

#[tokio::test]
async fn a_tap_that_closes_its_streams_and_hangs_is_ended() {
    let mut tap = FakeTap::new("exec >/dev/null 2>/dev/null\nsleep 600");
    tap.limits.idle = Duration::from_millis(300);
    let outcome = tap.read().await;
    let error = outcome.error();
    assert_eq!(
        error.message,
        "the tap was ended because it said nothing for 300 ms, neither data nor log"
    );
}

#[tokio::test]
async fn a_silent_tap_is_told_of_and_ended() {
    let mut tap = FakeTap::new(&format!("{STATE}\nsleep 600"));
    tap.limits.heartbeat = Duration::from_millis(100);
    tap.limits.idle = Duration::from_millis(500);
    let outcome = tap.read().await;
    assert_eq!(outcome.events, ["state 1"]);
    assert!(outcome.error().message.contains("said nothing for 500 ms"));
    let beats = tap.log();
    assert!(beats.len() >= 2, "{beats:?}");
    let is_beat = |line: &String| line.starts_with("INFO the tap runs, but has said nothing for ");
    assert!(beats.iter().all(is_beat), "{beats:?}");
}

#[tokio::test]
async fn words_on_stderr_are_a_sign_of_life() {
    let mut tap = FakeTap::new(
        "i=0; while [ $i -lt 30 ]; do echo INFO $i >&2; sleep 0.1; i=$((i + 1)); done",
    );
    tap.limits.idle = Duration::from_secs(2);
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
}

#[tokio::test]
async fn a_tap_that_is_killed_from_outside_is_named_with_its_signal() {
    let tap = FakeTap::new("echo INFO busy >&2; kill -9 $$");
    let outcome = tap.read().await;
    let error = outcome.error();
    assert!(error.message.contains("signal 9 (SIGKILL"), "{error}");
    assert_eq!(error.code.as_deref(), Some("137"));
}

#[tokio::test]
async fn whoever_stops_waiting_ends_the_tap() {
    let tap = FakeTap::new(&format!("{STATE}\nsleep 600"));
    let (sender, mut receiver) = tap_channel(4);
    let (running, context) = (tap.tap(), tap.context());
    let reading = tokio::spawn(async move { running.read(context, nothing(), sender).await });
    assert!(receiver.recv().await.is_some());
    let runs = tap.path("runs");
    assert!(!processes_with(&runs).is_empty());
    reading.abort();
    while std::fs::read_dir(&runs).unwrap().next().is_some() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tap.assert_nothing_left();
}

#[tokio::test]
async fn what_a_killed_server_left_behind_is_swept() {
    let tap = FakeTap::new("");
    let runs = tap.path("runs").join("run-0");
    std::fs::create_dir_all(&runs).unwrap();
    std::fs::write(runs.join("config.json"), r#"{"token": "left"}"#).unwrap();
    std::fs::write(tap.path("runs/run-0.lock"), "").unwrap();
    let mut orphan = std::process::Command::new("setsid")
        .args(["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"])
        .env("SELVEDGE_TAP_RUN", &runs)
        .spawn()
        .unwrap();
    while processes_with(&tap.path("runs")).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(selvedge_singer::sweep_runs(&tap.path("runs")).unwrap(), 1);
    tap.assert_nothing_left();
    assert!(!orphan.wait().unwrap().success());
}
