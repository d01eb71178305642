//! The server driven by other people's tools: the public Python client, a validator of its OpenAPI document, and a tool that
//! makes up requests from that document. `cargo xtask test` installs them.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use selvedge_testkit::effort;
use selvedge_testkit::postgres::TestDatabase;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::command_line::text;
use crate::pipeline::execute;
use crate::platform::{Platform, destination_body, source_body};

pub(crate) const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python");

/// The interpreter with the packages of `tests/python/requirements.txt`.
fn python() -> PathBuf {
    std::env::var_os("SELVEDGE_TEST_PYTHON")
        .map(PathBuf::from)
        .expect("run the tests with `cargo xtask test`, which sets SELVEDGE_TEST_PYTHON")
}

/// Runs a tool to its end; what it printed is the failure.
pub(crate) async fn succeeds(command: &mut Command, input: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the interpreter starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin.write_all(input.as_bytes()).await.expect("it reads");
    drop(stdin);
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().await.expect("it ends");
    assert!(
        status.success(),
        "{status}\n{}\n{}",
        text(&stdout),
        text(&stderr)
    );
    text(&stdout)
}

#[tokio::test]
async fn the_public_python_client_works_in_every_operation() {
    let (from, to) = (TestDatabase::create().await, TestDatabase::create().await);
    execute(
        &from.connect().await,
        "create table orders (id bigint primary key, total numeric(10,2));
         insert into orders select i, i from generate_series(1, 50000) i;",
    )
    .await;
    let platform = Platform::start().await;
    let given = json!({
        "base": platform.server.base(), "token": platform.token(), "account": platform.account,
        "source": source_body(&from)["properties"], "destination": destination_body(&to)["properties"],
    });
    let mut command = Command::new(python());
    command.arg(Path::new(SCRIPTS).join("connect_client.py"));
    let said = succeeds(&mut command, &given.to_string()).await;
    assert!(said.contains("15 operations"), "{said}");
}

#[tokio::test]
async fn a_public_validator_finds_the_openapi_document_valid() {
    let platform = Platform::start().await;
    let document: Value = platform
        .server
        .client()
        .get("/openapi.json")
        .await
        .status(200);
    let mut command = Command::new(python());
    command.args(["-m", "openapi_spec_validator", "--schema", "3.1", "-"]);
    let said = succeeds(&mut command, &document.to_string()).await;
    assert!(said.contains("OK"), "{said}");
}

/// Requests are made up from the OpenAPI document, right ones and wrong ones, one by one and in chains; every answer must be
/// as documented. `schemathesis.toml` says which checks are off, and why.
#[tokio::test]
async fn random_requests_get_the_answers_that_the_document_names() {
    let platform = Platform::start().await;
    let api = &platform.api;
    let source = async |body: Value| api.post("/v4/sources", &body).await.status(200)["id"].clone();
    let pushed = source(json!({"type": "import_api", "display_name": "Pushed"})).await;
    let token = api
        .post(&format!("/v4/sources/{pushed}/tokens"), &Value::Null)
        .await
        .status(200);
    let events = json!({"type": "webhook.incoming-webhook", "display_name": "Events"});
    let (account, events) = (
        platform.account.to_string(),
        source(events).await.to_string(),
    );
    let webhook = platform
        .server
        .run_json(&["webhook", "create", &account, &events, "--json"])
        .await;
    let webhook = webhook["path"].as_str().expect("it is a text");
    let webhook = webhook.trim_start_matches("/v2/webhooks/");
    let seeds = effort::seeds(1);
    // One run with as many times the requests as there are seeds: under `cargo xtask soak` that is minutes, not seconds.
    let effort = seeds.clone().count().clamp(1, 50);
    let mut command = Command::new(python());
    command
        .args([
            "-c",
            "from schemathesis.cli import schemathesis; schemathesis()",
        ])
        .arg("--config-file")
        .arg(Path::new(SCRIPTS).join("schemathesis.toml"))
        .arg("run")
        .arg(format!("{}/openapi.json", platform.server.base()))
        .args(["--seed", &seeds.start.to_string()])
        .args(["--max-examples", &(5 * effort).to_string()])
        // It keeps what it found in the working directory.
        .current_dir(platform.server.data_dir())
        .env("SELVEDGE_TOKEN", platform.token())
        .env("SELVEDGE_ACCOUNT", &account)
        .env("SELVEDGE_WEBHOOK", webhook)
        .env(
            "SELVEDGE_IMPORT_TOKEN",
            token["access_token"].as_str().expect("it is a text"),
        );
    let said = succeeds(&mut command, "").await;
    assert!(said.contains("No issues found"), "{said}");
    assert!(
        !said.contains("Selected: 0/"),
        "it found operations: {said}"
    );
}
