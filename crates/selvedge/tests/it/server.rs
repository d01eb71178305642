//! The server as a process: start, end, health, tokens, logs, memory.

use std::time::Duration;

use selvedge_testkit::server::ServerProcess;
use serde_json::{Value, json};

use crate::command_line::text;
use crate::pipeline::Pipeline;
use crate::platform::{Platform, settings};

const SOON: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let server = ServerProcess::start(settings()).await;
    let refused = server.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(!refused.status.success());
    let error = text(&refused.stderr);
    let directory = server
        .data_dir()
        .canonicalize()
        .unwrap()
        .display()
        .to_string();
    assert!(
        error.contains("another server already runs") && error.contains(&directory),
        "{error}"
    );
    assert!(error.contains("--data-dir"), "it says what to do: {error}");
    server.client().get("/healthz").await.status(200);
}

#[tokio::test]
async fn it_says_where_it_listens_and_answers_there() {
    let server = ServerProcess::start(settings()).await;
    assert!(!server.base().ends_with(":0"), "{}", server.base());
    assert!(server.log().contains(server.base()), "{}", server.log());
    let client = server.client();
    assert_eq!(
        client.get("/healthz").await.status(200),
        json!({ "status": "ok" })
    );
    assert_eq!(
        client.get("/readyz").await.status(200),
        json!({ "status": "ready" })
    );
    let landing = client.get("/").await;
    assert!(
        landing.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let page = landing.status(200);
    let page = page.as_str().expect("a page is no JSON");
    assert!(
        page.contains("Selvedge") && page.contains(env!("CARGO_PKG_VERSION")),
        "{page}"
    );
    let unknown = client.post("/", &json!({})).await.status(404);
    assert_eq!(unknown["error"], "NotFound", "pages keep the API's manners");
    let unknown = client.get("/nowhere").await.status(404);
    assert_eq!(unknown["error"], "NotFound");
    let unauthorized = client.get("/v4/sources").await.status(401);
    assert_eq!(unauthorized["error"], "Unauthorized");
}

#[tokio::test]
async fn both_signals_end_it_cleanly_and_it_starts_again() {
    let mut server = ServerProcess::start(settings()).await;
    // An open connection must not hold it.
    let client = server.client();
    client.get("/healthz").await.status(200);
    let status = server.terminate(SOON).await;
    assert_eq!(status.code(), Some(0), "{}", server.log());
    server.restart().await;
    server.client().get("/readyz").await.status(200);
    let status = server.interrupt(SOON).await;
    assert_eq!(status.code(), Some(0), "{}", server.log());
}

#[tokio::test]
async fn tokens_come_and_go_while_it_runs() {
    let platform = Platform::start().await;
    let account = platform.account.to_string();
    let minted = platform
        .server
        .run_json(&["account", "token", &account, "--json"])
        .await;
    let token = minted["access_token"].as_str().expect("a token");
    let api = platform.server.client().with_token(token);
    assert_eq!(api.get("/v4/sources").await.status(200), json!([]));

    let id = minted["token_id"].to_string();
    let revoked = platform
        .server
        .run(&["account", "token", &account, "--revoke", &id])
        .await;
    assert!(revoked.status.success(), "{}", text(&revoked.stderr));
    api.get("/v4/sources").await.status(401);
    platform.api.get("/v4/sources").await.status(200);
    let listed = platform
        .server
        .run(&["account", "token", &account, "--list", "--json"])
        .await;
    assert!(
        !text(&listed.stdout).contains(token),
        "a listing never shows tokens"
    );
    assert!(!platform.server.log().contains(token), "nor does the log");
}

#[tokio::test]
async fn a_disabled_partner_makes_no_more_accounts_and_its_accounts_stay() {
    let platform = Platform::start().await;
    let partner = platform
        .server
        .run_json(&["partner", "create", "--name", "Other", "--json"])
        .await;
    let id = partner["partner_id"].as_str().expect("an id").to_owned();
    let body = |email: &str| {
        json!({
            "partner_id": partner["partner_id"], "partner_secret": partner["partner_secret"], "first_name": "B",
            "last_name": "C", "company": "D", "email": email, "region": "eu-central-1",
        })
    };
    let client = platform.server.client();
    let account = client
        .post("/v3/accounts", &body("b@example.com"))
        .await
        .status(200);
    assert!(
        platform
            .server
            .run(&["partner", "disable", &id])
            .await
            .status
            .success()
    );
    client
        .post("/v3/accounts", &body("c@example.com"))
        .await
        .status(400);
    let token = account["access_token"].as_str().expect("a token");
    client
        .with_token(token)
        .get("/v4/sources")
        .await
        .status(200);
}

#[tokio::test]
async fn without_a_terminal_its_log_is_json() {
    let platform = Platform::start().await;
    let log = platform.server.log();
    let (json_lines, others): (Vec<_>, Vec<_>) = log
        .lines()
        .partition(|line| serde_json::from_str::<Value>(line).is_ok());
    assert!(
        others.iter().all(|line| line.contains("listens on")),
        "only the greeting is for people: {others:?}"
    );
    assert!(!json_lines.is_empty(), "{log}");
    for line in json_lines {
        let line: Value = serde_json::from_str(line).unwrap();
        for key in ["timestamp", "level", "message", "target"] {
            assert!(line[key].is_string(), "{line} has no {key}");
        }
    }
}

/// Peak memory in mebibytes that a run of 300,000 rows may bring the server to.
const MOST_MEMORY: u64 = 100;

#[tokio::test]
async fn a_large_table_takes_no_more_memory_than_a_small_one() {
    let pipeline = Pipeline::start(
        "create table events (id bigint primary key, at timestamp, kind text, amount numeric(12,2), page text, body text);
         insert into events
           select i, timestamp '2031-01-01' + i * interval '1 second', 'kind ' || i % 7, i % 1000 + 0.25,
             '/products/' || i % 500, repeat('lorem ipsum ', 10)
           from generate_series(1, 300000) i;",
    )
    .await;
    pipeline.select_incremental("events", "id").await;
    pipeline.sync().await;
    pipeline.select_full("events").await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.count("select count(*) from shop.events").await,
        300_000
    );
    let peak = pipeline.platform.server.peak_memory() >> 20;
    assert!(
        peak < MOST_MEMORY,
        "the server's resident set was {peak} MiB at its peak"
    );
}
