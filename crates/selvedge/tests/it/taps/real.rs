//! Public taps of different authors and ages, from their source in the API to the rows in PostgreSQL.
//!
//! `cargo xtask test` installs them. Some need a type of the operator's (`tests/taps/types.json`) that lets them reach this
//! machine, `tap-mysql` serves a type of the catalogue.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use selvedge_testkit::mysql::{self, TestSchema};
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::server::ServerSettings;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_postgres::Client;

use crate::pipeline::{execute, rows};
use crate::platform::{Platform, destination_body, settings};

/// A server with the installed taps, a source of one of them, and where its rows go.
struct Real {
    platform: Platform,
    source: i64,
    replica: Client,
    _to: TestDatabase,
    _folder: tempfile::TempDir,
}

impl Real {
    /// A source of the type, whose check has succeeded. Its tables arrive in the schema `here`.
    async fn start(type_name: &str, properties: Value) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let platform = Platform::start_with(with_installed(folder.path())).await;
        let to = TestDatabase::create().await;
        platform.destination(&destination_body(&to)).await;
        let body = json!({ "type": type_name, "display_name": "Here", "properties": properties });
        let source = platform.source(&body).await;
        Self {
            source,
            replica: to.connect().await,
            platform,
            _to: to,
            _folder: folder,
        }
    }

    async fn select(&self, stream: &str, chosen: Value) {
        let mut metadata = json!({ "selected": true });
        for (key, value) in chosen.as_object().expect("metadata is an object") {
            metadata[key] = value.clone();
        }
        let entries = json!([{ "breadcrumb": [], "metadata": metadata }]);
        self.platform
            .set_metadata(self.source, stream, entries)
            .await;
    }

    async fn sync(&self) {
        self.platform.sync(self.source).await.succeeded();
    }

    async fn rows(&self, query: &str) -> Vec<String> {
        rows(&self.replica, query).await
    }
}

/// A server with the types of the tests and the environments of their taps.
fn with_installed(folder: &Path) -> ServerSettings {
    let config = folder.join("selvedge.toml");
    let types = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/taps/types.json");
    let text = format!(
        "[taps]\ndirectory = {}\ntypes = [{}]\n",
        json!(installed()),
        json!(types)
    );
    std::fs::write(&config, text).expect("the settings can be written");
    settings().environment("SELVEDGE_CONFIG", config.display().to_string())
}

fn installed() -> PathBuf {
    std::env::var_os("SELVEDGE_TEST_TAPS")
        .map(PathBuf::from)
        .expect("run the tests with `cargo xtask test`, which sets SELVEDGE_TEST_TAPS")
}

