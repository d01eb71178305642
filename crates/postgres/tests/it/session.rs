//! Logging in, settings, cancelling, closing.

use std::time::Duration;

use selvedge_connector::{ConnectorError, ErrorKind};
use selvedge_postgres::{Session, connect, connector_error};
use selvedge_testkit::postgres::TestDatabase;

use crate::support::{config, dialer};

async fn show(session: &Session, setting: &str) -> String {
    let sql = format!("show {setting}");
    session.client().query_one(&sql, &[]).await.unwrap().get(0)
}

/// Runs a statement that takes ten minutes, and cancels it once the server is at it.
pub(crate) async fn cancel_a_long_statement(
    database: &TestDatabase,
    session: &Session,
) -> ConnectorError {
    let observer = database.connect().await;
    let cancelling = async {
        let sleeping = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
        while observer
            .query_one(sleeping, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 0
        {
            tokio::task::yield_now().await;
        }
        session.cancel().await.unwrap();
    };
    let (outcome, ()) = tokio::join!(
        session.client().batch_execute("select pg_sleep(600)"),
        cancelling
    );
    connector_error(&outcome.unwrap_err())
}

#[tokio::test]
async fn the_session_has_fixed_text_forms_and_no_limits_of_the_roles_own() {
    let database = TestDatabase::create().await;
    let admin = database.connect().await;
    let name = &database.name;
    admin
        .batch_execute(&format!(
            "alter database {name} set timezone = 'Asia/Tokyo'; alter database {name} set datestyle = 'German';
             alter database {name} set statement_timeout = '5s'; alter database {name} set bytea_output = 'escape'"
        ))
        .await
        .unwrap();
    let session = connect(&config(&database), &dialer()).await.unwrap();
    assert_eq!(show(&session, "timezone").await, "UTC");
    assert_eq!(show(&session, "datestyle").await, "ISO, YMD");
    assert_eq!(show(&session, "statement_timeout").await, "0");
    assert_eq!(show(&session, "bytea_output").await, "hex");
    assert_eq!(show(&session, "application_name").await, "selvedge test");
    let number: i32 = show(&session, "server_version_num").await.parse().unwrap();
    assert_eq!(i64::from(session.server_version()), i64::from(number));
    session.close().await;
}

#[tokio::test]
async fn a_statement_timeout_is_kept_by_the_server() {
    let database = TestDatabase::create().await;
    let mut config = config(&database);
    config.statement_timeout = Some(Duration::from_millis(50));
    let session = connect(&config, &dialer()).await.unwrap();
    let error = session
        .client()
        .batch_execute("select pg_sleep(600)")
        .await
        .unwrap_err();
    let error = connector_error(&error);
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Unreachable, Some("57014"))
    );
}

#[tokio::test]
async fn a_running_statement_can_be_cancelled() {
    let database = TestDatabase::create().await;
    let session = connect(&config(&database), &dialer()).await.unwrap();
    let error = cancel_a_long_statement(&database, &session).await;
    assert_eq!(error.code.as_deref(), Some("57014"));
    // The session itself lives on.
    session.client().batch_execute("select 1").await.unwrap();
}

#[tokio::test]
async fn a_closed_session_is_gone_from_the_server() {
    let database = TestDatabase::create().await;
    let observer = database.connect().await;
    let session = connect(&config(&database), &dialer()).await.unwrap();
    session.close().await;
    let count = "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'selvedge test'";
    while observer
        .query_one(count, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        > 0
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_never_speaks_times_out_with_the_documented_text() {
    let database = TestDatabase::create().await;
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&database);
    config.host = "127.0.0.1".to_owned();
    config.port = server.local_addr().unwrap().port();
    config.connect_timeout = Duration::from_millis(50);
    let error = connect(&config, &dialer()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert_eq!(error.to_string(), "Connection timed out.");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_a_lost_connection() {
    let database = TestDatabase::create().await;
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&database);
    config.host = "127.0.0.1".to_owned();
    config.port = server.local_addr().unwrap().port();
    let hang_up = async { drop(server.accept().await.unwrap()) };
    let dialer = dialer();
    let (outcome, ()) = tokio::join!(connect(&config, &dialer), hang_up);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(
        error
            .message
            .starts_with("An I/O error occurred while sending to the backend."),
        "{error}"
    );
}

#[tokio::test]
async fn errors_carry_the_servers_code_and_message_but_not_the_row() {
    let database = TestDatabase::create().await;
    let session = connect(&config(&database), &dialer()).await.unwrap();
    let fail =
        async |sql: &str| connector_error(&session.client().batch_execute(sql).await.unwrap_err());
    let error =
        fail("create table t (id int primary key); insert into t values (4711), (4711)").await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Data, Some("23505"))
    );
    assert!(error.detail.as_ref().unwrap().contains("t_pkey"), "{error}");
    assert!(!format!("{error:?}").contains("4711"), "{error:?}");
    let error = fail("select 'top secret'::int").await;
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ErrorKind::Data, Some("22P02"))
    );
    assert!(!format!("{error:?}").contains("top secret"), "{error:?}");
}
