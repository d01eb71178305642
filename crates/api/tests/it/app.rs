//! The real router over a store in a temporary directory, with a clock that stands still, and a worker made by hand.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use selvedge_api::AppState;
use selvedge_catalog::{ConnectionKind, OauthClients, Runs};
use selvedge_control::checks::{self, CheckResult};
use selvedge_control::plans::Plans;
use selvedge_control::streams::{StreamListing, apply_discovery};
use selvedge_control::{Control, JobLogs, LogReader, Settings};
use selvedge_net::NetworkPolicy;
use selvedge_store::jobs::{self, ClaimLimits, ClaimedJob, JobResult};
use selvedge_store::{MasterKey, Store, StoreLocation, partners};
use selvedge_testkit::clock::FakeClock;
use selvedge_testkit::described::{Answered, Described};
use selvedge_testkit::postgres::TestDatabase;
use selvedge_types::job::{JobName, JobOutcome, JobProgress, PhaseOutcome};
use selvedge_types::{AccountScope, Secret};
use serde_json::{Map, Value, json};
use tower::ServiceExt;
use utoipa::openapi::OpenApi;

/// Where the clock stands at first.
pub(crate) const NOW: &str = "2031-02-03T04:05:06Z";

pub(crate) struct TestApp {
    pub(crate) router: Router,
    pub(crate) control: Control,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) logs: Arc<MemoryLogs>,
    partner: (String, String),
    described: Described,
    _directory: Option<tempfile::TempDir>,
}

/// Somebody with an access token.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) account: i64,
    pub(crate) token: String,
}

/// An answer: its status, headers and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The body of a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()
    }

    /// Compares byte for byte.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status.as_u16(), self.text.as_str()), (status, body));
        assert_eq!(
            self.headers["content-type"],
            "application/json;charset=utf-8"
        );
    }
}

/// Logs kept in memory.
#[derive(Default)]
pub(crate) struct MemoryLogs(Mutex<HashMap<String, String>>);

impl MemoryLogs {
    pub(crate) fn write(&self, job: &JobName, text: &str) {
        self.0
            .lock()
            .unwrap()
            .insert(job.to_string(), text.to_owned());
    }
}

