//! Kills while a tap is read: every number arrives, later runs go on from what was saved, and a table that is read in full
//! is never seen half replaced.

use std::path::Path;

use selvedge_testkit::effort;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::Client;

use super::{python, which, with_types};
use crate::pipeline::{count, rows};
use crate::platform::{PATIENCE, Platform, destination_body};

/// Kills, unless the environment says otherwise.
const KILLS: u32 = 3;
/// A job is not tried again when the server was lost five times while it ran.
const OF_ONE_JOB: u32 = 3;
/// More than the tap says between two kills.
const BETWEEN: i64 = 30_000;

#[tokio::test]
async fn kills_while_a_tap_is_read_lose_nothing_and_show_nothing_half() {
    for (_, kills) in effort::kills_by_seed(KILLS) {
        read_and_kill(kills).await;
    }
}

/// The tap's files, the server and the destination.
struct Counting {
    folder: TempDir,
    platform: Platform,
    replica: Client,
    /// Dropped last: the database goes with it.
    _to: TestDatabase,
    source: i64,
}

impl Counting {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/tap_counting.py");
        let types = json!([{
            "type": "platform.counting", "display_name": "Counting", "category": "saas",
            "properties": [{"name": "directory", "is_required": true}],
            "tap": {"command": [which(&python()), script]},
        }]);
        let settings = with_types(folder.path(), &types, "[jobs]\ncheckpoint_seconds = 1\n");
        let platform = Platform::start_with(settings).await;
        let to = TestDatabase::create().await;
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

    /// How many rows the table that is read in full shows, of how many versions.
    async fn whole(&self) -> Vec<String> {
        let whole = "select count(*) || ' ' || count(distinct version) from counting.whole";
        rows(&self.replica, whole).await
    }

    async fn numbers(&self) -> i64 {
        count(&self.replica, "select count(*) from counting.numbers").await
    }

    /// The number that each run of the tap began behind.
    fn began(&self) -> Vec<i64> {
        let began = std::fs::read_to_string(self.folder.path().join("began.jsonl")).unwrap();
        let states = began
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        states
            .map(|state: Value| state["bookmarks"]["numbers"]["id"].as_i64().unwrap_or(0))
            .collect()
    }

    /// One job, which outlives so many kills and one more.
    async fn job(&mut self, kills: u32) {
        let (before, shown) = (self.numbers().await, self.whole().await);
        let earlier_runs = self.began().len();
        let upto = before + BETWEEN * i64::from(kills + 1);
        self.write("upto", &upto.to_string());
        self.write("pause", "0.002");
        let job = self.platform.start_sync(self.source).await;
        for _ in 0..kills {
            let saved = async || {
                let log = self.platform.log(&job).await;
                let saves = log.matches("State update: adding bookmarks.numbers.id");
                saves.count()
            };
            let earlier = saved().await;
            wait_until("a state that is saved", PATIENCE, async || {
                match saved().await {
                    now if now > earlier => Ok(()),
                    now => Err(now),
                }
            })
            .await;
            assert_eq!(self.whole().await, shown, "the new version is not seen yet");
            self.platform.kill_and_restart().await;
        }
        let reached = self.numbers().await + 2_000;
        self.write("upto", &reached.to_string());
        std::fs::remove_file(self.folder.path().join("pause")).unwrap();
        // The run that is under way counts as far as it was told when it began.
        self.platform.kill_and_restart().await;
        self.platform.ended(&job).await.succeeded();

        let all = "select count(*) || ' ' || min(id) || ' ' || max(id) from counting.numbers";
        assert_eq!(
            rows(&self.replica, all).await,
            [format!("{reached} 1 {reached}")]
        );
        let began = self.began();
        let runs = &began[earlier_runs..];
        assert!(
            began.is_sorted() && runs.len() > kills as usize,
            "{began:?}"
        );
        // The first one began before the first kill.
        assert!(
            runs[0] == before && runs[1..].iter().all(|id| *id > before),
            "each run went on from what was saved: {runs:?}"
        );
        // What came in runs that were killed is in no version that is seen.
        let expected = reached / 2 - runs[runs.len() - 1] / 2;
        assert_eq!(self.whole().await, [format!("{expected} 1")]);
    }
}

async fn read_and_kill(kills: u32) {
    let mut counting = Counting::start().await;
    // A first version of the table, which stays what it is until the next one is complete.
    counting.write("upto", "10");
    let (platform, source) = (&counting.platform, counting.source);
    platform.sync(source).await.succeeded();
    assert_eq!(counting.whole().await, ["5 1"]);
    let mut left = kills;
    while left > 0 {
        let now = left.min(OF_ONE_JOB);
        counting.job(now).await;
        left -= now;
    }
}
