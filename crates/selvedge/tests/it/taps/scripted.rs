//! A tap that does what a test tells it, from its source in the API to the rows in PostgreSQL.

use std::path::Path;
use std::time::Duration;

use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::Client;

use super::{python, which, with_types};
use crate::hooks::{Receiver, add_hook};
use crate::pipeline::rows;
use crate::platform::{PATIENCE, Platform, destination_body};

const TYPE: &str = "platform.scripted";

/// The tap's files, the server and the destination.
struct Scripted {
    folder: TempDir,
    platform: Platform,
    replica: Client,
    /// Dropped last: the database goes with it.
    _to: TestDatabase,
    source: i64,
}

fn catalog() -> Value {
    let users = json!({
        "tap_stream_id": "users", "stream": "users",
        "schema": {"type": "object", "properties": {
            "id": {"type": "integer"},
            "name": {"type": ["null", "string"]},
            "internal": {"type": ["null", "string"]},
            "address": {"type": ["null", "object"], "properties": {"city": {"type": ["null", "string"]}}},
        }},
        "metadata": [
            {"breadcrumb": [], "metadata": {
                "table-key-properties": ["id"], "forced-replication-method": "INCREMENTAL",
                "valid-replication-keys": ["id"], "selected": true,
            }},
            {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
            {"breadcrumb": ["properties", "name"], "metadata": {"inclusion": "available"}},
            {"breadcrumb": ["properties", "internal"], "metadata": {"inclusion": "available"}},
            {"breadcrumb": ["properties", "address"], "metadata": {"inclusion": "available"}},
            {"breadcrumb": ["properties", "address", "properties", "city"], "metadata": {"inclusion": "available"}},
        ],
    });
    let plain = json!({"tap_stream_id": "plain", "stream": "plain", "key_properties": [], "schema": {"properties": {"a": {}}}});
    json!({"streams": [users, plain]})
}

const SCHEMA: &str = r#"{"type":"SCHEMA","bookmark_properties":["id"],"stream":"users","schema":{"type":"object","properties":{"id":{"type":"integer"},"name":{"type":["null","string"]},"address":{"type":["null","object"],"properties":{"city":{"type":["null","string"]}}}}},"key_properties":["id"]}"#;

fn user(id: i64, name: &str) -> String {
    let record = json!({"id": id, "name": name, "address": {"city": "Ulm"}});
    json!({"type": "RECORD", "stream": "users", "record": record}).to_string()
}

fn state(id: i64) -> String {
    let value = json!({"bookmarks": {"users": {"id": id}}});
    json!({"type": "STATE", "value": value}).to_string()
}

impl Scripted {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/tap_scripted.py");
        let python = which(&python());
        let types = json!([{
            "type": TYPE, "display_name": "Scripted", "category": "saas",
            "properties": [
                {"name": "directory", "is_required": true},
                {"name": "refresh_token", "is_required": true, "is_credential": true, "tap_mutable": true},
            ],
            "tap": {"command": [python, script]},
        }]);
        std::fs::write(folder.path().join("catalog.json"), catalog().to_string()).unwrap();
        let platform = Platform::start_with(with_types(folder.path(), &types, "")).await;
        let to = TestDatabase::create().await;
        platform.destination(&destination_body(&to)).await;
        let body = json!({"type": TYPE, "display_name": "Scripted", "properties": {
            "directory": folder.path(), "refresh_token": "secret-token-1",
        }});
        let source = platform.source(&body).await;
        Self {
            replica: to.connect().await,
            _to: to,
            folder,
            platform,
            source,
        }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    fn say(&self, lines: &[String]) {
        let mut text = vec![SCHEMA.to_owned()];
        text.extend_from_slice(lines);
        self.write("messages.jsonl", &(text.join("\n") + "\n"));
    }

    /// What the tap's last run that was no discovery was given.
    fn given(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join("given.jsonl")).unwrap();
        let runs = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let runs: Vec<Value> = runs
            .filter(|run: &Value| run["discover"] == false)
            .collect();
        runs.last().cloned().unwrap_or_default()
    }

    async fn select(&self) {
        let entries = json!([{"breadcrumb": [], "metadata": {"selected": true}}]);
        let platform = &self.platform;
        platform.set_metadata(self.source, "users", entries).await;
    }

    async fn users(&self) -> Vec<String> {
        rows(
            &self.replica,
            "select id, name, address__city from scripted.users order by id",
        )
        .await
    }
}

