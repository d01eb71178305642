//! When rows were last received, which the operator can see.

use std::time::Duration;

use serde_json::{Value, json};

use super::Pushed;

#[tokio::test]
async fn it_is_known_when_rows_were_last_received() {
    let mut pushed = Pushed::start().await;
    let account = pushed.platform.account.to_string();
    let arguments = ["account", "sources", &account, "--json"];
    let record = json!([{
        "client_id": pushed.platform.account, "table_name": "t", "sequence": 1, "action": "upsert",
        "key_names": ["id"], "data": { "id": 1 },
    }]);
    let validated = pushed.post("/v2/import/validate", &record).await;
    assert_eq!(validated.status, 200);
    let listed = pushed.platform.server.run_json(&arguments).await;
    assert_eq!(listed["source_id"], pushed.source);
    assert_eq!(listed["type"], "import_api");
    assert_eq!(listed["rows_received_at"], Value::Null);
    let shown = pushed.platform.server.run(&arguments[..3]).await;
    assert!(String::from_utf8_lossy(&shown.stdout).contains("never"));

    pushed.post("/v2/import/push", &record).await.accepted();
    // A server that stops writes down what it has not yet.
    let ended = pushed
        .platform
        .server
        .terminate(Duration::from_secs(30))
        .await;
    assert!(ended.success());
    let listed = pushed.platform.server.run_json(&arguments).await;
    let received = listed["rows_received_at"].as_str().expect("an instant");
    assert!(received >= created(&pushed).await.as_str(), "{received}");
}

/// When the account was.
async fn created(pushed: &Pushed) -> String {
    let listed = pushed
        .platform
        .server
        .run_json(&["account", "list", "--json"])
        .await;
    listed["created_at"]
        .as_str()
        .expect("an instant")
        .to_owned()
}
