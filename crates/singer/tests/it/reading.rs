//! Reading: what the tap is given, and what it says.

use std::os::unix::fs::PermissionsExt as _;

use selvedge_connector::{ErrorKind, Tap as _, TapRead, TapSelection, tap_channel};
use serde_json::{Value, json};

use crate::fake::FakeTap;

fn orders(state: Option<Value>) -> TapRead {
    TapRead {
        document: json!({"streams": [{"stream": "orders", "schema": {}}]}),
        selected: vec![TapSelection {
            tap_stream_id: "orders".to_owned(),
            chosen: Vec::new(),
            fields: Vec::new(),
        }],
        state,
    }
}

const NOTE_FILES: &str = r#"
    for argument in "$@"; do
        case "$argument" in --*) echo "$argument" >> "$NOTES/options";; *) cp -p "$argument" "$NOTES/";; esac
    done
    echo '{"type": "STATE", "value": {"a": 1}}'
"#;

#[tokio::test]
async fn a_tap_gets_its_files_and_says_its_events() {
    let tap = FakeTap::new(NOTE_FILES);
    let outcome = tap.read_with(orders(Some(json!({"bookmarks": {}})))).await;
    assert_eq!(outcome.result.as_ref().err().map(ToString::to_string), None);
    assert_eq!(outcome.events, [r#"state {"a": 1}"#]);
    assert_eq!(tap.note("options"), "--config\n--catalog\n--state\n");
    assert_eq!(tap.note("state.json"), r#"{"bookmarks":{}}"#);
    let catalog: Value = serde_json::from_str(&tap.note("catalog.json")).unwrap();
    let metadata = &catalog["streams"][0]["metadata"][0];
    assert_eq!(metadata["metadata"]["selected"], true);
    for file in ["config.json", "state.json", "catalog.json"] {
        let mode = tap.path(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn an_old_tap_gets_properties_and_a_first_run_no_state() {
    let mut tap = FakeTap::new(NOTE_FILES);
    tap.program.takes_properties = true;
    let outcome = tap.read_with(orders(None)).await;
    assert!(outcome.result.is_ok());
    assert_eq!(tap.note("options"), "--config\n--properties\n");
}

#[tokio::test]
async fn a_tap_lives_in_its_own_directory_and_knows_no_secrets_of_the_server() {
    let tap = FakeTap::new(
        r#"
        env > "$NOTES/environment"; pwd > "$NOTES/pwd"; echo private > "$HOME/file"; echo private > "$TMPDIR/file"
        if read line; then echo "stdin: $line" > "$NOTES/stdin"; fi
        "#,
    );
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok());
    let environment = tap.note("environment");
    let home = environment
        .lines()
        .find_map(|line| line.strip_prefix("HOME="));
    let runs = tap.path("runs").display().to_string();
    assert!(home.unwrap().starts_with(&runs), "{environment}");
    assert_eq!(tap.note("pwd").trim(), home.unwrap());
    assert_eq!(tap.note("stdin"), "");
    // Cargo gives its tests some hundred variables of its own.
    assert!(!environment.contains("CARGO"), "{environment}");
}

#[tokio::test]
async fn what_cannot_be_taken_ends_the_tap_and_is_told_as_an_event() {
    let mut tap = FakeTap::new(
        r#"
        echo '{"type": "STATE", "value": 1}'
        echo 'Fetching with token-12345'
        while :; do echo '{"type": "STATE", "value": 2}'; sleep 0.01; done
        "#,
    );
    tap.secrets = vec!["token-12345".to_owned()];
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert_eq!(outcome.events.len(), 2);
    assert_eq!(outcome.events[0], "state 1");
    assert!(outcome.events[1].starts_with("fault "));
    assert!(
        !outcome.events[1].contains("token-12345"),
        "{}",
        outcome.events[1]
    );
}

#[tokio::test]
async fn a_line_without_end_is_a_fault() {
    let mut tap = FakeTap::new("yes | tr -d '\\n'");
    tap.limits.messages.line_bytes = 1 << 20;
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    assert_eq!(outcome.events.len(), 1);
    assert!(outcome.events[0].starts_with("fault "));
}

#[tokio::test]
async fn states_before_a_crash_count_and_half_a_message_does_not() {
    let tap = FakeTap::new(
        r#"
        echo '{"type": "STATE", "value": 1}'
        printf '{"type": "STATE", "val'
        echo 'CRITICAL the account is closed' >&2
        exit 3
        "#,
    );
    let outcome = tap.read().await;
    assert_eq!(outcome.events, ["state 1"]);
    let error = outcome.error();
    assert_eq!(error.message, "the account is closed");
    assert_eq!(error.code.as_deref(), Some("3"));
}

#[tokio::test]
async fn a_last_line_without_line_end_counts() {
    let tap = FakeTap::new(r#"printf '{"type": "STATE", "value": 1}'"#);
    let outcome = tap.read().await;
    assert!(outcome.result.is_ok());
    assert_eq!(outcome.events, ["state 1"]);
}

#[tokio::test]
async fn a_state_is_handed_on_while_the_tap_goes_on() {
    let tap = FakeTap::new(r#"echo '{"type": "STATE", "value": 1}'; sleep 600"#);
    let (sender, mut receiver) = tap_channel(4);
    let context = tap.context();
    let reading = tokio::spawn({
        let running = tap.tap();
        async move { running.read(context, orders(None), sender).await }
    });
    assert!(receiver.recv().await.is_some());
    tap.stop.cancel();
    let error = reading.await.unwrap().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    tap.assert_nothing_left();
}

#[tokio::test]
async fn a_tap_that_nobody_listens_to_is_ended() {
    let tap = FakeTap::new(r#"while :; do echo '{"type": "STATE", "value": 1}'; done"#);
    let (sender, receiver) = tap_channel(1);
    drop(receiver);
    let result = tap.tap().read(tap.context(), orders(None), sender).await;
    assert_eq!(result.unwrap_err().kind, ErrorKind::Stopped);
    tap.assert_nothing_left();
}

#[tokio::test]
async fn a_tap_stops_also_when_the_engine_takes_nothing_any_more() {
    let tap = FakeTap::new(r#"while :; do echo '{"type": "STATE", "value": 1}'; done"#);
    let (sender, _full) = tap_channel(1);
    let context = tap.context();
    let running = tap.tap();
    let reading = tokio::spawn(async move { running.read(context, orders(None), sender).await });
    while !tap.path("runs").exists() {
        tokio::task::yield_now().await;
    }
    tap.stop.cancel();
    assert_eq!(reading.await.unwrap().unwrap_err().kind, ErrorKind::Stopped);
    tap.assert_nothing_left();
}