/// An address of this machine that answers as the routes say.
async fn serve(routes: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

const ORDERS: &str = "
    create table orders (id integer primary key, rev integer, label text, fee numeric(9,2), paid boolean, at timestamptz);
    insert into orders values (1, 1, E'tab\\there', 12.50, true, '2024-05-01 10:00:00+02'), (2, 2, null, -0.01, false, null);";

/// What of `ORDERS` looks the same through every tap; their messages name the schema too.
const ARRIVED: &str = "select id, rev, label, fee::numeric(9,2), paid, to_char(at, 'YYYY-MM-DD HH24:MI:SS') from here.\"public-orders\" order by id";
const FIRST: &str = "1|1|tab\there|12.50|t|2024-05-01 08:00:00";
const SECOND: &str = "2|2|∅|-0.01|f|∅";

fn postgres(database: &TestDatabase) -> Value {
    json!({
        "host": database.host, "port": database.port.to_string(), "user": database.user,
        "password": database.password, "dbname": database.name, "filter_schemas": "public",
    })
}

/// Reads `ORDERS` by `rev`, changes them, and reads what has changed.
async fn a_table_is_read_by_key(type_name: &str, stream: &str) {
    let from = TestDatabase::create().await;
    let origin = from.connect().await;
    execute(&origin, ORDERS).await;
    let real = Real::start(type_name, postgres(&from)).await;
    let by_rev = json!({ "replication-method": "INCREMENTAL", "replication-key": "rev" });
    real.select(stream, by_rev).await;
    real.sync().await;
    assert_eq!(real.rows(ARRIVED).await, [FIRST, SECOND]);

    execute(
        &origin,
        "insert into orders values (3, 4, 'new', null, null, null); update orders set label = 'changed', rev = 3 where id = 1",
    )
    .await;
    real.sync().await;
    assert_eq!(
        real.rows(ARRIVED).await,
        [
            "1|3|changed|12.50|t|2024-05-01 08:00:00",
            SECOND,
            "3|4|new|∅|∅|∅"
        ]
    );
}

#[tokio::test]
async fn postgresql_is_read_by_the_tap_of_the_singer_sdk() {
    a_table_is_read_by_key("platform.tested-meltano-postgres", "public-orders").await;
}

#[tokio::test]
async fn postgresql_is_read_by_the_tap_of_pipelinewise() {
    a_table_is_read_by_key("platform.tested-pipelinewise-postgres", "orders").await;
}

#[tokio::test]
async fn mysql_is_read_by_the_tap_of_the_catalogue() {
    let from = TestSchema::choose();
    let mut origin = from.connect().await;
    let schema = &from.name;
    for statement in [
        format!("create database {schema}"),
        format!(
            "create table {schema}.orders (id int primary key, rev int, label varchar(40), fee decimal(9,2), at datetime)"
        ),
        format!(
            "insert into {schema}.orders values (1, 1, 'a\\tb', 12.50, '2024-05-01 10:00:00'), (2, 2, null, -0.01, null)"
        ),
    ] {
        mysql::rows(&mut origin, &statement).await;
    }
    let properties = json!({
        "host": from.host, "port": from.port.to_string(), "user": from.user, "password": from.password,
        "filter_dbs": from.name,
    });
    let real = Real::start("platform.mysql", properties).await;
    real.select(
        "orders",
        json!({ "replication-method": "INCREMENTAL", "replication-key": "rev" }),
    )
    .await;
    real.sync().await;
    let arrived = "select id, rev, label, fee::numeric(9,2), to_char(at, 'YYYY-MM-DD HH24:MI:SS') from here.orders order by id";
    assert_eq!(
        real.rows(arrived).await,
        ["1|1|a\tb|12.50|2024-05-01 10:00:00", "2|2|∅|-0.01|∅"]
    );
    let more = format!("insert into {schema}.orders values (3, 3, 'c', null, null)");
    mysql::rows(&mut origin, &more).await;
    real.sync().await;
    assert_eq!(
        real.rows("select count(*), max(rev) from here.orders")
            .await,
        ["3|3"]
    );
}

#[tokio::test]
async fn a_file_is_read_by_the_tap_for_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("things.jsonl");
    std::fs::write(
        &file,
        "{\"id\": 1, \"name\": \"a\"}\n{\"id\": 2, \"name\": \"ü\", \"size\": 1.5}\n",
    )
    .unwrap();
    let properties = json!({ "path": file, "stream_name": "things", "primary_keys": "id" });
    let real = Real::start("platform.tested-jsonl", properties).await;
    real.select("things", json!({})).await;
    real.sync().await;
    assert_eq!(
        real.rows("select id, name, size from here.things order by id")
            .await,
        ["1|a|∅", "2|ü|1.5"]
    );
}

#[tokio::test]
async fn an_api_is_read_by_the_tap_for_any_of_them() {
    let items = async || {
        let item =
            |id: i64, at: &str| json!({ "id": id, "name": format!("item {id}"), "updated_at": at });
        axum::Json(
            json!({ "items": [item(1, "2024-05-01T10:00:00Z"), item(2, "2024-05-02T10:00:00Z")] }),
        )
    };
    let base = serve(Router::new().route("/items", get(items))).await;
    let schemas = tempfile::tempdir().unwrap();
    let schema = json!({"type": "object", "properties": {
        "id": {"type": "integer"}, "name": {"type": ["null", "string"]},
        "updated_at": {"type": ["null", "string"], "format": "date-time"},
    }});
    std::fs::write(schemas.path().join("items.json"), schema.to_string()).unwrap();
    let properties =
        json!({ "url": format!("{base}/items"), "streams": "items", "schema_dir": schemas.path() });
    let real = Real::start("platform.tested-rest-api", properties).await;
    real.select("items", json!({})).await;
    real.sync().await;
    let distinct = "select distinct id, name, to_char(updated_at, 'YYYY-MM-DD HH24:MI:SS') from here.items order by id";
    assert_eq!(
        real.rows(distinct).await,
        [
            "1|item 1|2024-05-01 10:00:00",
            "2|item 2|2024-05-02 10:00:00"
        ]
    );
}

