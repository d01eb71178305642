//! Migrations: forward only, never edited, applied in one transaction when a store is opened.
//!
//! The two folders hold the same versions. A database may be ahead of this program: migrations expand before they
//! contract, so that nodes can be replaced one by one.

use crate::tx::{Dialect, Tx};
use crate::value::values;
use crate::{ReadTx, StoreError, random};

struct Migration {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

const MIGRATIONS: &[Migration] = migrations![
    1 "0001_first_schema",
    2 "0002_tokens",
    3 "0003_notifications_and_plans",
    4 "0004_authorization_codes",
    5 "0005_hook_messages",
    6 "0006_intake",
    7 "0007_tap_positions",
    8 "0008_resets_and_pauses",
    9 "0009_rows_received",
];

/// A number of our own for PostgreSQL's advisory lock: "selvedge" in ASCII.
const LOCK_POSTGRES: &str = "select pg_advisory_xact_lock(8315166842867965797)";

/// Made outside the migrations, because it remembers them.
const CREATE_HISTORY: &str = "create table if not exists selvedge_migrations (
    version bigint not null primary key,
    name text not null,
    checksum text not null
)";

statements! {
    FIND = "select checksum
        from selvedge_migrations
        where version = $1";
    RECORD = "insert into selvedge_migrations (version, name, checksum)
        values ($1, $2, $3)";
    NEWEST = "select cast(coalesce(max(version), 0) as bigint) as version
        from selvedge_migrations";
}

/// Applies what is missing. Safe when several processes open the same database at once.
pub(crate) async fn run(tx: &mut Tx) -> Result<(), StoreError> {
    let dialect = tx.dialect();
    if dialect == Dialect::Postgres {
        tx.execute_script(LOCK_POSTGRES).await?;
    }
    tx.execute_script(CREATE_HISTORY).await?;
    for migration in MIGRATIONS {
        let sql = match dialect {
            Dialect::Sqlite => migration.sqlite,
            Dialect::Postgres => migration.postgres,
        };
        let checksum = random::hash(sql);
        match tx.fetch_optional(FIND, values![migration.version]).await? {
            Some(row) if row.text("checksum")? == checksum => {}
            Some(_) => {
                return Err(StoreError::SchemaMismatch {
                    version: migration.version,
                });
            }
            None => {
                tx.execute_script(sql).await?;
                tx.execute(RECORD, values![migration.version, migration.name, checksum])
                    .await?;
                tracing::info!(
                    version = migration.version,
                    name = migration.name,
                    "applied migration"
                );
            }
        }
    }
    Ok(())
}

/// The newest version that this database has.
pub(crate) async fn version(tx: &mut ReadTx) -> Result<i64, StoreError> {
    tx.fetch_one(NEWEST, values![]).await?.integer("version")
}