#[async_trait]
impl JobLogs for MemoryLogs {
    async fn open(&self, _: AccountScope, job: &JobName) -> io::Result<Option<LogReader>> {
        let text = self.0.lock().unwrap().get(&job.to_string()).cloned();
        Ok(text.map(|text| Box::pin(io::Cursor::new(text)) as LogReader))
    }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}, |state| state).await
    }

    pub(crate) async fn with(
        configure: impl FnOnce(&mut Settings),
        adjust: impl FnOnce(AppState) -> AppState,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let location = StoreLocation::SqliteFile(directory.path().join("control.db"));
        Self::on(location, Some(directory), configure, adjust).await
    }

    /// With the control plane in a PostgreSQL database of its own.
    pub(crate) async fn on_postgres() -> Self {
        Self::on_postgres_with(|_| {}).await
    }

    pub(crate) async fn on_postgres_with(configure: impl FnOnce(&mut Settings)) -> Self {
        let url = Secret::new(TestDatabase::create().await.url());
        Self::on(StoreLocation::Postgres(url), None, configure, |state| state).await
    }

    async fn on(
        location: StoreLocation,
        directory: Option<tempfile::TempDir>,
        configure: impl FnOnce(&mut Settings),
        adjust: impl FnOnce(AppState) -> AppState,
    ) -> Self {
        let store = Store::open(location, MasterKey::from_bytes([7; 32]))
            .await
            .unwrap();
        let clock = Arc::new(FakeClock::at(NOW));
        let logs = Arc::new(MemoryLogs::default());
        let mut settings = Settings {
            public_url: "https://pipes.example.com".to_owned(),
            default_region: None,
            max_destinations: 10,
            plans: Plans::default(),
            allow_http_hooks: false,
            network: NetworkPolicy::default(),
            retention_days: 60,
            oauth_clients: OauthClients::default(),
            log_signing_key: [9; 32],
        };
        configure(&mut settings);
        let control = Control::new(store, clock.clone(), Arc::new(runs), logs.clone(), settings);
        let mut tx = control.store().begin().await.unwrap();
        let (partner, secret) = partners::create(&mut tx, "Acme", &[], control.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let state = adjust(AppState::new(control.clone()));
        let router = selvedge_api::router(state, Router::new(), OpenApi::default());
        Self {
            described: Described::new(document(&router).await),
            router,
            control,
            clock,
            logs,
            partner: (partner.id, secret.expose().to_owned()),
            _directory: directory,
        }
    }

    pub(crate) fn partner_id(&self) -> &str {
        &self.partner.0
    }

    /// A valid form for a new account.
    pub(crate) fn account_form(&self, email: &str) -> Value {
        json!({
            "partner_id": self.partner.0, "partner_secret": self.partner.1, "first_name": "Ada",
            "last_name": "Byron", "company": "Acme", "email": email, "region": "us-east-1",
        })
    }

    pub(crate) async fn tenant(&self, email: &str) -> Tenant {
        let body = self.account_form(email);
        let created = self
            .send("POST", "/v3/accounts", None, Some(&body))
            .await
            .ok();
        Tenant {
            account: created["stitch_account_id"].as_i64().unwrap(),
            token: created["access_token"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let body = body.map(|body| body.to_string().into_bytes());
        let authorization = token.map(|token| format!("Bearer {token}"));
        self.send_raw(
            method,
            path,
            authorization.as_deref(),
            body.unwrap_or_default(),
        )
        .await
    }

    pub(crate) async fn send_raw(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let mut headers = Vec::new();
        headers.extend(authorization.map(|value| ("authorization", value)));
        self.send_with(method, path, &headers, body).await
    }

    pub(crate) async fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send_request(request.body(body.into()).unwrap()).await
    }

    /// Sends a request as it is. Whatever is answered is held against the OpenAPI document.
    pub(crate) async fn send_request(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = answer(&self.router, request).await;
        self.described.check(Answered {
            method: &method,
            path: &path,
            status: answer.status,
            headers: &answer.headers,
            text: &answer.text,
        });
        answer
    }

    pub(crate) async fn get(&self, tenant: &Tenant, path: &str) -> Answer {
        self.send("GET", path, Some(&tenant.token), None).await
    }

    pub(crate) async fn post(&self, tenant: &Tenant, path: &str, body: Value) -> Answer {
        self.send("POST", path, Some(&tenant.token), Some(&body))
            .await
    }

    pub(crate) async fn put(&self, tenant: &Tenant, path: &str, body: Value) -> Answer {
        self.send("PUT", path, Some(&tenant.token), Some(&body))
            .await
    }

    pub(crate) async fn delete(&self, tenant: &Tenant, path: &str) -> Answer {
        self.send("DELETE", path, Some(&tenant.token), None).await
    }

    /// A PostgreSQL destination; its id.
    pub(crate) async fn destination(&self, tenant: &Tenant) -> i64 {
        let body = json!({"type": "postgres", "properties": postgres_destination()});
        self.post(tenant, "/v4/destinations", body).await.ok()["id"]
            .as_i64()
            .unwrap()
    }

    /// A PostgreSQL source with complete settings; its id.
    pub(crate) async fn source(&self, tenant: &Tenant, display_name: &str) -> i64 {
        let body = json!({
            "type": "platform.postgres", "display_name": display_name, "properties": postgres_source(),
        });
        self.post(tenant, "/v4/sources", body).await.ok()["id"]
            .as_i64()
            .unwrap()
    }

    /// A source that is discovered, has `orders` selected and is mapped to a destination of its own.
    pub(crate) async fn configured_source(&self, tenant: &Tenant, display_name: &str) -> i64 {
        self.destination(tenant).await;
        let source = self.source(tenant, display_name).await;
        self.run_checks().await;
        self.select_orders(tenant, source).await;
        source
    }

    pub(crate) async fn select_orders(&self, tenant: &Tenant, source: i64) {
        let body = metadata_update(json!({"selected": true, "replication-method": "FULL_TABLE"}));
        let path = format!("/v4/sources/{source}/streams/metadata");
        self.put(tenant, &path, body)
            .await
            .is(200, r#"{"status":200}"#);
    }

    /// Carries out every queued check with success; sources have `orders` and `notes`.
    pub(crate) async fn run_checks(&self) {
        while let Some(job) = self.claim(true).await {
            if matches!(job.connection, selvedge_store::Connection::Source(_)) {
                assert!(
                    apply_discovery(&self.control, &job, listings())
                        .await
                        .unwrap()
                );
            }
            let result = CheckResult {
                discovery: PhaseOutcome::succeeded(),
                check: PhaseOutcome::succeeded(),
            };
            assert!(checks::complete(&self.control, &job, result).await.unwrap());
        }
    }

    /// The next queued check, or sync, as a worker gets it.
    pub(crate) async fn claim(&self, check: bool) -> Option<ClaimedJob> {
        let limits = ClaimLimits {
            checks: check,
            syncs: !check,
            running_syncs_per_account: 10,
        };
        let mut tx = self.control.store().begin().await.unwrap();
        let job = jobs::claim(&mut tx, "test", self.control.now(), 60, &limits)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        job
    }

    /// Ends a claimed sync.
    pub(crate) async fn finish(&self, job: &ClaimedJob, outcome: JobOutcome) {
        let result = JobResult {
            state: outcome.state(),
            outcome,
            check: PhaseOutcome::default(),
            progress: JobProgress::default(),
        };
        let mut tx = self.control.store().begin().await.unwrap();
        assert!(
            jobs::finish(&mut tx, &job.name, job.fence, &result, self.control.now())
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
    }
}

async fn answer(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    Answer {
        status,
        headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

async fn document(router: &Router) -> Value {
    let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
    answer(router, request).await.ok()
}

/// PostgreSQL and SQLite run here, nothing else.
fn runs(_: ConnectionKind, type_name: &str) -> Runs {
    if type_name.ends_with("postgres") || type_name.ends_with("sqlite") {
        Runs::Native
    } else {
        Runs::NotYet
    }
}

pub(crate) fn postgres_source() -> Value {
    json!({"host": "db.example.net", "port": 5432, "user": "reader", "password": "hunter2", "dbname": "shop"})
}

pub(crate) fn postgres_destination() -> Value {
    json!({"host": "pg.example.net", "port": 5432, "username": "loader", "password": "hunter2", "database": "dw", "ssl": true})
}

/// A metadata update of the stream `orders` itself.
pub(crate) fn metadata_update(metadata: Value) -> Value {
    json!({"streams": [
        {"tap_stream_id": "shop-public-orders", "metadata": [{"breadcrumb": [], "metadata": metadata}]}
    ]})
}

fn listings() -> Vec<StreamListing> {
    let map = |value: Value| -> Map<String, Value> { value.as_object().unwrap().clone() };
    let listing = |name: &str| StreamListing {
        tap_stream_id: format!("shop-public-{name}"),
        stream_name: name.to_owned(),
        schema: json!({"type": "object", "properties": {"id": {"type": ["null", "integer"]}}}),
        metadata: map(
            json!({"table-key-properties": ["id"], "row-count": 812, "is-view": false, "schema-name": "public", "database-name": "shop"}),
        ),
        fields: vec![
            (
                vec!["properties".to_owned(), "id".to_owned()],
                map(
                    json!({"inclusion": "automatic", "selected-by-default": true, "sql-datatype": "bigint"}),
                ),
            ),
            (
                vec!["properties".to_owned(), "shape".to_owned()],
                map(json!({"inclusion": "unsupported", "sql-datatype": "polygon"})),
            ),
        ],
    };
    vec![listing("orders"), listing("notes")]
}

/// What a job looks like that went well.
pub(crate) fn success() -> JobOutcome {
    JobOutcome {
        discovery: PhaseOutcome::succeeded(),
        tap: PhaseOutcome::succeeded(),
        target: PhaseOutcome::succeeded(),
    }
}
