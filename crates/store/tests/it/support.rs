//! A store on either database, and a few rows to begin with.

use std::path::PathBuf;

use selvedge_store::destinations::{self, NewDestination};
use selvedge_store::jobs::{self, ClaimLimits, ClaimedJob, Enqueued, JobResult};
use selvedge_store::sources::{self, NewSource};
use selvedge_store::streams::{self, DiscoveredRow};
use selvedge_store::{Connection, Credentials, MasterKey, Store, StoreLocation, accounts};
use selvedge_testkit::postgres::TestDatabase;
use selvedge_types::job::{JobMode, JobName, JobOutcome, JobProgress, JobState, PhaseOutcome};
use selvedge_types::{AccountScope, DestinationId, Secret, SourceId, Timestamp};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// Makes every function a test on SQLite and a test on PostgreSQL.
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    Box::pin(super::$name($crate::support::Fixture::sqlite().await)).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    Box::pin(super::$name($crate::support::Fixture::postgres().await)).await;
                }
            )*
        }
    };
}

/// The instant at which every test begins.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

/// Seconds after [`START`].
pub(crate) fn after(seconds: i64) -> Timestamp {
    START.plus_seconds(seconds)
}

pub(crate) const LEASE_SECONDS: i64 = 60;

pub(crate) const ANYTHING: ClaimLimits = ClaimLimits {
    checks: true,
    syncs: true,
    running_syncs_per_account: 1_000,
};

pub(crate) fn master_key() -> MasterKey {
    MasterKey::from_bytes([42; 32])
}

/// A fresh store.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) location: StoreLocation,
    database: Raw,
}

enum Raw {
    Sqlite { path: PathBuf, _directory: TempDir },
    Postgres(TestDatabase),
}

