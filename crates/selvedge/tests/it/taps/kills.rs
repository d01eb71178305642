//! Kills while a tap is read: every number arrives, later runs go on from what was saved, and a table that is read in full
//! is never seen half replaced.

use std::path::Path;

use selvedge_testkit::effort;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};

use super::{python, which, with_types};
use crate::pipeline::{count, rows};
use crate::platform::{PATIENCE, Platform, destination_body};

/// Kills, unless the environment says otherwise.
const KILLS: u32 = 3;
/// More than the tap says between two kills.
const BETWEEN: i64 = 30_000;

#[tokio::test]
async fn kills_while_a_tap_is_read_lose_nothing_and_show_nothing_half() {
    for (_, kills) in effort::kills_by_seed(KILLS) {
        read_and_kill(kills).await;
    }
}

async fn read_and_kill(kills: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/tap_counting.py");
    let types = json!([{
        "type": "platform.counting", "display_name": "Counting", "category": "saas",
        "properties": [{"name": "directory", "is_required": true}],
        "tap": {"command": [which(&python()), script]},
    }]);
    let settings = with_types(folder.path(), &types, "[jobs]\ncheckpoint_seconds = 1\n");
    let mut platform = Platform::start_with(settings).await;
    let to = TestDatabase::create().await;
    let replica = to.connect().await;
    platform.destination(&destination_body(&to)).await;
    let body = json!({"type": "platform.counting", "display_name": "Counting", "properties": {
        "directory": folder.path(),
    }});
    let source = platform.source(&body).await;
    let selected = json!([{"breadcrumb": [], "metadata": {"selected": true}}]);
    for stream in ["numbers", "whole"] {
        platform
            .set_metadata(source, stream, selected.clone())
            .await;
    }

    // A first version of the table, which stays what it is until the next one is complete.
    write("upto", "10");
    platform.sync(source).await.succeeded();
    let whole = "select count(*) || ' ' || count(distinct version) from counting.whole";
    assert_eq!(rows(&replica, whole).await, ["5 1"]);

    write("upto", &(BETWEEN * i64::from(kills + 1)).to_string());
    write("pause", "0.002");
    let job = platform.start_sync(source).await;
    let numbers = "select count(*) from counting.numbers";
    for _ in 0..kills {
        let saved = async || {
            let log = platform.log(&job).await;
            let saves = log.matches("State update: adding bookmarks.numbers.id");
            saves.count()
        };
        let before = saved().await;
        wait_until("a state that is saved", PATIENCE, async || {
            match saved().await {
                now if now > before => Ok(()),
                now => Err(now),
            }
        })
        .await;
        assert_eq!(
            rows(&replica, whole).await,
            ["5 1"],
            "the new version is not seen yet"
        );
        platform.kill_and_restart().await;
    }
    let reached = count(&replica, numbers).await + 2_000;
    write("upto", &reached.to_string());
    std::fs::remove_file(folder.path().join("pause")).unwrap();
    // The run that is under way counts as far as it was told when it began.
    platform.kill_and_restart().await;
    platform.ended(&job).await.succeeded();

    let all = "select count(*) || ' ' || min(id) || ' ' || max(id) from counting.numbers";
    assert_eq!(
        rows(&replica, all).await,
        [format!("{reached} 1 {reached}")]
    );
    let began = std::fs::read_to_string(folder.path().join("began.jsonl")).unwrap();
    let began: Vec<Value> = began
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let from: Vec<i64> = began
        .iter()
        .map(|state| state["bookmarks"]["numbers"]["id"].as_i64().unwrap_or(0))
        .collect();
    assert!(
        from.is_sorted() && from.len() > kills as usize + 1,
        "{from:?}"
    );
    // The first two began before the first kill.
    assert!(
        from[2..].iter().all(|id| *id > 10),
        "each run went on from what was saved: {from:?}"
    );
    // What came in runs that were killed is in no version that is seen.
    let [begin, end] = [from[from.len() - 1], reached];
    let expected = end / 2 - begin / 2;
    assert_eq!(rows(&replica, whole).await, [format!("{expected} 1")]);
}
