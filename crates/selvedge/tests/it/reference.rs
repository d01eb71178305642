//! The connection property reference of the real server.

use selvedge_connectors::Registry;
use selvedge_testkit::server::ServerProcess;
use serde_json::{Value, json};

use crate::command_line::text;
use crate::platform::settings;

#[tokio::test]
async fn the_reference_says_what_the_registry_runs_and_the_command_prints_the_same() {
    let server = ServerProcess::start(settings()).await;
    let client = server.client();
    let data = client.get("/reference/connections.json").await.status(200);
    let entries = data.as_array().expect("a list of connections");
    let mut native = 0;
    for entry in entries {
        let Some(property) = entry["property"].as_str() else {
            continue;
        };
        let runs = match entry["connection_type"].as_str() {
            Some("source") => Registry::runs_source(property),
            _ => Registry::runs_destination(property),
        };
        assert_eq!(entry["runs"] == "native", runs, "{property}");
        assert_eq!(entry["object"]["runs"], entry["runs"], "{property}");
        native += u32::from(runs);
    }
    assert!(native > 5, "{native} connections run");
    let pushed = entries
        .iter()
        .find(|entry| entry["property"] == "import_api");
    assert_eq!(pushed.expect("it is listed")["runs"], "push");

    let printed = server.run(&["reference", "--format", "json"]).await;
    assert!(printed.status.success(), "{}", text(&printed.stderr));
    let printed: Value = serde_json::from_str(&text(&printed.stdout)).expect("JSON is printed");
    assert_eq!(printed, data);
    let printed = server.run(&["reference"]).await;
    assert!(text(&printed.stdout).starts_with("# Connection property reference"));
}

#[tokio::test]
async fn the_endpoints_that_the_reference_names_exist() {
    let server = ServerProcess::start(settings()).await;
    let client = server.client();
    let page = client.get("/reference/connections").await.status(200);
    let page = page.as_str().expect("a page is no JSON");
    for (method, path) in [
        ("POST", "/v4/destinations"),
        ("PUT", "/v4/destinations/{destination_id}"),
        ("POST", "/v4/sources"),
        ("PUT", "/v4/sources/{source_id}"),
    ] {
        assert!(page.contains(&format!("<code>{method} {path}</code>")));
        let path = path
            .replace("{destination_id}", "1")
            .replace("{source_id}", "1");
        let answer = match method {
            "POST" => client.post(&path, &json!({})).await,
            _ => client.put(&path, &json!({})).await,
        };
        answer.status(401);
    }
}
