//! Opening the database, and handing out transactions.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use selvedge_types::Secret;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, PgPool, SqlitePool};
use uuid::Uuid;

use crate::cipher::{Cipher, MasterKey, Purpose};
use crate::commits::Commits;
use crate::reader::Readers;
use crate::tx::{Inner, ReadTx, Tx};
use crate::value::values;
use crate::{StoreError, migrate, neighbours};

/// How long a connection waits for its turn, before the caller hears [`StoreError::Unavailable`].
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long SQLite waits for another process (the command line beside the server) to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);

/// Between two attempts to switch a new file to the write-ahead log, which takes another process a few milliseconds.
const SWITCH_RETRY: Duration = Duration::from_millis(20);

/// Sessions per process on PostgreSQL: several nodes fit into its default limit of 100.
const POSTGRES_SESSIONS: u32 = 16;

/// How long an unused session is taken for a living one. Longer ago, the server may have been restarted.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// The plaintext of the check value; only its decryption matters.
const KEY_CHECK: &[u8] = b"selvedge";

statements! {
    /// Does nothing but ask whether the database answers.
    READY = "select 1";
    FIND_META = "select text_value, blob_value
        from meta
        where key = $1";
    INSERT_META = "insert into meta (key, text_value, blob_value)
        values ($1, $2, $3)";
}

/// Where the control plane lives.
#[derive(Clone, Debug)]
pub enum StoreLocation {
    /// A file in a directory that exists; created, readable by its owner only, when it is missing.
    SqliteFile(PathBuf),
    /// A `postgres://` URL.
    Postgres(Secret),
}

/// A handle on the control-plane database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    database: Database,
    cipher: Arc<Cipher>,
    commits: Commits,
    instance_id: Uuid,
}

#[derive(Clone)]
enum Database {
    /// One writer, because SQLite has one at a time anyway: waiting in our queue is fair, waiting in SQLite is not.
    Sqlite {
        writer: SqlitePool,
        readers: Arc<Readers>,
    },
    Postgres(PgPool),
}

impl Store {
    /// Connects, applies missing migrations, and checks the master key. The first key ever used is the right one.
    pub async fn open(location: StoreLocation, key: MasterKey) -> Result<Self, StoreError> {
        let database = match location {
            StoreLocation::SqliteFile(path) => Database::sqlite(&path).await?,
            StoreLocation::Postgres(url) => Database::postgres(&url).await?,
        };
        let cipher = Arc::new(Cipher::new(key));
        // One server per file; on PostgreSQL others are heard of when somebody listens.
        let commits = Commits::new(matches!(database, Database::Sqlite { .. }));
        let mut tx = database.begin(&cipher, &commits).await?;
        migrate::run(&mut tx).await?;
        check_key(&mut tx).await?;
        let instance_id = instance_id(&mut tx).await?;
        tx.commit().await?;
        Ok(Self {
            database,
            cipher,
            commits,
            instance_id,
        })
    }

    /// Begins a write transaction.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        self.database.begin(&self.cipher, &self.commits).await
    }

    /// Hears of what other servers commit to the same database, until the store is closed: what long-lived processes need that
    /// remember what they read. The command line beside an embedded store is not heard.
    pub async fn hear_others(&self) {
        if let Database::Postgres(pool) = &self.database {
            neighbours::listen(pool.clone(), self.commits.clone()).await;
        }
    }

    /// Grows with every write transaction that this process commits, before the commit returns, and as soon as another server's
    /// commit is heard of ([`Store::hear_others`]; without it, with every call). While it stays the same, nothing that was read is
    /// known to have changed.
    pub fn commit_count(&self) -> u64 {
        self.commits.count()
    }

    /// Begins a read transaction, which sees one state of the database throughout.
    pub async fn read(&self) -> Result<ReadTx, StoreError> {
        let inner = match &self.database {
            Database::Sqlite { readers, .. } => {
                Inner::Reader(readers.begin(ACQUIRE_TIMEOUT).await?)
            }
            Database::Postgres(pool) => Inner::Postgres(
                pool.begin_with("begin isolation level repeatable read read only")
                    .await?,
            ),
        };
        Ok(ReadTx::new(inner, Arc::clone(&self.cipher)))
    }

    /// For one statement, or several that do not depend on each other: each may see a state of its own. Spares
    /// PostgreSQL the round trips of a transaction, and SQLite its statements.
    pub async fn look_up(&self) -> Result<ReadTx, StoreError> {
        match &self.database {
            Database::Sqlite { readers, .. } => {
                let reader = Inner::Reader(readers.take(ACQUIRE_TIMEOUT).await?);
                Ok(ReadTx::new(reader, Arc::clone(&self.cipher)))
            }
            Database::Postgres(pool) => {
                let session = Inner::Session(pool.acquire().await?);
                Ok(ReadTx::new(session, Arc::clone(&self.cipher)))
            }
        }
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.read().await?.fetch_one(READY, values![]).await?;
        Ok(())
    }

    /// Version of the newest migration that the database has.
    pub async fn migration_version(&self) -> Result<i64, StoreError> {
        migrate::version(&mut self.read().await?).await
    }

    /// Random, and the same for everyone who opens this database.
    pub fn instance_id(&self) -> Uuid {
        self.instance_id
    }

    /// Waits for running transactions and closes all connections; SQLite folds its log into the file.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Database::Postgres(pool) => pool.close().await,
        }
    }
}

