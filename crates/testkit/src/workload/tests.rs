//! The oracle must let right destinations pass and catch every kind of wrong one.

use super::*;
use crate::effort;
use crate::postgres::TestDatabase;

struct Sqlite(rusqlite::Connection);

impl Sqlite {
    fn open() -> Self {
        Self(rusqlite::Connection::open_in_memory().unwrap())
    }

    fn rows(&self, table: &str) -> Vec<DeliveredRow> {
        let mut statement = self
            .0
            .prepare(&format!("select {} from {table}", DeliveredRow::COLUMNS))
            .unwrap();
        let rows = statement.query_map([], |row| {
            Ok(DeliveredRow {
                table: row.get(0)?,
                key: row.get(1)?,
                version: row.get(2)?,
                check: row.get(3)?,
            })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }
}

#[async_trait]
impl WorkloadDatabase for Sqlite {
    async fn execute(&mut self, statements: &str) -> anyhow::Result<()> {
        Ok(self.0.execute_batch(statements)?)
    }
}

/// A workload after some changes, and what its `keyed` table held before the last ones.
async fn changed(seed: u64) -> (Workload, Sqlite, Vec<DeliveredRow>, Moment) {
    let mut database = Sqlite::open();
    let mut workload = Workload::standard(seed);
    workload.create(&mut database).await.unwrap();
    workload.fill(&mut database, 40).await.unwrap();
    workload.change(&mut database, 60).await.unwrap();
    let (before, moment) = (database.rows("keyed"), workload.now());
    workload.change(&mut database, 120).await.unwrap();
    (workload, database, before, moment)
}

fn kinds(result: Result<(), Violations>) -> Vec<&'static str> {
    let mut kinds: Vec<_> = result
        .err()
        .map(|violations| violations.violations)
        .unwrap_or_default()
        .iter()
        .map(|violation| match violation {
            Violation::Gap { .. } => "gap",
            Violation::Stale { .. } => "stale",
            Violation::Resurrected { .. } => "resurrected",
            Violation::Duplicate { .. } => "duplicate",
            Violation::Unknown { .. } => "unknown",
            Violation::Corrupt { .. } => "corrupt",
        })
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

#[tokio::test]
async fn the_source_itself_keeps_every_promise_for_many_seeds() {
    for seed in effort::seeds(20) {
        let (workload, database, _, _) = changed(seed).await;
        for table in workload.tables() {
            let rows = database.rows(table.name());
            assert_eq!(rows.len(), workload.row_count(table.name()));
            for promise in [Promise::Mirror, Promise::Upsert, Promise::Append] {
                let verdict = workload.verify(table.name(), promise, workload.now(), &rows);
                verdict.unwrap_or_else(|violations| panic!("seed {seed}: {violations}"));
            }
        }
    }
}

#[tokio::test]
async fn postgres_takes_the_same_workload() {
    let database = TestDatabase::create().await;
    let mut client = database.connect().await;
    let mut workload = Workload::standard(3);
    workload.create(&mut client).await.unwrap();
    workload.fill(&mut client, 300).await.unwrap();
    workload.change(&mut client, 200).await.unwrap();
    for table in workload.tables() {
        let rows = DeliveredRow::read(&client, table.name()).await.unwrap();
        let verdict = workload.verify(table.name(), Promise::Mirror, workload.now(), &rows);
        verdict.unwrap();
    }
}

#[tokio::test]
async fn the_same_seed_makes_the_same_rows() {
    let (_, first, _, _) = changed(9).await;
    let (_, second, _, _) = changed(9).await;
    let (_, other, _, _) = changed(10).await;
    assert_eq!(first.rows("wide"), second.rows("wide"));
    assert_ne!(first.rows("wide"), other.rows("wide"));
}

#[tokio::test]
async fn a_missing_row_is_a_gap_and_a_repeated_one_a_duplicate() {
    let (workload, database, _, _) = changed(1).await;
    let mut rows = database.rows("keyed");
    let row = rows.pop().unwrap();
    let mirror = |rows: &[DeliveredRow]| {
        kinds(workload.verify("keyed", Promise::Mirror, workload.now(), rows))
    };
    assert_eq!(mirror(&rows), ["gap"]);
    rows.extend([row.clone(), row]);
    assert_eq!(mirror(&rows), ["duplicate"]);
    let append = workload.verify("keyed", Promise::Append, workload.now(), &rows);
    append.expect("an append may repeat rows");
}

#[tokio::test]
async fn rows_of_yesterday_are_stale_gone_and_resurrected() {
    let (workload, _, before, moment) = changed(2).await;
    let now = workload.now();
    let mirror = kinds(workload.verify("keyed", Promise::Mirror, now, &before));
    assert_eq!(mirror, ["gap", "resurrected", "stale"]);
    let upsert = kinds(workload.verify("keyed", Promise::Upsert, now, &before));
    assert_eq!(upsert, ["gap", "stale"]);
    let window = Window {
        from: moment,
        to: now,
    };
    let during = workload.verify("keyed", Promise::Mirror, window, &before);
    during.expect("a run that started then may have seen those rows");
}

#[tokio::test]
async fn rows_from_nowhere_and_mixed_rows_are_told() {
    let (workload, database, before, moment) = changed(4).await;
    let rows = database.rows("keyed");
    let early = kinds(workload.verify("keyed", Promise::Append, moment, &rows));
    assert!(
        early.contains(&"unknown"),
        "the future is unknown: {early:?}"
    );

    let mut mixed = before.clone();
    mixed[0].check = mixed[1].check.clone();
    let mirror = kinds(workload.verify("keyed", Promise::Mirror, moment, &mixed));
    assert_eq!(mirror, ["corrupt", "gap"]);

    let mut nameless = before;
    nameless[0].key = None;
    let append = kinds(workload.verify("keyed", Promise::Append, moment, &nameless));
    assert_eq!(append, ["corrupt", "gap"]);
}
