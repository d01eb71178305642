//! What happens when things go wrong between here and the server.

use std::time::{Duration, Instant};

use selvedge_connector::{
    ConnectorError, ErrorKind, ReadMethod, Source, SourceEvent, event_channel,
};
use selvedge_net::{Dialer, NetworkPolicy};
use serde_json::json;

use crate::support::{Fixture, Stitch, context, discover, read, request};

const LONG: &str =
    "create table t as select n as id, repeat('x', 200) as body from generate_series(1, 400000) n";

#[tokio::test]
async fn a_wrong_password_has_the_documented_text_where_the_server_asks_for_one() {
    // The test server may trust everybody: what is asked here is asked of a server that does not.
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let fixture = Fixture::new("select 1").await;
    let source = fixture.source_with(json!({"port": port, "user": "reader", "password": "wrong"}));
    let refuse = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = server.accept().await.unwrap();
        let mut buffer = [0; 1024];
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        let fields =
            b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"reader\"\0\0";
        let length = u32::try_from(fields.len() + 4).unwrap();
        stream
            .write_all(&[b"E".as_slice(), &length.to_be_bytes(), fields].concat())
            .await
            .unwrap();
    };
    let (outcome, ()) = tokio::join!(discover(&source, Stitch), refuse);
    let error = outcome.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert_eq!(
        error.to_string(),
        "FATAL: Password authentication failed for user [reader]"
    );
    assert!(!format!("{error:?}").contains("wrong"));
}

#[tokio::test]
async fn a_host_that_does_not_answer_times_out_and_an_unknown_one_is_named() {
    let fixture = Fixture::new("select 1").await;
    let source = fixture.source_with(json!({"host": "no-such-host.invalid"}));
    let error = discover(&source, Stitch).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("no-such-host.invalid"), "{error}");
    // A listener that accepts and never speaks.
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = fixture.source_with(json!({"port": server.local_addr().unwrap().port()}));
    let stream = fixture.stream_of("pg_class");
    let ctx = context(Stitch);
    let stop = ctx.stop.clone();
    let silent = async {
        let (stream, _) = server.accept().await.unwrap();
        stop.cancel();
        stream
    };
    let (outcome, _stream) = tokio::join!(read(&source, ctx, stream), silent);
    assert_eq!(outcome.err().unwrap().kind, ErrorKind::Stopped);
}

#[tokio::test]
async fn a_forbidden_network_is_never_dialled() {
    let fixture = Fixture::new("create table t (id int)").await;
    let mut ctx = context(Stitch);
    ctx.dialer = Dialer::new(NetworkPolicy::default(), Duration::from_secs(5));
    let error = read(&fixture.source(), ctx, fixture.stream_of("t"))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration);
}

#[tokio::test]
async fn what_vanished_since_discovery_is_named() {
    let fixture = Fixture::new(
        "create table t (id int, price numeric(10,2), note text); insert into t values (1, 2, 'x')",
    )
    .await;
    let stream = request(&fixture.stream("t", Stitch).await, ReadMethod::FullTable);
    let attempt = async |sql: &str| -> ConnectorError {
        fixture.client.batch_execute(sql).await.unwrap();
        read(&fixture.source(), context(Stitch), stream.clone())
            .await
            .err()
            .unwrap()
    };
    let error = attempt("alter table t alter price type numeric(12,4)").await;
    assert_eq!(error.kind, ErrorKind::Data);
    assert_eq!(
        error.message,
        "table public.t: the column price has become numeric(12,4) since the structure was read"
    );
    let error = attempt("alter table t drop column price").await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Configuration, Some("42703"))
    );
    assert!(
        error.to_string().contains("public.t") && error.to_string().contains("price"),
        "{error}"
    );
    let error = attempt("drop table t").await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Configuration, Some("42P01"))
    );
    assert!(
        error
            .to_string()
            .starts_with("table public.t: The table does not exist."),
        "{error}"
    );
}

#[tokio::test]
async fn a_privilege_taken_away_since_discovery_is_a_permission_error() {
    let fixture = Fixture::new("create table t (id int)").await;
    let role = format!("r_{}", fixture.database.name);
    fixture
        .client
        .batch_execute(&format!("create role {role} login password 'pw'"))
        .await
        .unwrap();
    let source = fixture.source_with(json!({"user": role, "password": "pw"}));
    let error = read(&source, context(Stitch), fixture.stream_of("t"))
        .await
        .err()
        .unwrap();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Permission, Some("42501"))
    );
    crate::discovery::drop_role(&fixture, &role).await;
}