#[tokio::test]
async fn a_tap_is_discovered_selected_and_replicated_and_goes_on_from_its_state() {
    let scripted = Scripted::start().await;
    let stream = scripted.platform.stream(scripted.source, "users").await;
    assert_eq!(stream["tap_stream_id"], "users");
    assert_eq!(
        stream["selected"],
        Value::Null,
        "only users select: {stream}"
    );
    scripted.select().await;
    let entries =
        json!([{"breadcrumb": ["properties", "internal"], "metadata": {"selected": false}}]);
    let platform = &scripted.platform;
    platform
        .set_metadata(scripted.source, "users", entries)
        .await;

    scripted.say(&[user(1, "Ada"), user(2, "Bob"), state(2)]);
    scripted.write("stderr", "WARNING the token is {token}\nINFO done");
    let first = platform.sync(scripted.source).await.succeeded();
    assert_eq!(scripted.users().await, ["1|Ada|Ulm", "2|Bob|Ulm"]);

    let given = scripted.given();
    assert_eq!(given.get("state"), None);
    let chosen = &given["catalog"]["streams"];
    let of = |stream: usize, breadcrumb: Value| -> Value {
        let entries = chosen[stream]["metadata"].as_array().unwrap();
        let entry = entries
            .iter()
            .find(|entry| entry["breadcrumb"] == breadcrumb);
        entry.map_or(Value::Null, |entry| entry["metadata"]["selected"].clone())
    };
    assert_eq!(of(0, json!([])), true);
    assert_eq!(of(0, json!(["properties", "name"])), true);
    assert_eq!(of(0, json!(["properties", "internal"])), false);
    assert_eq!(of(1, json!([])), false);

    let log = platform.log(first.job_name()).await;
    assert!(!log.contains("secret-token-1"), "{log}");
    assert!(log.contains("    tap - WARNING the token is "), "{log}");
    assert!(
        log.contains("State update: adding bookmarks.users.id = 2"),
        "{log}"
    );
    assert!(
        log.contains(r#""metric":"record_count","value":2"#),
        "{log}"
    );
    let load = platform.load("users").await;
    assert_eq!(load["error_state"], Value::Null, "{load}");

    scripted.say(&[user(2, "Bert"), user(3, "Cleo"), state(3)]);
    platform.sync(scripted.source).await.succeeded();
    let bookmark = json!({"bookmarks": {"users": {"id": 2}}});
    assert_eq!(scripted.given()["state"], bookmark);
    assert_eq!(
        scripted.users().await,
        ["1|Ada|Ulm", "2|Bert|Ulm", "3|Cleo|Ulm"]
    );
}

#[tokio::test]
async fn hooks_are_told_of_the_bookmarks_that_the_tap_names() {
    let receiver = Receiver::answering(Vec::new()).await;
    let scripted = Scripted::start().await;
    add_hook(&scripted.platform, &receiver.url()).await;
    scripted.select().await;
    scripted.say(&[user(12, "Bob"), user(3, "Ada"), user(7, "Cleo"), state(12)]);
    scripted.platform.sync(scripted.source).await.succeeded();
    let payload = receiver.called(1).await[0].json();
    assert_eq!(
        payload["tables"][0]["bookmark_metadata"],
        json!([{ "key": "id", "min_value": "3", "max_value": "12" }])
    );
}

#[tokio::test]
async fn a_rotated_token_is_kept_before_anything_else_can_fail() {
    let mut scripted = Scripted::start().await;
    scripted.select().await;
    scripted.say(&[user(1, "Ada"), state(1)]);
    scripted.write("rotate", "secret-token-2");
    scripted.write("hold", "");
    let job = scripted.platform.start_sync(scripted.source).await;
    // While the tap still runs the new token is in the store; the server dies before anything ends.
    wait_until("the token's way into the store", PATIENCE, async || {
        let log = scripted.platform.server.log();
        match log.contains("a tap replaced settings") {
            true => Ok(()),
            false => Err(log),
        }
    })
    .await;
    scripted.platform.server.kill().await;
    scripted.remove("hold");
    scripted.remove("rotate");
    scripted.platform.restart().await;
    scripted.platform.ended(&job).await.succeeded();
    assert_eq!(
        scripted.given()["config"]["refresh_token"],
        "secret-token-2"
    );
    let log = scripted.platform.log(&job).await;
    assert!(!log.contains("secret-token"), "{log}");
}

#[tokio::test]
async fn a_tap_that_fails_keeps_what_it_said_and_is_quoted() {
    let scripted = Scripted::start().await;
    scripted.select().await;
    scripted.say(&[user(1, "Ada"), state(1), user(2, "Bob")]);
    scripted.write("stderr", "CRITICAL the API said no to {token}");
    scripted.write("exit", "3");
    let failed = scripted.platform.sync(scripted.source).await;
    assert_eq!(failed.statuses(), [Some(0), Some(3), Some(0)]);
    let said = failed.description("tap");
    assert!(
        said.contains("the API said no to") && !said.contains("secret-token"),
        "{said}"
    );
    assert_eq!(scripted.users().await, ["1|Ada|Ulm", "2|Bob|Ulm"]);
    scripted.remove("exit");
    scripted.platform.sync(scripted.source).await.succeeded();
    let bookmark = json!({"bookmarks": {"users": {"id": 1}}});
    assert_eq!(scripted.given()["state"], bookmark);
}

#[tokio::test]
async fn a_record_that_does_not_conform_fails_the_target_with_the_documented_text() {
    let scripted = Scripted::start().await;
    scripted.select().await;
    let bad = json!({"type": "RECORD", "stream": "users", "record": {"id": "x"}});
    scripted.say(&[user(1, "Ada"), state(1), bad.to_string(), user(2, "Bob")]);
    let failed = scripted.platform.sync(scripted.source).await;
    assert_eq!(failed.statuses(), [Some(0), None, Some(1)]);
    let said = failed.description("target");
    assert!(
        said.starts_with(
            r#"Error persisting data for table "users": Record 1 did not conform to schema: "#
        ),
        "{said}"
    );
    assert_eq!(scripted.users().await, ["1|Ada|Ulm"]);
}

/// MiB that a line at its limit may bring the server to: the line, and room to let it grow.
const LINE_MIB: u64 = 280;

#[tokio::test]
async fn a_line_without_an_end_is_given_up_at_the_limit_whatever_follows() {
    let scripted = Scripted::start().await;
    scripted.select().await;
    scripted.say(&[user(1, "Ada"), state(1)]);
    scripted.platform.sync(scripted.source).await.succeeded();
    let before = scripted.platform.server.peak_memory() >> 20;

    scripted.say(&[user(2, "Bob"), state(2)]);
    scripted.write("endless", "1024");
    let failed = scripted.platform.sync(scripted.source).await;
    assert_eq!(failed.statuses(), [Some(0), None, Some(1)]);
    let said = failed.description("target");
    let expected = "the tap wrote a line of more than 67108864 bytes: xxxx";
    assert!(said.starts_with(expected) && said.len() < 1_000, "{said}");
    let grown = (scripted.platform.server.peak_memory() >> 20) - before;
    assert!(grown < LINE_MIB, "{grown} MiB more, after {before} MiB");

    // What came before the line counts, and the next run goes on from there.
    assert_eq!(scripted.users().await, ["1|Ada|Ulm", "2|Bob|Ulm"]);
    scripted.remove("endless");
    scripted.say(&[user(3, "Cleo"), state(3)]);
    scripted.platform.sync(scripted.source).await.succeeded();
    let bookmark = json!({"bookmarks": {"users": {"id": 2}}});
    assert_eq!(scripted.given()["state"], bookmark);
}

#[tokio::test]
async fn records_in_files_come_with_those_in_messages() {
    let scripted = Scripted::start().await;
    scripted.select().await;
    scripted.write("batch.jsonl", "{\"id\":2,\"name\":\"Bob\"}\n{\"id\":3}\n");
    let batch = json!({
        "type": "BATCH", "stream": "users", "manifest": ["file://{batch}"],
        "encoding": {"format": "jsonl", "compression": "gzip"},
    });
    scripted.say(&[user(1, "Ada"), batch.to_string(), state(3)]);
    scripted.platform.sync(scripted.source).await.succeeded();
    assert_eq!(scripted.users().await, ["1|Ada|Ulm", "2|Bob|∅", "3|∅|∅"]);
}

#[tokio::test]
async fn a_schema_that_changes_while_the_tap_runs_counts_from_there_on() {
    let scripted = Scripted::start().await;
    scripted.select().await;
    let schema = json!({"type": "SCHEMA", "stream": "users", "key_properties": ["id"], "schema": {"properties": {
        "id": {"type": "integer"}, "name": {"type": ["null", "integer"]}, "since": {"type": "string", "format": "date-time"},
    }}});
    let later = json!({"type": "RECORD", "stream": "users", "record": {"id": 2, "name": 7, "since": "2031-02-03T04:05:06Z"}});
    scripted.say(&[
        user(1, "Ada"),
        schema.to_string(),
        later.to_string(),
        state(2),
    ]);
    scripted.platform.sync(scripted.source).await.succeeded();
    let all = "select id, name__st, name__it, since from scripted.users order by id";
    assert_eq!(
        rows(&scripted.replica, all).await,
        ["1|Ada|∅|∅", "2|∅|7|2031-02-03 04:05:06"]
    );
}

#[tokio::test]
async fn a_state_that_goes_back_is_believed() {
    let scripted = Scripted::start().await;
    scripted.select().await;
    scripted.say(&[user(1, "Ada"), user(2, "Bob"), state(2)]);
    scripted.platform.sync(scripted.source).await.succeeded();
    // Only the tap knows what its state means.
    scripted.say(&[user(3, "Cleo"), state(3), state(1)]);
    scripted.platform.sync(scripted.source).await.succeeded();
    scripted.say(&[user(2, "Bert"), user(3, "Cleo"), state(3)]);
    scripted.platform.sync(scripted.source).await.succeeded();
    let bookmark = json!({"bookmarks": {"users": {"id": 1}}});
    assert_eq!(scripted.given()["state"], bookmark);
    assert_eq!(
        scripted.users().await,
        ["1|Ada|Ulm", "2|Bert|Ulm", "3|Cleo|Ulm"]
    );
}

#[tokio::test]
async fn another_method_reads_everything_anew_and_takes_the_place_of_the_table() {
    let scripted = Scripted::start().await;
    scripted.select().await;
    scripted.say(&[user(1, "Ada"), user(2, "Bob"), state(2)]);
    let platform = &scripted.platform;
    platform.sync(scripted.source).await.succeeded();
    let entries = json!([{"breadcrumb": [], "metadata": {"replication-method": "FULL_TABLE"}}]);
    platform
        .set_metadata(scripted.source, "users", entries)
        .await;
    scripted.say(&[user(2, "Bert"), state(2)]);
    platform.sync(scripted.source).await.succeeded();
    assert_eq!(scripted.given().get("state"), None);
    assert_eq!(
        scripted.users().await,
        ["2|Bert|Ulm"],
        "1 is gone at the source"
    );
}

#[tokio::test]
async fn a_stop_keeps_what_came_and_leaves_no_process() {
    let scripted = Scripted::start().await;
    scripted.select().await;
    scripted.say(&[user(1, "Ada"), state(1)]);
    scripted.write("hold", "");
    let job = scripted.platform.start_sync(scripted.source).await;
    wait_until("the first record", PATIENCE, async || {
        let progress = scripted.platform.progress(scripted.source).await;
        match progress["row_count"] == 1 {
            true => Ok(()),
            false => Err(progress),
        }
    })
    .await;
    let path = format!("/v4/sources/{}/sync", scripted.source);
    scripted.platform.api.delete(&path).await.status(200);
    let ended = scripted.platform.ended(&job).await;
    assert_eq!(ended.description("tap"), "Terminated", "{ended:?}");
    assert_eq!(scripted.users().await, ["1|Ada|Ulm"]);
    let marker = scripted.folder.path().display().to_string();
    wait_until("the end of the tap", Duration::from_secs(20), async || {
        let mut alive = Vec::new();
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            if line.contains("tap_scripted") && line.contains(&marker) {
                alive.push(line);
            }
        }
        match alive.is_empty() {
            true => Ok(()),
            false => Err(alive),
        }
    })
    .await;
}
