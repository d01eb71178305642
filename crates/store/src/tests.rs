//! Tests that need the inside of the crate: every statement, and both schemas.

use std::collections::BTreeSet;

use selvedge_testkit::postgres::TestDatabase;
use selvedge_types::Secret;
use sqlx::{Connection as _, Executor, PgConnection, Row as _, SqlSafeStr, SqliteConnection};
use tempfile::TempDir;

use crate::value::values;
use crate::{MasterKey, Store, StoreError, StoreLocation};

const MODULES: &[(&str, &[(&str, &str)])] = &[
    ("accounts", crate::accounts::STATEMENTS),
    (
        "authorization_codes",
        crate::authorization_codes::STATEMENTS,
    ),
    ("connections", crate::connections::STATEMENTS),
    ("custom_emails", crate::custom_emails::STATEMENTS),
    ("database", crate::database::STATEMENTS),
    ("destinations", crate::destinations::STATEMENTS),
    ("ephemeral_tokens", crate::ephemeral_tokens::STATEMENTS),
    ("hook_messages", crate::hook_messages::STATEMENTS),
    ("hooks", crate::hooks::STATEMENTS),
    ("idempotency", crate::idempotency::STATEMENTS),
    ("import_tokens", crate::import_tokens::STATEMENTS),
    ("tap_positions", crate::tap_positions::STATEMENTS),
    ("intake_clocks", crate::intake_clocks::STATEMENTS),
    ("intake_lanes", crate::intake_lanes::STATEMENTS),
    ("jobs", crate::jobs::all_statements::QUEUE),
    ("jobs::claim", crate::jobs::all_statements::CLAIM),
    ("jobs::history", crate::jobs::all_statements::HISTORY),
    ("jobs::lease", crate::jobs::all_statements::LEASE),
    ("jobs::stop", crate::jobs::all_statements::STOP),
    ("loads", crate::loads::STATEMENTS),
    ("migrate", crate::migrate::STATEMENTS),
    ("partners", crate::partners::STATEMENTS),
    ("sources", crate::sources::STATEMENTS),
    ("sources::cron", crate::sources::CRON_STATEMENTS),
    ("sources::mapping", crate::sources::MAPPING_STATEMENTS),
    ("sources::newest", crate::sources::NEWEST_STATEMENTS),
    ("sources::received", crate::sources::RECEIVED_STATEMENTS),
    ("sources::schedule", crate::sources::SCHEDULE_STATEMENTS),
    ("streams", crate::streams::STATEMENTS),
    ("streams::discovery", crate::streams::DISCOVERY_STATEMENTS),
    ("streams::position", crate::streams::POSITION_STATEMENTS),
    ("tokens", crate::tokens::STATEMENTS),
];

fn statements(other_dialect: &str) -> impl Iterator<Item = (String, &'static str)> {
    MODULES
        .iter()
        .flat_map(|(module, statements)| {
            statements
                .iter()
                .map(move |(name, sql)| (format!("{module}::{name}"), *sql))
        })
        .filter(move |(name, _)| !name.ends_with(other_dialect))
}

async fn sqlite() -> (TempDir, SqliteConnection) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.db");
    let store = Store::open(
        StoreLocation::SqliteFile(path.clone()),
        MasterKey::from_bytes([1; 32]),
    )
    .await
    .unwrap();
    store.close().await;
    let connection = SqliteConnection::connect(path.to_str().unwrap())
        .await
        .unwrap();
    (directory, connection)
}

async fn postgres() -> PgConnection {
    let database = TestDatabase::create().await;
    let store = Store::open(
        StoreLocation::Postgres(Secret::new(database.url())),
        MasterKey::from_bytes([1; 32]),
    )
    .await
    .unwrap();
    store.close().await;
    PgConnection::connect(&database.url()).await.unwrap()
}

#[tokio::test]
async fn sqlite_accepts_every_statement() {
    let (_directory, mut connection) = sqlite().await;
    for (name, sql) in statements("_POSTGRES") {
        if let Err(error) = (&mut connection).prepare(sql.into_sql_str()).await {
            panic!("{name}: {error}");
        }
    }
}

#[tokio::test]
async fn postgres_accepts_every_statement() {
    let mut connection = postgres().await;
    for (name, sql) in statements("_SQLITE") {
        if let Err(error) = (&mut connection).prepare(sql.into_sql_str()).await {
            panic!("{name}: {error}");
        }
    }
}

