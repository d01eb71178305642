//! A view whose reading stops half way until the test lets it go on.

use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::wait::wait_until;
use tokio_postgres::Client;

use crate::pipeline::{count, execute};
use crate::platform::PATIENCE;

/// The advisory lock that readers ask for at the gate. Databases have advisory locks of their own.
const LOCK: i64 = 77;

/// Number of rows in [`slow_view`].
pub(crate) const SLOW_ROWS: i64 = 6_000;

/// The view `slow` over 6,000 rows of a kilobyte. A read by `id` waits at row 4,000.
pub(crate) fn slow_view() -> String {
    gated_view(SLOW_ROWS, 1_000, 4_000)
}

/// The view `slow` over `rows` rows of `row_bytes` bytes, with the key `id`. A read by `id` waits at the row `gate`.
pub(crate) fn gated_view(rows: i64, row_bytes: u32, gate: i64) -> String {
    format!(
        "create table slow_rows (id bigint primary key, filler text not null);
         insert into slow_rows select i, repeat('x', {row_bytes}) from generate_series(1, {rows}) i;
         create index on slow_rows (id asc nulls first);
         create function gate(id bigint) returns boolean language plpgsql stable as $$
           begin
             if id = {gate} then perform pg_advisory_xact_lock_shared({LOCK}); end if;
             return true;
           end $$;
         create view slow as select id, filler, gate(id) as passed from slow_rows;
         analyze slow_rows;
         do $$
           begin
             -- A sort would read everything before the first row comes.
             execute format('alter database %I set enable_sort = off', current_database());
             execute format('alter database %I set enable_seqscan = off', current_database());
           end $$;"
    )
}

/// Holds readers back as long as it lives.
pub(crate) struct Gate {
    session: Client,
}

impl Gate {
    pub(crate) async fn close(database: &TestDatabase) -> Self {
        let session = database.connect().await;
        execute(&session, &format!("select pg_advisory_lock({LOCK})")).await;
        Self { session }
    }

    /// Waits until a reader stands before the gate.
    pub(crate) async fn reached(&self) {
        let waiting = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
             where l.locktype = 'advisory' and not l.granted and d.datname = current_database()";
        wait_until("a reader at the gate", PATIENCE, async || {
            match count(&self.session, waiting).await {
                0 => Err("nobody"),
                _ => Ok(()),
            }
        })
        .await;
    }

    /// Lets readers pass.
    pub(crate) async fn open(self) {
        execute(&self.session, &format!("select pg_advisory_unlock({LOCK})")).await;
    }
}
