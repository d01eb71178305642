//! Changes in a source whose every row says what it is, and an oracle that judges what arrived.
//!
//! Each row carries its table, its key, its version and a check of the three. Versions come from one counter, so they
//! also serve as replication key. The workload remembers which version each key had after each transaction; afterwards
//! [`Workload::verify`] tells gaps, stale versions, resurrected deletes, duplicates and rows that never were.
//!
//! ```no_run
//! # async fn example(mut source: tokio_postgres::Client, target: tokio_postgres::Client) -> anyhow::Result<()> {
//! use selvedge_testkit::workload::{DeliveredRow, Promise, Workload};
//!
//! let mut workload = Workload::standard(7);
//! workload.create(&mut source).await?;
//! workload.fill(&mut source, 1_000).await?;
//! workload.change(&mut source, 200).await?;
//! // … replicate …
//! let rows = DeliveredRow::read(&target, "shop.keyed").await?;
//! workload.verify("keyed", Promise::Mirror, workload.now(), &rows).unwrap();
//! # Ok(())
//! # }
//! ```

mod delivered;
mod history;
mod oracle;
mod seed;
mod table;

#[cfg(test)]
mod tests;

use async_trait::async_trait;

pub use delivered::DeliveredRow;
pub use history::{Moment, Window};
pub use oracle::{Promise, Violation, Violations};
pub use seed::Seed;
pub use table::{TableKind, WorkloadTable, row_check};

use history::History;

/// A source that the workload changes. One SQL text serves all: literals only, nothing dialect-specific.
#[async_trait]
pub trait WorkloadDatabase: Send {
    /// Runs statements parted by semicolons; some open and commit a transaction.
    async fn execute(&mut self, statements: &str) -> anyhow::Result<()>;
}

#[async_trait]
impl WorkloadDatabase for tokio_postgres::Client {
    async fn execute(&mut self, statements: &str) -> anyhow::Result<()> {
        Ok(self.batch_execute(statements).await?)
    }
}

/// Tables, their changes so far, and where the next ones come from.
#[derive(Clone, Debug)]
pub struct Workload {
    seed: Seed,
    tables: Vec<TableState>,
    last_version: i64,
}

#[derive(Clone, Debug)]
struct TableState {
    table: WorkloadTable,
    history: History,
    /// Keys that exist, in no order; `deleted` are those that did.
    live: Vec<i64>,
    deleted: Vec<i64>,
    last_key: i64,
}

impl Workload {
    /// A workload over these tables. The same seed and calls make the same changes.
    pub fn new(seed: u64, tables: Vec<WorkloadTable>) -> Self {
        let tables = tables.into_iter().map(|table| TableState {
            table,
            history: History::default(),
            live: Vec::new(),
            deleted: Vec::new(),
            last_key: 0,
        });
        Self {
            seed: Seed::new(seed),
            tables: tables.collect(),
            last_version: 0,
        }
    }

    /// One table of each kind: `keyed`, `keyless`, `wide` and `sparse`.
    pub fn standard(seed: u64) -> Self {
        let tables = TableKind::ALL.map(|kind| WorkloadTable::new(kind.default_name(), kind));
        Self::new(seed, tables.into())
    }

    /// The tables.
    pub fn tables(&self) -> impl Iterator<Item = &WorkloadTable> {
        self.tables.iter().map(|state| &state.table)
    }

    /// Creates the tables in the session's current schema.
    pub async fn create(&self, database: &mut dyn WorkloadDatabase) -> anyhow::Result<()> {
        let statements: Vec<_> = self.tables().map(WorkloadTable::create_statement).collect();
        database.execute(&statements.join(";")).await
    }

    /// Inserts `rows` rows into every table, in one transaction.
    pub async fn fill(
        &mut self,
        database: &mut dyn WorkloadDatabase,
        rows: usize,
    ) -> anyhow::Result<()> {
        let mut statements = String::from("begin");
        let commit = self.now().next();
        for state in &mut self.tables {
            let mut rows_left = rows;
            while rows_left > 0 {
                let count = rows_left.min(200);
                let versions: Vec<_> = (0..count)
                    .map(|_| {
                        self.last_version += 1;
                        (
                            state.insert_new(commit, self.last_version),
                            self.last_version,
                        )
                    })
                    .collect();
                statements.push(';');
                statements.push_str(&state.table.insert_statement(&versions));
                rows_left -= count;
            }
        }
        statements.push_str(";commit");
        database.execute(&statements).await
    }

    /// Makes `changes` inserts, updates, deletes and repeated inserts over all tables, in one transaction.
    ///
    /// When it fails, the workload no longer knows what the source holds: the test is over.
    pub async fn change(
        &mut self,
        database: &mut dyn WorkloadDatabase,
        changes: usize,
    ) -> anyhow::Result<()> {
        let mut statements = String::from("begin");
        let commit = self.now().next();
        for _ in 0..changes {
            let chosen = self.seed.below(self.tables.len());
            self.last_version += 1;
            let version = self.last_version;
            statements.push(';');
            let statement = self.tables[chosen].change(&mut self.seed, commit, version);
            statements.push_str(&statement);
        }
        statements.push_str(";commit");
        database.execute(&statements).await
    }

    /// The state of the source after everything so far.
    pub fn now(&self) -> Moment {
        self.tables
            .iter()
            .map(|state| state.history.newest())
            .max()
            .unwrap_or_default()
    }

    /// Number of rows the source's table holds.
    ///
    /// # Panics
    /// When there is no such table.
    pub fn row_count(&self, table: &str) -> usize {
        self.state(table).live.len()
    }

    /// Judges all rows of one destination table after a run that read the source within `window`. A source at rest is a
    /// [`Moment`]; one that changed meanwhile is a [`Window`] from the run's start to its end.
    ///
    /// # Panics
    /// When there is no such table.
    pub fn verify(
        &self,
        table: &str,
        promise: Promise,
        window: impl Into<Window>,
        rows: &[DeliveredRow],
    ) -> Result<(), Violations> {
        let history = &self.state(table).history;
        oracle::judge(table, history, promise, window.into(), rows)
    }

    fn state(&self, table: &str) -> &TableState {
        self.tables
            .iter()
            .find(|state| state.table.name() == table)
            .unwrap_or_else(|| panic!("the workload has no table {table}"))
    }
}

impl TableState {
    fn insert_new(&mut self, commit: Moment, version: i64) -> i64 {
        self.last_key += 1;
        self.live.push(self.last_key);
        self.history.record(self.last_key, commit, Some(version));
        self.last_key
    }

    /// One change as a statement. Out of ten: three inserts (now and then of a deleted key), five updates, two deletes.
    fn change(&mut self, seed: &mut Seed, commit: Moment, version: i64) -> String {
        let kind = seed.below(10);
        if kind < 3 || self.live.is_empty() {
            let key = if !self.deleted.is_empty() && seed.below(3) == 0 {
                let key = self.deleted.swap_remove(seed.below(self.deleted.len()));
                self.live.push(key);
                self.history.record(key, commit, Some(version));
                key
            } else {
                self.insert_new(commit, version)
            };
            return self.table.insert_statement(&[(key, version)]);
        }
        let position = seed.below(self.live.len());
        let key = self.live[position];
        if kind < 8 {
            self.history.record(key, commit, Some(version));
            self.table.update_statement(key, version)
        } else {
            self.live.swap_remove(position);
            self.deleted.push(key);
            self.history.record(key, commit, None);
            self.table.delete_statement(key)
        }
    }
}
