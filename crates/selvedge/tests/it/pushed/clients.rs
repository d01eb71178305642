//! Other people's programs push: the public Singer target for this API, fed with what a real tap wrote, and the public client
//! library. `cargo xtask test` installs them.

use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::process::Command;

use super::Pushed;
use crate::clients::{SCRIPTS, succeeds};

/// The interpreter with the packages of `tests/python/pushers.txt`.
fn python() -> PathBuf {
    std::env::var_os("SELVEDGE_TEST_PUSHERS")
        .map(PathBuf::from)
        .expect("run the tests with `cargo xtask test`, which sets SELVEDGE_TEST_PUSHERS")
}

#[tokio::test]
async fn the_public_target_loads_what_a_public_tap_wrote() {
    // Written by tap-jsonl 0.3.1, 300 records with lists and objects.
    let output = Path::new(SCRIPTS).join("tap_jsonl_output.jsonl");
    let output = std::fs::read_to_string(output).unwrap();
    let last_state = output.lines().rfind(|line| line.contains("\"STATE\""));
    let last_state: serde_json::Value = serde_json::from_str(last_state.unwrap()).unwrap();
    let pushed = Pushed::start().await;
    let endpoint = format!("{}/v2/import/batch", pushed.platform.server.base());
    let config = json!({
        "token": pushed.token, "client_id": pushed.platform.account, "small_batch_url": endpoint,
        "big_batch_url": endpoint, "disable_collection": true, "turbo_boost_factor": 3,
        "batch_size_preferences": { "user_batch_size_ceiling": 4_000 },
    });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.json");
    std::fs::write(&file, config.to_string()).unwrap();
    let mut target = Command::new(python().with_file_name("target-stitch"));
    target.arg("--config").arg(&file);
    let state = succeeds(&mut target, &output).await;
    let state = state.lines().last().expect("the target tells the state");
    let state: serde_json::Value = serde_json::from_str(state).unwrap();
    assert_eq!(state, last_state["value"]);

    let query = "select count(*)::text, concat_ws(' ', sum(id), count(label), sum(weight), max(size__cm),
            count(*) filter (where size__soft), count(_sdc_extracted_at), count(distinct _sdc_sequence))
        from pushed.parcels";
    pushed
        .rows_become(query, &[("300", "44850 200 11212.5 598 150 300 300")])
        .await;
    let query =
        "select count(*)::text, count(distinct _sdc_source_key_id)::text from pushed.parcels__tags";
    pushed.rows_become(query, &[("300", "200")]).await;
}

#[tokio::test]
async fn the_public_client_library_pushes_transit() {
    let pushed = Pushed::start().await;
    let given = json!({
        "base": pushed.platform.server.base(), "token": pushed.token, "account": pushed.platform.account,
    });
    let mut script = Command::new(python());
    script.arg(Path::new(SCRIPTS).join("push_with_client.py"));
    let said = succeeds(&mut script, &given.to_string()).await;
    assert_eq!(said.trim(), "pushed 1000 records");
    let query = "select count(*)::text, concat_ws(' ', min(at), max(at), count(distinct name), min(name)) from pushed.visits";
    let expected = "2024-05-01 00:00:00 2024-06-11 15:00:00 7 ~visitor 0";
    pushed.rows_become(query, &[("1000", expected)]).await;
    let query = "select count(*)::text, min(value) from pushed.visits__pages";
    pushed.rows_become(query, &[("2000", "end")]).await;
}
