//! The connection check: what each step says.

use selvedge_connector::{CheckContext, CheckReport, ErrorKind, Source};
use selvedge_source_postgres::PostgresSource;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::discovery::drop_role;
use crate::support::{Fixture, dialer};

async fn check(source: &PostgresSource) -> CheckReport {
    let ctx = CheckContext {
        dialer: dialer(),
        stop: CancellationToken::new(),
    };
    source.check(&ctx).await.unwrap()
}

#[tokio::test]
async fn good_settings_pass_every_step() {
    let fixture = Fixture::new("create table t (id int)").await;
    let report = check(&fixture.source()).await;
    assert!(report.failure().is_none(), "{:?}", report.failure_text());
    let steps: Vec<_> = report.steps.iter().map(|step| step.name.clone()).collect();
    let database = &fixture.database;
    assert_eq!(
        steps,
        [
            format!("connect to {}:{}", database.host, database.port),
            format!("log in as {} to {}", database.user, database.name),
            "list tables (1 readable)".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_closed_port_fails_the_first_step_with_the_documented_text() {
    let fixture = Fixture::new("select 1").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let report = check(&fixture.source_with(json!({"port": port}))).await;
    assert_eq!(report.steps.len(), 1);
    let text = report.failure_text().unwrap();
    assert!(
        text.starts_with("Connection refused. Check that the hostname and port are correct"),
        "{text}"
    );
}

#[tokio::test]
async fn an_unknown_database_and_a_server_without_tls_are_named() {
    let fixture = Fixture::new("select 1").await;
    let report = check(&fixture.source_with(json!({"dbname": "no_such_database"}))).await;
    let error = report.failure().unwrap().error.clone().unwrap();
    assert_eq!(
        (report.steps.len(), error.kind, error.code.as_deref()),
        (2, ErrorKind::Configuration, Some("3D000"))
    );
    let tls: String = fixture
        .client
        .query_one("show ssl", &[])
        .await
        .unwrap()
        .get(0);
    if tls == "off" {
        let report = check(&fixture.source_with(json!({"ssl": "true"}))).await;
        let error = report.failure().unwrap().error.clone().unwrap();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.contains("TLS"), "{error}");
    }
}

#[tokio::test]
async fn a_user_who_may_not_connect_is_told_so() {
    let fixture = Fixture::new("select 1").await;
    let (role, name) = (
        format!("r_{}", fixture.database.name),
        &fixture.database.name,
    );
    fixture
        .client
        .batch_execute(&format!(
            "create role {role} login password 'pw'; revoke connect on database {name} from public"
        ))
        .await
        .unwrap();
    let report = check(&fixture.source_with(json!({"user": role, "password": "pw"}))).await;
    let step = report.failure().unwrap();
    assert_eq!(step.error.as_ref().unwrap().kind, ErrorKind::Permission);
    assert_eq!(
        step.remedy.as_deref(),
        Some(format!("Grant {role} CONNECT on the database.").as_str())
    );
    drop_role(&fixture, &role).await;
}

#[tokio::test]
async fn whoever_is_no_postgres_is_recognised() {
    use tokio::io::AsyncWriteExt;
    let fixture = Fixture::new("select 1").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let source = fixture.source_with(json!({"port": port}));
    let other = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        // What a MySQL server says first.
        stream
            .write_all(b"\x4a\x00\x00\x00\x0a8.0.36\x00")
            .await
            .unwrap();
        stream
    };
    let (report, _stream) = tokio::join!(check(&source), other);
    let error = report.failure().unwrap().error.clone().unwrap();
    assert!(
        error
            .message
            .starts_with("We encountered an error while attempting to check the type or version"),
        "{error}"
    );
}
