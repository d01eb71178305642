//! A server with one account, and the calls that a platform makes on it.

use std::time::Duration;

use reqwest::redirect::Policy;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::server::{ApiClient, ServerProcess, ServerSettings};
use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};

/// Longer than any check or run of these tests takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// How the tests' servers are started when nothing is to be special.
pub(crate) fn settings() -> ServerSettings {
    ServerSettings::new(env!("CARGO_BIN_EXE_selvedge"))
}

/// A server process with a data directory of its own, and an account on it.
pub(crate) struct Platform {
    pub(crate) server: ServerProcess,
    /// Calls the server in the account's name.
    pub(crate) api: ApiClient,
    pub(crate) account: i64,
    token: String,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        Self::start_with(settings()).await
    }

    /// The partner comes from the command line while the server runs, the account from the partner.
    pub(crate) async fn start_with(settings: ServerSettings) -> Self {
        let server = ServerProcess::start(settings).await;
        let partner = server
            .run_json(&["partner", "create", "--name", "Acme", "--json"])
            .await;
        let body = json!({
            "partner_id": partner["partner_id"],
            "partner_secret": partner["partner_secret"],
            "first_name": "Ada",
            "last_name": "Quick",
            "company": "Shop",
            "email": "ada@shop.example",
            "region": "us-east-1",
        });
        let account = server
            .client()
            .post("/v3/accounts", &body)
            .await
            .status(200);
        let token = text(&account["access_token"]);
        Self {
            api: server.client().with_token(&token),
            account: number(&account["stitch_account_id"]),
            server,
            token,
        }
    }

    /// The account's access token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Starts the server again after its end; it listens on another port.
    pub(crate) async fn restart(&mut self) {
        self.server.restart().await;
        self.api = self.server.client().with_token(&self.token);
    }

    pub(crate) async fn kill_and_restart(&mut self) {
        self.server.kill().await;
        self.restart().await;
    }

    /// Creates a destination and waits until its check has succeeded.
    pub(crate) async fn destination(&self, body: &Value) -> i64 {
        let created = self.api.post("/v4/destinations", body).await.status(200);
        let id = number(&created["id"]);
        let check = self.check(&format!("/v4/destinations/{id}")).await;
        assert_eq!(check["status"], "succeeded", "{check}");
        id
    }

    /// Creates a source, waits until its check has succeeded, and pauses it: its jobs are those that the test starts.
    pub(crate) async fn source(&self, body: &Value) -> i64 {
        let created = self.api.post("/v4/sources", body).await.status(200);
        let id = number(&created["id"]);
        let paused = json!({ "paused_at": "2031-02-03T00:00:00Z" });
        let path = format!("/v4/sources/{id}");
        self.api.put(&path, &paused).await.status(200);
        let check = self.check(&path).await;
        assert_eq!(check["status"], "succeeded", "{check}");
        id
    }

    /// The newest check of `/v4/sources/ID` or `/v4/destinations/ID`, when it has ended.
    pub(crate) async fn check(&self, connection: &str) -> Value {
        let path = format!("{connection}/last-connection-check");
        wait_until("the end of the check", PATIENCE, async || {
            let check = self.api.get(&path).await.status(200);
            if check["status"] == "running" {
                Err(check)
            } else {
                Ok(check)
            }
        })
        .await
    }

    /// Streams of a source as the API lists them.
    pub(crate) async fn streams(&self, source: i64) -> Vec<Value> {
        let path = format!("/v4/sources/{source}/streams");
        let listed = self.api.get(&path).await.status(200);
        listed.as_array().expect("streams are an array").clone()
    }

    /// The listed stream of this name.
    pub(crate) async fn stream(&self, source: i64, name: &str) -> Value {
        let streams = self.streams(source).await;
        let found = streams.iter().find(|stream| stream["stream_name"] == name);
        found
            .unwrap_or_else(|| panic!("{name} is not listed: {streams:?}"))
            .clone()
    }

    /// Changes metadata of the stream of this name; `entries` are pairs of breadcrumb and metadata.
    pub(crate) async fn set_metadata(&self, source: i64, stream: &str, entries: Value) {
        let id = self.stream(source, stream).await["tap_stream_id"].clone();
        let body = json!({ "streams": [{ "tap_stream_id": id, "metadata": entries }] });
        let path = format!("/v4/sources/{source}/streams/metadata");
        let answer = self.api.put(&path, &body).await.status(200);
        assert_eq!(answer, json!({ "status": 200 }));
    }

    /// Starts a job and returns its name.
    pub(crate) async fn start_sync(&self, source: i64) -> String {
        let path = format!("/v4/sources/{source}/sync");
        let answer = self.api.post(&path, &Value::Null).await.status(200);
        assert!(answer["job_name"].is_string(), "no job started: {answer}");
        text(&answer["job_name"])
    }

    /// The job that waits or runs, with its progress; null when there is none.
    pub(crate) async fn progress(&self, source: i64) -> Value {
        let path = format!("/v4/sources/{source}/sync");
        self.api.get(&path).await.status(200)
    }

    /// The extraction record of a job, when it has ended.
    pub(crate) async fn ended(&self, job_name: &str) -> Extraction {
        let path = format!("/v4/{}/extractions", self.account);
        let what = format!("the end of {job_name}");
        let found = wait_until(&what, PATIENCE, async || {
            let page = self.api.get(&path).await.status(200);
            let jobs = page["data"].as_array().expect("a page has data").clone();
            let found = jobs.iter().find(|job| job["job_name"] == job_name);
            found.cloned().ok_or(jobs)
        });
        Extraction(found.await)
    }

    /// Runs a job to its end, however that is.
    pub(crate) async fn sync(&self, source: i64) -> Extraction {
        let job_name = self.start_sync(source).await;
        self.ended(&job_name).await
    }

    /// The loads of the account by table.
    pub(crate) async fn load(&self, table: &str) -> Value {
        let path = format!("/v4/{}/loads", self.account);
        let page = self.api.get(&path).await.status(200);
        let loads = page["data"].as_array().expect("a page has data");
        let found = loads.iter().find(|load| load["stream_name"] == table);
        found
            .unwrap_or_else(|| panic!("{table} is not among the loads: {page}"))
            .clone()
    }

    /// The address of a job's log, as the API redirects to it.
    pub(crate) async fn log_address(&self, job_name: &str) -> String {
        let account = self.account;
        let url = format!("{}/v4/{account}/extractions/{job_name}", self.server.base());
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .expect("a client without TLS settings can be built");
        let answer = http
            .get(url)
            .bearer_auth(&self.token)
            .send()
            .await
            .expect("the server answers");
        assert_eq!(answer.status(), 302);
        let location = answer.headers()["location"].to_str();
        let location = location.expect("an address is ASCII").to_owned();
        assert_eq!(answer.text().await.expect("a body"), "");
        location
    }

    /// The text of a job's log, fetched without a token.
    pub(crate) async fn log(&self, job_name: &str) -> String {
        let address = self.log_address(job_name).await;
        let answer = reqwest::get(address).await.expect("the server answers");
        assert_eq!(answer.status(), 200);
        assert_eq!(
            answer.headers()["content-type"],
            "text/plain; charset=utf-8"
        );
        answer.text().await.expect("a log is text")
    }
}