impl Database {
    async fn sqlite(path: &Path) -> Result<Self, StoreError> {
        create_private_file(path).map_err(|error| StoreError::io(&error))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .pragma("trusted_schema", "off")
            .disable_statement_logging();
        let writing = options
            .journal_mode(SqliteJournalMode::Wal)
            // `normal` may forget an acknowledged write when the power fails.
            .synchronous(SqliteSynchronous::Full);
        let writer = open_writer(writing).await?;
        let readers = Readers::open(path, BUSY_TIMEOUT)?;
        Ok(Self::Sqlite { writer, readers })
    }

    async fn postgres(url: &Secret) -> Result<Self, StoreError> {
        let options = url
            .expose()
            .parse::<PgConnectOptions>()?
            .application_name("selvedge")
            .disable_statement_logging();
        // The pool would try for a while and then speak of a timeout; one connection says at once what is wrong.
        options.connect().await?.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_SESSIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A session that was used a moment ago is asked for signs of life by nobody: that is a round trip for each
            // transaction.
            .test_before_acquire(false)
            .before_acquire(|session, usage| {
                Box::pin(async move {
                    if usage.idle_for > TRUSTED_IDLE {
                        session.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Ok(Self::Postgres(pool))
    }

    async fn begin(&self, cipher: &Arc<Cipher>, commits: &Commits) -> Result<Tx, StoreError> {
        let inner = match self {
            // Immediate: a transaction that begins by reading could not become a writer after somebody else wrote.
            Self::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("begin immediate").await?)
            }
            Self::Postgres(pool) => Inner::Postgres(pool.begin_with(neighbours::BEGIN).await?),
        };
        Ok(Tx::new(inner, Arc::clone(cipher), commits.clone()))
    }
}

/// Opens the one writing connection.
///
/// Whoever opens a new file first switches it to the write-ahead log. That needs the file alone and, unlike everything
/// else, does not wait for it: of two processes that start together, the later one is told to try again.
async fn open_writer(options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let deadline = tokio::time::Instant::now() + BUSY_TIMEOUT;
    loop {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            // SQLite itself rolls back what meets a full disk. The driver counts that transaction as open ever after and
            // begins no other on the connection.
            .before_acquire(|connection, _| {
                let usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            })
            .connect_with(options.clone())
            .await;
        match pool.map_err(StoreError::from) {
            Err(error) if error.is_busy() && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(SWITCH_RETRY).await;
            }
            opened => return opened,
        }
    }
}

/// SQLite gives its log and shared-memory files the permissions of the database file.
fn create_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop)
}

/// Refuses a key other than the one this database was created with.
async fn check_key(tx: &mut Tx) -> Result<(), StoreError> {
    const NAME: &str = "master_key_check";
    let stored = tx.fetch_optional(FIND_META, values![NAME]).await?;
    match stored {
        Some(row) => {
            let sealed = row
                .optional_blob("blob_value")?
                .ok_or_else(|| StoreError::corrupt("meta", "blob_value", NAME))?;
            match tx.cipher().open(&Purpose::KeyCheck, &sealed) {
                Some(plain) if plain.as_slice() == KEY_CHECK => Ok(()),
                _ => Err(StoreError::WrongMasterKey),
            }
        }
        None => {
            let sealed = tx.cipher().seal(&Purpose::KeyCheck, KEY_CHECK)?;
            tx.execute(INSERT_META, values![NAME, None::<String>, sealed])
                .await?;
            Ok(())
        }
    }
}

async fn instance_id(tx: &mut Tx) -> Result<Uuid, StoreError> {
    const NAME: &str = "instance_id";
    if let Some(row) = tx.fetch_optional(FIND_META, values![NAME]).await? {
        return row
            .optional_text("text_value")?
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| StoreError::corrupt("meta", "text_value", NAME));
    }
    let id = Uuid::new_v4();
    tx.execute(INSERT_META, values![NAME, id.to_string(), None::<Vec<u8>>])
        .await?;
    Ok(id)
}
