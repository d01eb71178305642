//! Post-load hooks: who is told what, how often, and that nobody is forgotten.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use selvedge_testkit::server::ServerSettings;
use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::pipeline::Pipeline;
use crate::platform::{PATIENCE, Platform, number, settings, text};

const ORDERS: &str = "
    create table orders (id integer primary key, rev integer, lines jsonb);
    insert into orders values
      (1, 10, '[{\"sku\": \"a\"}, {\"sku\": \"b\"}]'), (2, 11, '[]'), (3, 12, '[{\"sku\": \"c\"}]');";

/// What a receiver was asked.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("a header of ASCII")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }

    /// The signature that whoever has the secret finds.
    fn expected_signature(&self, secret: &str) -> String {
        let key = secret.strip_prefix("whsec_").expect("a prefix");
        let key = STANDARD.decode(key).expect("base64");
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).expect("any key");
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&self.body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Somebody who is told of loads.
pub(crate) struct Receiver {
    address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    /// Answers as many calls as there are permits.
    permits: Arc<Semaphore>,
    _serving: JoinSet<()>,
}

impl Receiver {
    /// Gives these answers one after the other, and 204 when they are used up.
    pub(crate) async fn answering(answers: Vec<u16>) -> Self {
        let receiver = Self::silent(answers).await;
        receiver.permits.add_permits(1_000);
        receiver
    }

    /// The same, but no call is answered until [`Receiver::speak`].
    async fn silent(answers: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let permits = Arc::new(Semaphore::new(0));
        let (seen, asked) = (Arc::clone(&calls), Arc::clone(&permits));
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let target = uri.to_string();
            let number = {
                let mut calls = seen.lock().unwrap();
                calls.push(Call {
                    method,
                    target,
                    headers,
                    body,
                });
                calls.len()
            };
            let status = answers.get(number - 1).copied().unwrap_or(204);
            let asked = Arc::clone(&asked);
            async move {
                asked.acquire().await.expect("never closed").forget();
                StatusCode::from_u16(status).expect("a status")
            }
        };
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let router = Router::new().fallback(answer);
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            address,
            calls,
            permits,
            _serving: serving,
        }
    }

    fn speak(&self) {
        self.permits.add_permits(1_000);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/loads?of=shop", self.address)
    }

    fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// All calls, as soon as there are this many.
    pub(crate) async fn called(&self, times: usize) -> Vec<Call> {
        let what = format!("call {times} of the hook");
        wait_until(&what, PATIENCE, async || {
            let calls = self.calls();
            match calls.len() >= times {
                true => Ok(calls),
                false => Err(calls),
            }
        })
        .await
    }
}

/// A server whose calls are repeated at once, and its configuration.
fn impatient() -> (TempDir, ServerSettings) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("selvedge.toml");
    std::fs::write(&config, "[hooks]\nretry_after_seconds = [0, 0, 0, 0, 0]\n").unwrap();
    let settings = settings().environment("SELVEDGE_CONFIG", config.display().to_string());
    (folder, settings)
}

const HOOKS: &str = "/notifications/public/v1/api/hooks";

/// Adds a hook to the account's one destination.
pub(crate) async fn add_hook(platform: &Platform, url: &str) -> Value {
    let destinations = platform.api.get("/v4/destinations").await.status(200);
    let body = json!({
        "type": "post_load", "destination_id": destinations[0]["id"], "config": { "url": url },
    });
    platform.api.post(HOOKS, &body).await.status(200)
}

/// Removes what differs from run to run, after a look at its form.
fn without_instants(mut payload: Value) -> Value {
    let instant = |value: &mut Value| {
        let text = text(value);
        assert!(text.len() == 24 && text.ends_with('Z'), "{text}");
        *value = json!("T");
    };
    instant(&mut payload["minimum_sdc_batched_at"]);
    for table in payload["tables"].as_array_mut().expect("tables") {
        instant(&mut table["max_time_extracted"]);
    }
    payload
}

#[tokio::test]
async fn each_load_of_a_table_is_told_once_and_signed() {
    let receiver = Receiver::answering(Vec::new()).await;
    let pipeline = Pipeline::start(ORDERS).await;
    let hook = add_hook(&pipeline.platform, &receiver.url()).await;
    let secret = text(&hook["secret"]);
    pipeline.select_incremental("orders", "rev").await;
    pipeline.sync().await;
    let call = receiver.called(1).await.remove(0);
    assert_eq!(
        (&call.method, &*call.target),
        (&Method::POST, "/loads?of=shop")
    );
    assert_eq!(call.header("user-agent"), "StitchLoadingWebhook");
    assert_eq!(call.header("content-type"), "application/json");
    assert!(call.header("webhook-id").starts_with("msg_"));
    assert_eq!(
        call.header("webhook-signature"),
        call.expected_signature(&secret)
    );
    let table = |source: &str, destination: &str, rows: u64, bookmark: Value| {
        json!({
            "source_table_name": source, "destination_table_name": destination, "num_rows": rows,
            "num_rows_rejected": 0, "bookmark_metadata": bookmark, "max_time_extracted": "T",
        })
    };
    let bookmark =
        |min: &str, max: &str| json!([{ "key": "rev", "min_value": min, "max_value": max }]);
    let payload = |tables: Vec<Value>| {
        json!({
            "version": "1.0", "minimum_sdc_batched_at": "T", "integration_name": "shop", "new_version": false,
            "source_root_table_name": "orders", "destination_root_table_name": "orders", "table_version": 0,
            "tables": tables,
        })
    };
    let expected = payload(vec![
        table("orders", "orders", 3, bookmark("10", "12")),
        table("lines", "orders__lines", 3, Value::Null),
    ]);
    assert_eq!(without_instants(call.json()), expected);
    let batched = "select to_char(min(_sdc_batched_at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') from shop.orders";
    assert_eq!(
        pipeline.arrived(batched).await,
        [text(&call.json()["minimum_sdc_batched_at"])]
    );

    // Two new rows and the one at the bookmark.
    pipeline
        .change("insert into orders values (4, 13, null), (5, 14, null)")
        .await;
    pipeline.sync().await;
    let calls = receiver.called(2).await;
    let expected = payload(vec![
        table("orders", "orders", 3, bookmark("12", "14")),
        table("lines", "orders__lines", 1, Value::Null),
    ]);
    assert_eq!(without_instants(calls[1].json()), expected);
    assert_ne!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
}