/// The record of a job that has ended.
#[derive(Debug)]
pub(crate) struct Extraction(pub(crate) Value);

impl Extraction {
    pub(crate) fn job_name(&self) -> &str {
        self.0["job_name"].as_str().expect("a job has a name")
    }

    /// Exit statuses of discovery, tap and target.
    pub(crate) fn statuses(&self) -> [Option<i64>; 3] {
        ["discovery", "tap", "target"].map(|phase| self.0[format!("{phase}_exit_status")].as_i64())
    }

    /// What a phase has to say; empty for null.
    pub(crate) fn description(&self, phase: &str) -> &str {
        self.0[format!("{phase}_description")]
            .as_str()
            .unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.statuses(), [Some(0), Some(0), Some(0)], "{}", self.0);
        self
    }
}

/// Body that creates a PostgreSQL source; its tables arrive in the schema `shop`.
pub(crate) fn source_body(database: &TestDatabase) -> Value {
    json!({
        "type": "platform.hp-postgres",
        "display_name": "Shop",
        "properties": {
            "host": database.host,
            "port": database.port.to_string(),
            "user": database.user,
            "password": database.password,
            "dbname": database.name,
            "ssl": "false",
        },
    })
}

/// Body that creates a PostgreSQL destination.
pub(crate) fn destination_body(database: &TestDatabase) -> Value {
    json!({
        "type": "postgres",
        "properties": {
            "host": database.host,
            "port": database.port.to_string(),
            "username": database.user,
            "password": database.password,
            "database": database.name,
            "ssl": "false",
        },
    })
}

#[track_caller]
pub(crate) fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("{value} is not an integer"))
}

#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is not a string"))
        .to_owned()
}
