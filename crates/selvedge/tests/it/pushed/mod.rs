//! What is pushed to a server: taken, kept, and loaded into PostgreSQL.

mod clients;
mod contract;
mod fairness;
mod kills;
mod loading;
mod received;
mod refusals;
mod rows;
mod senders;
mod transport;
mod walk;
mod webhooks;

use std::io::Write as _;
use std::sync::LazyLock;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use selvedge_testkit::described::{Answered, Described};
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::server::ServerSettings;
use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::platform::{PATIENCE, Platform, destination_body, number, settings, text};

/// A server that loads what it accepted at once, a PostgreSQL destination, and a source that is pushed to.
pub(crate) struct Pushed {
    pub(crate) platform: Platform,
    pub(crate) to: TestDatabase,
    pub(crate) replica: Client,
    pub(crate) source: i64,
    pub(crate) token: String,
    http: reqwest::Client,
    _config: tempfile::NamedTempFile,
}

/// What the gate answered.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) media_type: String,
    pub(crate) text: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.text.as_str()), (status, body));
    }

    #[track_caller]
    pub(crate) fn accepted(&self) {
        self.is(201, r#"{"status":"OK","message":"Batch Accepted!"}"#);
    }
}

impl Pushed {
    pub(crate) async fn start() -> Self {
        Self::start_with(json!({ "type": "import_api", "display_name": "Pushed" })).await
    }

    /// With the body that creates the source.
    pub(crate) async fn start_with(source: Value) -> Self {
        // Nobody waits for loads.
        Self::configured("[intake]\nload_after_seconds = 0", source).await
    }

    /// With a configuration, too.
    pub(crate) async fn configured(configuration: &str, source: Value) -> Self {
        let to = TestDatabase::create().await;
        let (settings, config) = configured(configuration);
        let platform = Platform::start_with(settings).await;
        platform.destination(&destination_body(&to)).await;
        let mut pushed = Self {
            replica: to.connect().await,
            platform,
            to,
            source: 0,
            token: String::new(),
            http: client(),
            _config: config,
        };
        let mut body = source;
        body["properties"] = body.get("properties").cloned().unwrap_or_else(|| json!({}));
        let created = pushed.platform.api.post("/v4/sources", &body).await;
        pushed.source = number(&created.status(200)["id"]);
        if body["type"] == "import_api" {
            pushed.token = pushed.new_token().await.1;
        }
        pushed
    }

    /// Another token of the source, with its id.
    pub(crate) async fn new_token(&self) -> (i64, String) {
        let path = format!("/v4/sources/{}/tokens", self.source);
        let created = self.platform.api.post(&path, &Value::Null).await;
        let created = created.status(200);
        (number(&created["id"]), text(&created["access_token"]))
    }

    /// Posts JSON with the source's token.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Said {
        self.post_text(path, "application/json", body.to_string())
            .await
    }

    pub(crate) async fn post_text(
        &self,
        path: &str,
        media_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> Said {
        let request = self
            .http
            .post(format!("{}{path}", self.platform.server.base()))
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, media_type)
            .body(body);
        said(request).await
    }

    pub(crate) async fn batch(&self, body: &Value) -> Said {
        self.post("/v2/import/batch", body).await
    }

    /// Sends what `request` makes of this server's address.
    pub(crate) async fn raw(
        &self,
        request: impl FnOnce(&reqwest::Client, &str) -> reqwest::RequestBuilder,
    ) -> Said {
        said(request(&self.http, self.platform.server.base())).await
    }

    /// Pairs of texts that a query of two columns gives, when they are as expected: loading takes its time.
    pub(crate) async fn rows_become(&self, query: &str, expected: &[(&str, &str)]) {
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(first, second)| ((*first).to_owned(), (*second).to_owned()))
            .collect();
        wait_until(query, PATIENCE, async || {
            let found = self.rows(query).await;
            match found.as_ref() == Ok(&expected) {
                true => Ok(()),
                false => Err(format!("{found:?}\n{}", self.platform.server.log())),
            }
        })
        .await;
    }

    async fn rows(&self, query: &str) -> Result<Vec<(String, String)>, String> {
        let rows = self.replica.query(query, &[]).await;
        let rows = rows.map_err(|error| error.to_string())?;
        let cell = |row: &tokio_postgres::Row, column| {
            row.get::<_, Option<String>>(column)
                .unwrap_or_else(|| "NULL".to_owned())
        };
        Ok(rows
            .iter()
            .map(|row| (cell(row, 0), cell(row, 1)))
            .collect())
    }
}

/// Settings with a configuration, and the file that has it.
fn configured(configuration: &str) -> (ServerSettings, tempfile::NamedTempFile) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    writeln!(file, "{configuration}").expect("it is written");
    let settings = settings().argument("--config");
    (settings.argument(file.path().display().to_string()), file)
}

pub(crate) fn client() -> reqwest::Client {
    let built = reqwest::Client::builder().no_proxy().build();
    built.expect("a client without TLS settings can be built")
}

/// Whatever is answered is held against the OpenAPI document.
async fn said(request: reqwest::RequestBuilder) -> Said {
    let (client, request) = request.build_split();
    let request = request.expect("the request is one");
    let (method, path) = (request.method().clone(), request.url().path().to_owned());
    let answer = client.execute(request).await.expect("the server answers");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let text = answer.text().await.expect("a body");
    if status != StatusCode::METHOD_NOT_ALLOWED {
        DESCRIBED.check(Answered {
            method: &method,
            path: &path,
            status,
            headers: &headers,
            text: &text,
        });
    }
    let media_type = headers.get(CONTENT_TYPE);
    let media_type = media_type.map_or("", |value| value.to_str().expect("ASCII"));
    Said {
        status: status.as_u16(),
        media_type: media_type.to_owned(),
        text,
    }
}

/// The copy that is held against the server's own by a test of its own.
static DESCRIBED: LazyLock<Described> = LazyLock::new(|| {
    let document = std::fs::read(crate::openapi::COPY).expect("the repository has it");
    Described::new(serde_json::from_slice(&document).expect("it is JSON"))
});

/// An upsert of one record.
pub(crate) fn upsert(sequence: i64, data: &Value) -> Value {
    json!({ "action": "upsert", "sequence": sequence, "data": data })
}
