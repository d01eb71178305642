//! An account that sends as much as it can does not hold up what another one sends.
//!
//! The bound is wide, because processors are busy in tests. What it catches are queues that accounts share: there a small body
//! waits until large ones are checked, which takes seconds.

use std::io::Write as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::{client, said, upsert};
use crate::platform::{PATIENCE, Platform, number, settings, text};

/// More of the flood's bodies than fit into the memory that bodies may take, and than there are processors to check them.
const FLOODING_CONNECTIONS: usize = 16;
const FLOODING_RECORDS: i64 = 20_000;
/// Every other one is a push of one record, which is looked at where it is read; the others are batches large enough to wait
/// for a processor of their own.
const MODEST_REQUESTS: usize = 200;
const MODEST_RECORDS: i64 = 250;
const MODEST_PACE: Duration = Duration::from_millis(10);
/// Where requests are held up, fewer of them are enough to see it.
const LONGEST: Duration = Duration::from_secs(10);

/// Under the flood, the slowest but one in a hundred takes at most so many times what it takes in quiet …
const FACTOR: u32 = 10;
/// … or this long.
const ALWAYS_ALLOWED: Duration = Duration::from_millis(250);

/// Less memory than the flood's bodies need together; nothing is loaded meanwhile.
const CONFIG: &str = "[intake]\nmemory_mib = 40\nload_after_seconds = 3600\nload_records = 1000000000\nload_mib = 1000000\n";

#[tokio::test]
async fn a_flood_of_one_account_does_not_hold_up_another() {
    let mut config = tempfile::NamedTempFile::new().unwrap();
    config.write_all(CONFIG.as_bytes()).unwrap();
    let path = config.path().display().to_string();
    let platform = Platform::start_with(settings().argument("--config").argument(path)).await;
    let modest = Sender::create(&platform, "modest").await;
    let flooding = Sender::create(&platform, "flooding").await;

    let quiet = modest.slow_at_a_modest_pace().await;
    let mut flood = Flood::start(&flooding);
    flood.gets_through(1).await;
    let before = *flood.accepted.borrow();
    let flooded = modest.slow_at_a_modest_pace().await;
    let accepted = *flood.accepted.borrow() - before;

    assert!(accepted > 0, "there was no flood");
    let allowed = ALWAYS_ALLOWED.max(FACTOR * quiet);
    assert!(
        flooded <= allowed,
        "p99 is {flooded:?} beside {accepted} large bodies and {quiet:?} without; {allowed:?} are allowed"
    );
    println!("p99 in quiet {quiet:?}, beside {accepted} large bodies {flooded:?}");
}

/// An account with a source that is pushed to.
struct Sender {
    http: reqwest::Client,
    base: String,
    token: String,
    account: i64,
}

/// Connections that send large bodies one after the other, until this is dropped.
struct Flood {
    accepted: watch::Receiver<u64>,
    _connections: JoinSet<()>,
}

impl Sender {
    async fn create(platform: &Platform, name: &str) -> Self {
        let partner = platform
            .server
            .run_json(&["partner", "create", "--name", name, "--json"])
            .await;
        let body = json!({
            "partner_id": partner["partner_id"], "partner_secret": partner["partner_secret"],
            "first_name": "Ada", "last_name": "Quick", "company": name,
            "email": format!("{name}@shop.example"), "region": "us-east-1",
        });
        let created = platform.server.client().post("/v3/accounts", &body).await;
        let created = created.status(200);
        let api = platform.server.client();
        let api = api.with_token(text(&created["access_token"]));
        let source = json!({ "type": "import_api", "display_name": "Pushed", "properties": {} });
        let source = api.post("/v4/sources", &source).await.status(200);
        let tokens = format!("/v4/sources/{}/tokens", source["id"]);
        let token = api.post(&tokens, &Value::Null).await.status(200);
        Self {
            http: client(),
            base: platform.server.base().to_owned(),
            token: text(&token["access_token"]),
            account: number(&created["stitch_account_id"]),
        }
    }

    async fn send(&self, endpoint: &str, body: Bytes) {
        let request = self
            .http
            .post(format!("{}/v2/import/{endpoint}", self.base))
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        said(request).await.accepted();
    }

    /// What 99 of 100 requests do not exceed, each sent some time after the one before was answered.
    async fn slow_at_a_modest_pace(&self) -> Duration {
        let record = json!([{
            "client_id": self.account, "table_name": "visits", "sequence": 1, "action": "upsert",
            "key_names": ["id"], "data": { "id": 1, "page": "/start" },
        }]);
        let (push, batch) = (Bytes::from(record.to_string()), batch(MODEST_RECORDS));
        let mut pace = tokio::time::interval(MODEST_PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut took = Vec::new();
        let begun = Instant::now();
        for request in 0..MODEST_REQUESTS {
            if begun.elapsed() > LONGEST {
                break;
            }
            pace.tick().await;
            let sent = Instant::now();
            match request % 2 {
                0 => self.send("push", push.clone()).await,
                _ => self.send("batch", batch.clone()).await,
            }
            took.push(sent.elapsed());
        }
        took.sort_unstable();
        took[(took.len() * 99).div_ceil(100) - 1]
    }
}

impl Flood {
    fn start(sender: &Sender) -> Self {
        let (count, accepted) = watch::channel(0);
        let body = batch(FLOODING_RECORDS);
        let mut connections = JoinSet::new();
        for _ in 0..FLOODING_CONNECTIONS {
            let sender = Sender {
                http: client(),
                base: sender.base.clone(),
                token: sender.token.clone(),
                account: sender.account,
            };
            let (body, count) = (body.clone(), count.clone());
            connections.spawn(async move {
                loop {
                    sender.send("batch", body.clone()).await;
                    count.send_modify(|count| *count += 1);
                }
            });
        }
        Self {
            accepted,
            _connections: connections,
        }
    }

    async fn gets_through(&mut self, bodies: u64) {
        let enough = self.accepted.wait_for(|accepted| *accepted >= bodies);
        let enough = tokio::time::timeout(PATIENCE, enough).await;
        enough.expect("the flood gets through").unwrap();
    }
}

/// A batch of so many records of some 200 bytes.
fn batch(records: i64) -> Bytes {
    let messages: Vec<Value> = (0..records)
        .map(|id| {
            let note = format!("{id} {}", "and so on ".repeat(8));
            let record =
                json!({ "id": id, "weight": 2.5, "sent_at": "2024-05-01T10:00:00Z", "note": note });
            upsert(id, &record)
        })
        .collect();
    let body = json!({
        "table_name": "parcels",
        "schema": { "properties": {
            "id": { "type": "integer" }, "weight": { "type": "number" }, "note": { "type": "string" },
            "sent_at": { "type": "string", "format": "date-time" },
        } },
        "messages": messages,
        "key_names": ["id"],
    });
    body.to_string().into()
}