#[tokio::test]
async fn an_error_in_the_data_ends_the_read_without_the_value() {
    let fixture = Fixture::new("create table t (v text); insert into t select '1' from generate_series(1, 5000); insert into t values ('secret');
                                create view broken as select v::int as v from t").await;
    let stream = fixture.stream("broken", Stitch).await;
    let error = read(
        &fixture.source(),
        context(Stitch),
        request(&stream, ReadMethod::FullTable),
    )
    .await
    .err()
    .unwrap();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Data, Some("22P02"))
    );
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn a_read_is_stopped_while_the_engine_does_not_listen() {
    let fixture = Fixture::new(LONG).await;
    let stream = request(&fixture.stream("t", Stitch).await, ReadMethod::FullTable);
    let ctx = context(Stitch);
    let stop = ctx.stop.clone();
    let (sender, mut receiver) = event_channel(1);
    let source = fixture.source();
    let stopping = async {
        assert!(matches!(receiver.recv().await, Some(SourceEvent::Batch(_))));
        stop.cancel();
        Instant::now()
    };
    let (outcome, since) = tokio::join!(source.read(ctx, stream, sender), stopping);
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::Stopped);
    assert!(since.elapsed() < Duration::from_secs(1));
    fixture.wait_until_idle().await;
}

#[tokio::test]
async fn a_read_is_stopped_while_the_server_sends_nothing() {
    let fixture = Fixture::new("create view slow as select 1 as id from pg_sleep(600)").await;
    let stream = request(&fixture.stream("slow", Stitch).await, ReadMethod::FullTable);
    let ctx = context(Stitch);
    let stop = ctx.stop.clone();
    let source = fixture.source();
    let stopping = async {
        fixture.wait_until_sleeping().await;
        stop.cancel();
        Instant::now()
    };
    let (outcome, since) = tokio::join!(read(&source, ctx, stream), stopping);
    assert_eq!(outcome.err().unwrap().kind, ErrorKind::Stopped);
    assert!(since.elapsed() < Duration::from_secs(1));
    fixture.wait_until_idle().await;
}

#[tokio::test]
async fn a_read_ends_when_nobody_listens_any_more() {
    let fixture = Fixture::new(LONG).await;
    let stream = request(&fixture.stream("t", Stitch).await, ReadMethod::FullTable);
    let (sender, receiver) = event_channel(1);
    drop(receiver);
    let error = fixture
        .source()
        .read(context(Stitch), stream, sender)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    fixture.wait_until_idle().await;
}

#[tokio::test]
async fn a_session_that_the_server_ends_is_an_error_and_never_a_silent_end() {
    let fixture = Fixture::new(LONG).await;
    let stream = request(&fixture.stream("t", Stitch).await, ReadMethod::FullTable);
    let (sender, mut receiver) = event_channel(1);
    let source = fixture.source();
    let killing = async {
        assert!(matches!(receiver.recv().await, Some(SourceEvent::Batch(_))));
        fixture
            .client
            .execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'selvedge source' and datname = current_database()", &[])
            .await
            .unwrap();
        while receiver.recv().await.is_some() {}
    };
    let (outcome, ()) = tokio::join!(source.read(context(Stitch), stream, sender), killing);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(error.message.contains("public.t"), "{error}");
}

impl Fixture {
    /// A request for the column `id` of a table in `public`, without discovery.
    fn stream_of(&self, table: &str) -> selvedge_connector::StreamRead {
        selvedge_connector::StreamRead {
            tap_stream_id: format!("{}-public-{table}", self.database.name),
            location: selvedge_connector::StreamLocation {
                database: self.database.name.clone(),
                schema: "public".to_owned(),
                table: table.to_owned(),
            },
            schema: selvedge_connector::StreamSchema::new(vec![selvedge_connector::Field::new(
                "id",
                selvedge_connector::LogicalType::Int32,
            )]),
            method: ReadMethod::FullTable,
        }
    }

    async fn sessions(&self, condition: &str) -> i64 {
        let sql = format!(
            "select count(*) from pg_stat_activity
              where application_name = 'selvedge source' and datname = current_database() and {condition}"
        );
        self.client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    async fn wait_until_sleeping(&self) {
        while self.sessions("wait_event = 'PgSleep'").await == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Nothing is left running on the server.
    async fn wait_until_idle(&self) {
        let wait = async {
            while self.sessions("true").await > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("the server was told to stop");
    }
}
