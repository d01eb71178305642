//! A run that dies at any step of a commit, and the one after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow_array::{Int64Array, RecordBatch};
use async_trait::async_trait;
use selvedge_connector::{
    CheckReport, Checkpoint, ConnectionConfig, ConnectorError, Field, Instants, LoadContext,
    LoadMode, LogicalType, Sequences, ShapedBatch, StreamIdentity, StreamSchema, SubtableBatch,
    SystemValues, TableTarget, TableWriter,
};
use selvedge_net::{Dialer, NetworkPolicy};
use selvedge_testkit::clock::FakeClock;
use selvedge_types::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::LakeDestination;
use crate::local::LocalStore;
use crate::spool::Sealed;
use crate::store::{Creation, Store};

/// Dies before, or right after, one of its changes: everything later fails.
struct Dying {
    store: LocalStore,
    changes_left: AtomicI64,
    /// The change in which it dies is carried out, but nobody hears of it.
    after: bool,
}

impl Dying {
    fn dead() -> ConnectorError {
        ConnectorError::internal("the process is gone")
    }

    /// Whether the change is carried out and told.
    fn step(&self) -> Step {
        match self.changes_left.fetch_sub(1, Ordering::Relaxed) {
            1.. => Step::Told,
            0 if self.after => Step::Untold,
            _ => Step::Never,
        }
    }
}

enum Step {
    Told,
    Untold,
    Never,
}

#[async_trait]
impl Store for Dying {
    async fn check(&self) -> CheckReport {
        self.store.check().await
    }

    async fn exists(&self, key: &str) -> Result<bool, ConnectorError> {
        self.store.exists(key).await
    }

    async fn holds(&self, key: &str, token: &str) -> Result<bool, ConnectorError> {
        self.store.holds(key, token).await
    }

    async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, ConnectorError> {
        self.store.read(key).await
    }

    async fn replace(&self, key: &str, content: Vec<u8>) -> Result<(), ConnectorError> {
        let step = self.step();
        if !matches!(step, Step::Never) {
            self.store.replace(key, content).await?;
        }
        match step {
            Step::Told => Ok(()),
            _ => Err(Self::dead()),
        }
    }

    async fn create(
        &self,
        key: &str,
        sealed: Sealed,
        token: &str,
    ) -> Result<Creation, ConnectorError> {
        let step = self.step();
        match step {
            Step::Never => Err(Self::dead()),
            Step::Told => self.store.create(key, sealed, token).await,
            Step::Untold => {
                self.store.create(key, sealed, token).await?;
                Err(Self::dead())
            }
        }
    }
}

fn context(fence: i64) -> LoadContext {
    LoadContext {
        dialer: Dialer::new(NetworkPolicy::default(), std::time::Duration::from_secs(1)),
        clock: Arc::new(FakeClock::at("2031-02-03T04:05:06.789Z")),
        stop: CancellationToken::new(),
        fence,
        run_seed: 7,
    }
}

fn target() -> TableTarget {
    TableTarget {
        identity: StreamIdentity {
            source_id: 1,
            tap_stream_id: "orders".to_owned(),
            epoch: 1,
        },
        schema_name: "shop".to_owned(),
        table_name: "orders".to_owned(),
        schema: StreamSchema::new(Vec::new()),
        key: vec!["id".to_owned()],
        mode: LoadMode::Merge,
        table_version: 0,
    }
}

fn numbers(name: &str, values: &[i64]) -> (Arc<StreamSchema>, RecordBatch) {
    let schema = StreamSchema::new(vec![Field::new(name, LogicalType::Int64)]);
    let array = Arc::new(Int64Array::from(values.to_vec()));
    let records = RecordBatch::try_new(schema.arrow_schema(), vec![array]).unwrap();
    (schema, records)
}

/// Records with these ids, one item each.
fn orders(ids: &[i64], first_sequence: i64) -> ShapedBatch {
    let now = Timestamp::from_micros(0);
    let system = SystemValues {
        extracted_at: Instants::Same(Some(now)),
        received_at: Instants::Same(Some(now)),
        batched_at: now,
        sequences: Sequences::From(first_sequence),
        table_version: 0,
    };
    let (schema, records) = numbers("id", ids);
    let mut batch = ShapedBatch::of_columns(schema, records, system);
    let (schema, records) = numbers("value", ids);
    batch.subtables.push(SubtableBatch {
        path: vec!["items".to_owned()],
        schema,
        records,
        root_rows: (0..ids.len()).map(|row| row as u32).collect(),
        levels: vec![std::iter::repeat_n(0, ids.len()).collect()],
    });
    batch
}

/// First cell and sequence of all rows below a folder.
fn rows(folder: &std::path::Path) -> Vec<(i64, i64)> {
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let text = std::fs::read_to_string(path).unwrap();
            rows.extend(text.lines().skip(1).map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                let sequence = cells[cells.len() - 2];
                (cells[0].parse().unwrap(), sequence.parse().unwrap())
            }));
        }
    }
    rows.sort_unstable();
    rows
}

/// Two commits, of which the second dies at a change; then a run that goes on from what was committed.
async fn die_at(change: i64, after: bool) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_owned();
    let properties = [("format".to_owned(), serde_json::Value::from("csv"))];
    let destination =
        LakeDestination::local_files(&ConnectionConfig::new(properties), root.clone()).unwrap();
    let store = |changes_left| {
        Arc::new(Dying {
            store: LocalStore::new(root.clone()),
            changes_left: AtomicI64::new(changes_left),
            after,
        })
    };
    let checkpoint = |number: i64| Checkpoint {
        number,
        position: Some(number.to_string()),
    };
    // The source has the ids 1 to 6; a position is the number of pairs that were read.
    let mut writer = destination
        .open_in(store(change), context(1), target())
        .await
        .unwrap();
    let mut died = false;
    for pair in 1..=2 {
        let ids = [pair * 2 - 1, pair * 2];
        writer.write(orders(&ids, pair * 100)).await.unwrap();
        if writer.commit(checkpoint(pair)).await.is_err() {
            died = true;
            break;
        }
    }
    drop(writer);
    let mut writer = destination
        .open_in(store(i64::MAX), context(2), target())
        .await
        .unwrap();
    let read: i64 = writer
        .committed_position()
        .map_or(0, |position| position.parse().unwrap());
    for pair in read + 1..=3 {
        let ids = [pair * 2 - 1, pair * 2];
        writer.write(orders(&ids, pair * 1_000)).await.unwrap();
        writer.commit(checkpoint(pair)).await.unwrap();
    }
    let table = rows(&root.join("shop/orders"));
    let ids: Vec<i64> = table.iter().map(|(id, _)| *id).collect();
    assert_eq!(
        ids,
        [1, 2, 3, 4, 5, 6],
        "died at change {change}, after: {after}"
    );
    // By source key and sequence, as documented: what a load that was cut short left is nobody's.
    let items = rows(&root.join("shop/orders/items"));
    let joined = items.iter().filter(|item| table.contains(item)).count();
    assert_eq!(joined, 6, "died at change {change}, after: {after}");
    let spooled = std::fs::read_dir(root.join(".spool")).unwrap().count();
    assert_eq!(spooled, 0);
    died
}

#[tokio::test]
async fn no_row_is_lost_or_doubled_wherever_a_run_dies() {
    for after in [false, true] {
        let mut deaths = 0;
        while die_at(deaths, after).await {
            deaths += 1;
        }
        // Two commits of four changes each: announced, items, records, done.
        assert_eq!(deaths, 8);
    }
}