/// GitHub as far as its tap asks: commits of one repository, for one token, since a time.
async fn commits(
    headers: HeaderMap,
    Query(asked): Query<std::collections::HashMap<String, String>>,
) -> impl IntoResponse {
    let limits = [
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-reset", "0"),
    ];
    let token = headers.get("authorization").map(|token| token.as_bytes());
    if token != Some(b"token s3cr3t-of-github") {
        let body = json!({ "message": "Bad credentials" });
        return (StatusCode::UNAUTHORIZED, limits, axum::Json(body));
    }
    let commit = |sha: &str, message: &str, at: &str| {
        let who = json!({ "name": "Ada", "email": "ada@shop.example", "date": at });
        json!({ "sha": sha, "commit": { "message": message, "author": who, "committer": who, "comment_count": 0 }})
    };
    let since = asked.get("since").map_or("", String::as_str);
    let all = [
        commit("c2", "second", "2024-05-02T10:00:00Z"),
        commit("c1", "first", "2024-05-01T10:00:00Z"),
    ];
    let new = all.into_iter().filter(|commit| {
        let at = commit["commit"]["committer"]["date"].as_str();
        at.is_some_and(|at| at >= since)
    });
    (StatusCode::OK, limits, axum::Json(new.collect()))
}

/// What is not there, in GitHub's manner.
async fn nothing() -> impl IntoResponse {
    let limits = [
        ("x-ratelimit-remaining", "4999"),
        ("x-ratelimit-reset", "0"),
    ];
    let body = json!({ "message": "Not Found" });
    (StatusCode::NOT_FOUND, limits, axum::Json(body))
}

async fn github() -> String {
    let routes = Router::new()
        .route("/repos/acme/shop/commits", get(commits))
        .fallback(nothing);
    serve(routes).await
}

#[tokio::test]
async fn github_is_read_by_its_tap_that_takes_properties() {
    let properties = json!({
        "access_token": "s3cr3t-of-github", "repository": "acme/shop", "start_date": "2024-01-01T00:00:00Z",
        "base_url": github().await,
    });
    let real = Real::start("platform.tested-github", properties).await;
    real.select("commits", json!({})).await;
    let ended = real.platform.sync(real.source).await.succeeded();
    assert_eq!(
        real.rows(
            "select sha, commit__message, commit__author__name from here.commits order by sha"
        )
        .await,
        ["c1|first|Ada", "c2|second|Ada"]
    );
    let log = real.platform.log(ended.job_name()).await;
    assert!(
        log.contains("/repos/acme/shop/commits") && !log.contains("s3cr3t"),
        "{log}"
    );
}

#[tokio::test]
async fn a_setting_that_a_tap_refuses_fails_the_check_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let platform = Platform::start_with(with_installed(folder.path())).await;
    let properties = json!({
        "access_token": "s3cr3t-of-github", "repository": "acme", "start_date": "2024-01-01T00:00:00Z",
        "base_url": github().await,
    });
    let body = json!({ "type": "platform.tested-github", "display_name": "Here", "properties": properties });
    let created = platform.api.post("/v4/sources", &body).await.status(200);
    let check = platform
        .check(&format!("/v4/sources/{}", created["id"]))
        .await;
    assert_eq!(check["status"], "failed", "{check}");
    let said = check["discovery_error_message"]
        .as_str()
        .unwrap_or_default();
    assert!(
        said.contains("Please provide valid organization/repository") && !said.contains("s3cr3t"),
        "{check}"
    );
}