#[tokio::test]
async fn a_replacement_is_a_new_version_and_only_enabled_hooks_are_called() {
    let (loud, quiet) = (
        Receiver::answering(Vec::new()).await,
        Receiver::answering(Vec::new()).await,
    );
    let pipeline = Pipeline::start(ORDERS).await;
    add_hook(&pipeline.platform, &loud.url()).await;
    let disabled = number(&add_hook(&pipeline.platform, &quiet.url()).await["id"]);
    let path = format!("{HOOKS}/{disabled}");
    let api = &pipeline.platform.api;
    api.put(&path, &json!({ "enable": false }))
        .await
        .status(200);
    pipeline.select_full("orders").await;
    pipeline.sync().await;
    let payload = loud.called(1).await[0].json();
    assert_eq!(payload["new_version"], true);
    let version = "select distinct _sdc_table_version from shop.orders";
    assert_eq!(
        pipeline.arrived(version).await,
        [payload["table_version"].to_string()]
    );
    assert_eq!(payload["tables"][0]["bookmark_metadata"], Value::Null);
    assert!(quiet.calls().is_empty());
}

#[tokio::test]
async fn a_call_that_fails_is_made_again_under_the_same_id() {
    let (_folder, settings) = impatient();
    let receiver = Receiver::answering(vec![500, 302]).await;
    let pipeline = Pipeline::start_with(settings, ORDERS, json!({})).await;
    let hook = add_hook(&pipeline.platform, &receiver.url()).await;
    pipeline.select_full("orders").await;
    pipeline.sync().await;
    let calls = receiver.called(3).await;
    for call in &calls {
        assert_eq!(call.header("webhook-id"), calls[0].header("webhook-id"));
        assert_eq!(call.body, calls[0].body);
        let signature = call.expected_signature(&text(&hook["secret"]));
        assert_eq!(call.header("webhook-signature"), signature);
    }
    // The message was taken: the next call is that of the next load.
    pipeline.sync().await;
    let calls = receiver.called(4).await;
    assert_ne!(calls[2].header("webhook-id"), calls[3].header("webhook-id"));
}

#[tokio::test]
async fn six_failures_end_a_message_and_the_operator_reads_of_it() {
    let (_folder, settings) = impatient();
    let receiver = Receiver::answering(vec![503; 6]).await;
    let pipeline = Pipeline::start_with(settings, ORDERS, json!({})).await;
    let hook = number(&add_hook(&pipeline.platform, &receiver.url()).await["id"]);
    pipeline.select_full("orders").await;
    pipeline.sync().await;
    let server = &pipeline.platform.server;
    let line = wait_until("the end of the message", PATIENCE, async || {
        let log = server.log();
        let found = log.lines().find(|line| line.contains("is given up"));
        found.map(str::to_owned).ok_or(log.clone())
    })
    .await;
    for told in [
        "critical".to_owned(),
        pipeline.platform.account.to_string(),
        hook.to_string(),
        "status 503".to_owned(),
    ] {
        assert!(line.contains(&told), "{told}: {line}");
    }
    assert_eq!(receiver.calls().len(), 6);
    let load = pipeline.platform.load("orders").await;
    assert!(load["error_state"].is_null(), "{load}");
    // It is gone: the next call is that of the next load.
    pipeline.sync().await;
    let calls = receiver.called(7).await;
    assert_ne!(calls[5].header("webhook-id"), calls[6].header("webhook-id"));
}

#[tokio::test]
async fn a_message_outlives_the_server_that_was_delivering_it() {
    let receiver = Receiver::silent(Vec::new()).await;
    let mut pipeline = Pipeline::start(ORDERS).await;
    add_hook(&pipeline.platform, &receiver.url()).await;
    pipeline.select_full("orders").await;
    pipeline.sync().await;
    let first = receiver.called(1).await.remove(0);
    pipeline.platform.kill_and_restart().await;
    receiver.speak();
    let second = receiver.called(2).await.remove(1);
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
}