/// The row locks that keep two claimers apart must not be lost from the one text that differs.
#[test]
fn the_two_texts_of_claiming_differ_by_the_lock_only() {
    for (module, table) in [("jobs::claim", "jobs"), ("hook_messages", "hook_messages")] {
        let text = |dialect| {
            let wanted = format!("{module}::CANDIDATE_{dialect}");
            let mut statements = statements("nothing");
            let found = statements.find(|(name, _)| *name == wanted);
            let (_, sql) = found.unwrap();
            sql.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let sqlite = text("SQLITE");
        assert_eq!(
            text("POSTGRES"),
            format!("{sqlite} for update of {table} skip locked")
        );
    }
}

#[tokio::test]
async fn both_migration_folders_make_the_same_schema() {
    let (_directory, mut connection) = sqlite().await;
    let columns_sqlite: BTreeSet<String> = connection
        .fetch_all(
            "select tables.name || '.' || columns.name || ' ' ||
                case lower(columns.type) when 'integer' then 'bigint' when 'blob' then 'bytea' else lower(columns.type) end ||
                case when columns.\"notnull\" or columns.pk then ' not null' else '' end as shown
            from sqlite_schema as tables
            join pragma_table_info(tables.name) as columns
            where tables.type = 'table'
                and tables.name not like 'sqlite_%'",
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("shown"))
        .collect();
    let indexes_sqlite: BTreeSet<String> = connection
        .fetch_all(
            "select tbl_name || '.' || name as shown
            from sqlite_schema
            where type = 'index'
                and name not like 'sqlite_%'",
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("shown"))
        .collect();

    let mut connection = postgres().await;
    let columns_postgres: BTreeSet<String> = connection
        .fetch_all(
            "select table_name || '.' || column_name || ' ' || data_type ||
                case is_nullable when 'NO' then ' not null' else '' end as shown
            from information_schema.columns
            where table_schema = 'public'",
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("shown"))
        .collect();
    let indexes_postgres: BTreeSet<String> = connection
        .fetch_all(
            "select tablename || '.' || indexname as shown
            from pg_indexes
            where schemaname = 'public'
                and indexname not like '%\\_pkey'
                and indexname not like '%\\_key'",
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("shown"))
        .collect();

    assert!(columns_sqlite.contains("jobs.fence bigint not null"));
    assert_eq!(columns_sqlite, columns_postgres);
    assert!(indexes_sqlite.contains("jobs.jobs_active"));
    assert_eq!(indexes_sqlite, indexes_postgres);
}

#[tokio::test]
async fn sqlite_acknowledges_only_what_survives_a_power_failure() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(
        StoreLocation::SqliteFile(directory.path().join("store.db")),
        MasterKey::from_bytes([1; 32]),
    )
    .await
    .unwrap();
    let mut tx = store.begin().await.unwrap();
    let mode = tx.fetch_one("pragma journal_mode", vec![]).await.unwrap();
    assert_eq!(mode.text("journal_mode").unwrap(), "wal");
    for (pragma, column, value) in [
        ("pragma synchronous", "synchronous", 2),
        ("pragma foreign_keys", "foreign_keys", 1),
        ("pragma busy_timeout", "timeout", 15_000),
    ] {
        let row = tx.fetch_one(pragma, vec![]).await.unwrap();
        assert_eq!(row.integer(column).unwrap(), value, "{pragma}");
    }
}

/// History grows without end, and workers claim all the time.
#[tokio::test]
async fn claiming_looks_at_active_jobs_only() {
    let (_directory, mut connection) = sqlite().await;
    for wanted in ["jobs::claim::CANDIDATE_SQLITE", "jobs::claim::CLAIM"] {
        let (name, sql) = statements("_POSTGRES")
            .find(|(name, _)| name.ends_with(wanted))
            .unwrap();
        let plan: Vec<String> = connection
            .fetch_all(sqlx::AssertSqlSafe(format!("explain query plan {sql}")))
            .await
            .unwrap()
            .iter()
            .map(|row| row.get("detail"))
            .collect();
        let plan = plan.join("\n");
        assert!(
            plan.contains("jobs_active") && plan.contains("jobs_account_running"),
            "{name}:\n{plan}"
        );
        assert!(
            !plan.contains("SCAN") && !plan.contains("jobs_history"),
            "{name}:\n{plan}"
        );
    }
}

#[tokio::test]
async fn a_transaction_that_sqlite_rolled_back_for_want_of_room_does_not_keep_the_next_from_writing()
 {
    const INSERT: &str = "insert into meta (key, text_value, blob_value) values ($1, $2, $3)";
    let directory = tempfile::tempdir().unwrap();
    let location = StoreLocation::SqliteFile(directory.path().join("store.db"));
    let store = Store::open(location, MasterKey::from_bytes([1; 32]))
        .await
        .unwrap();
    let row = |key: &str, size: usize| values![key, None::<String>, vec![7; size]];

    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, row("before", 1)).await.unwrap();
    // As many pages as there are: what a full disk is to this connection.
    tx.execute_script("pragma max_page_count = 1")
        .await
        .unwrap();
    let refused = tx.execute(INSERT, row("large", 1 << 20)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    drop(tx);

    let mut tx = store.begin().await.unwrap();
    tx.execute(INSERT, row("after", 1)).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.read().await.unwrap();
    let kept = tx
        .fetch_all(
            "select key from meta where key in ('before', 'large', 'after')",
            values![],
        )
        .await
        .unwrap();
    let kept: Vec<_> = kept.iter().map(|row| row.text("key").unwrap()).collect();
    assert_eq!(kept, ["after"]);
}