impl Fixture {
    pub(crate) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        Self::open(
            StoreLocation::SqliteFile(path.clone()),
            Raw::Sqlite {
                path,
                _directory: directory,
            },
        )
        .await
    }

    pub(crate) async fn postgres() -> Self {
        let database = TestDatabase::create().await;
        Self::open(
            StoreLocation::Postgres(Secret::new(database.url())),
            Raw::Postgres(database),
        )
        .await
    }

    async fn open(location: StoreLocation, database: Raw) -> Self {
        Self {
            store: Store::open(location.clone(), master_key()).await.unwrap(),
            location,
            database,
        }
    }

    /// What a second process on the same database is to this one.
    pub(crate) async fn second_store(&self) -> Store {
        Store::open(self.location.clone(), master_key())
            .await
            .unwrap()
    }

    /// Runs SQL behind the store's back.
    pub(crate) async fn tamper(&self, sql: String) {
        match &self.database {
            Raw::Sqlite { path, .. } => {
                use sqlx::Connection as _;
                let mut connection = sqlx::SqliteConnection::connect(path.to_str().unwrap())
                    .await
                    .unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                    .execute(&mut connection)
                    .await
                    .unwrap();
                connection.close().await.unwrap();
            }
            Raw::Postgres(database) => {
                database.connect().await.batch_execute(&sql).await.unwrap();
            }
        }
    }

    /// Everything that a thief of the database would hold: the file and its log, or the rows of the tables with secrets as
    /// bytes.
    pub(crate) async fn stolen_bytes(&self) -> Vec<u8> {
        match &self.database {
            Raw::Sqlite { path, .. } => {
                let mut bytes = std::fs::read(path).unwrap();
                let mut log = path.clone().into_os_string();
                log.push("-wal");
                bytes.extend(std::fs::read(log).unwrap_or_default());
                bytes
            }
            Raw::Postgres(database) => {
                let client = database.connect().await;
                let mut bytes = Vec::new();
                for table in [
                    "sources",
                    "destinations",
                    "access_tokens",
                    "authorization_codes",
                    "ephemeral_tokens",
                    "import_tokens",
                    "partners",
                    "idempotency_keys",
                    "hooks",
                    "hook_messages",
                ] {
                    // The escape format shows readable bytes as they are.
                    let sql = format!(
                        "set bytea_output = 'escape'; select stolen::text from {table} as stolen"
                    );
                    for message in client.simple_query(&sql).await.unwrap() {
                        bytes.extend(format!("{message:?}").into_bytes());
                    }
                }
                bytes
            }
        }
    }

    /// An account of its own.
    pub(crate) async fn account(&self) -> AccountScope {
        let mut tx = self.store.begin().await.unwrap();
        let id = accounts::create(&mut tx, &new_account(&Uuid::new_v4().to_string()), START)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        AccountScope::of(id)
    }

    pub(crate) async fn destination(&self, scope: AccountScope) -> DestinationId {
        let mut tx = self.store.begin().await.unwrap();
        let id = destinations::create(&mut tx, scope, &new_destination(), START)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub(crate) async fn source(&self, scope: AccountScope, name: &str) -> SourceId {
        let mut tx = self.store.begin().await.unwrap();
        let id = sources::create(&mut tx, scope, &new_source(name), START)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// Streams `a` and `b`.
    pub(crate) async fn streams(&self, scope: AccountScope, source: SourceId) {
        let mut tx = self.store.begin().await.unwrap();
        let rows = [discovered("a"), discovered("b")];
        assert!(
            streams::replace_discovered(&mut tx, scope, source, &rows, START)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
    }

    pub(crate) async fn enqueue(
        &self,
        scope: AccountScope,
        connection: impl Into<Connection>,
        mode: JobMode,
    ) -> JobName {
        let mut tx = self.store.begin().await.unwrap();
        let enqueued = jobs::enqueue(
            &mut tx,
            scope,
            connection.into(),
            mode,
            Uuid::new_v4(),
            START,
        )
        .await
        .unwrap();
        tx.commit().await.unwrap();
        match enqueued {
            Enqueued::Created(name) => name,
            other => panic!("not enqueued: {other:?}"),
        }
    }

    pub(crate) async fn claim(&self, now: Timestamp) -> Option<ClaimedJob> {
        claim(&self.store, now, ANYTHING).await
    }

    /// Ends a job successfully; `false` when the lease was lost.
    pub(crate) async fn finish(&self, job: &ClaimedJob, now: Timestamp) -> bool {
        let mut tx = self.store.begin().await.unwrap();
        let finished = jobs::finish(&mut tx, &job.name, job.fence, &success(), now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        finished
    }

    pub(crate) async fn state(&self, job: &JobName) -> JobState {
        let mut tx = self.store.read().await.unwrap();
        jobs::find(&mut tx, AccountScope::of(job.account), job)
            .await
            .unwrap()
            .unwrap()
            .state
    }
}

pub(crate) async fn claim(
    store: &Store,
    now: Timestamp,
    limits: ClaimLimits,
) -> Option<ClaimedJob> {
    let mut tx = store.begin().await.unwrap();
    let claimed = jobs::claim(&mut tx, "node-1/worker-1", now, LEASE_SECONDS, &limits)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    claimed
}

pub(crate) fn success() -> JobResult {
    JobResult {
        state: JobState::Succeeded,
        outcome: JobOutcome {
            discovery: PhaseOutcome::succeeded(),
            tap: PhaseOutcome::succeeded(),
            target: PhaseOutcome::succeeded(),
        },
        check: PhaseOutcome::default(),
        progress: JobProgress {
            row_count: 7,
            size_bytes: 700,
            streams_done: 2,
            streams_total: 2,
        },
    }
}

pub(crate) fn new_account(name: &str) -> accounts::NewAccount {
    accounts::NewAccount {
        company: "Company".to_owned(),
        region: "eu-central-1".to_owned(),
        first_name: "First".to_owned(),
        last_name: "Last".to_owned(),
        email: format!("{name}@example.com"),
        partner_id: None,
        plan: None,
    }
}

pub(crate) fn new_destination() -> NewDestination {
    NewDestination {
        destination_type: "sqlite".to_owned(),
        name: "warehouse".to_owned(),
        description: None,
        properties: object(json!({"path": "warehouse.db"})),
        credentials: password("destination-secret"),
    }
}

pub(crate) fn new_source(name: &str) -> NewSource {
    NewSource {
        source_type: "platform.postgres".to_owned(),
        display_name: name.to_owned(),
        name: name.to_owned(),
        properties: object(json!({"host": "db.example.com", "frequency_in_minutes": "60"})),
        credentials: password("source-secret"),
        destination_id: None,
        ready_at: None,
    }
}

pub(crate) fn password(text: &str) -> Credentials {
    Credentials::new([("password".to_owned(), Value::from(text))])
}

pub(crate) fn discovered(tap_stream_id: &str) -> DiscoveredRow {
    DiscoveredRow {
        tap_stream_id: tap_stream_id.to_owned(),
        stream_name: format!("table_{tap_stream_id}"),
        schema: json!({"type": "object", "properties": {"id": {"type": ["integer"]}}}),
        metadata: object(json!({"table-key-properties": ["id"], "row-count": 3})),
        field_metadata: json!({"id": {"inclusion": "automatic"}}),
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}
