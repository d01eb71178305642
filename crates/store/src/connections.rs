//! Sources and destinations where both are treated alike: jobs run on them, they are locked, and they hold settings and
//! credentials.

use selvedge_types::job::JobName;
use selvedge_types::{AccountScope, DestinationId, SourceId};
use serde_json::{Map, Value as Json};

use crate::cipher::Purpose;
use crate::row::Row;
use crate::value::values;
use crate::{Credentials, ReadTx, StoreError, Tx};

/// What a job runs on, and what a fence belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connection {
    Source(SourceId),
    Destination(DestinationId),
}

impl Connection {
    /// The bare number, as it stands in job names.
    pub fn id(self) -> i64 {
        match self {
            Connection::Source(id) => id.0,
            Connection::Destination(id) => id.0,
        }
    }

    /// `source` or `destination`, as stored.
    pub fn kind(self) -> &'static str {
        self.either("source", "destination")
    }

    fn table(self) -> &'static str {
        self.either("sources", "destinations")
    }

    fn either<T>(self, source: T, destination: T) -> T {
        match self {
            Connection::Source(_) => source,
            Connection::Destination(_) => destination,
        }
    }

    pub(crate) fn parse(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "source" => Some(Connection::Source(SourceId(id))),
            "destination" => Some(Connection::Destination(DestinationId(id))),
            _ => None,
        }
    }
}

impl From<SourceId> for Connection {
    fn from(id: SourceId) -> Self {
        Connection::Source(id)
    }
}

impl From<DestinationId> for Connection {
    fn from(id: DestinationId) -> Self {
        Connection::Destination(id)
    }
}

macro_rules! of_account {
    () => {
        "
        where account_id = $1
            and id = $2"
    };
}

macro_rules! live {
    () => {
        concat!(
            of_account!(),
            "
            and deleted_at is null"
        )
    };
}

statements! {
    LOCK_SOURCE = concat!("update sources
        set updated_at = updated_at", of_account!());
    LOCK_DESTINATION = concat!("update destinations
        set updated_at = updated_at", of_account!());
    LOCK_LIVE_SOURCE = concat!("update sources
        set updated_at = updated_at", live!());
    LOCK_LIVE_DESTINATION = concat!("update destinations
        set updated_at = updated_at", live!());
    FIND_LIVE_SOURCE = concat!("select id
        from sources", live!());
    FIND_LIVE_DESTINATION = concat!("select id
        from destinations", live!());
    SET_CREDENTIALS_SOURCE = concat!("update sources
        set credentials = $3", of_account!());
    SET_CREDENTIALS_DESTINATION = concat!("update destinations
        set credentials = $3", of_account!());
    SET_CHECK_JOB_SOURCE = concat!("update sources
        set check_job_name = $3", of_account!());
    SET_CHECK_JOB_DESTINATION = concat!("update destinations
        set check_job_name = $3", of_account!());
}

/// Keeps everybody else from changing the connection before this transaction ends. `false` when the account has none, not
/// even a deleted one.
pub async fn lock(
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
) -> Result<bool, StoreError> {
    let sql = connection.either(LOCK_SOURCE, LOCK_DESTINATION);
    Ok(tx.execute(sql, values![scope, connection.id()]).await? == 1)
}

/// Like [`lock`], for live connections only: whatever is made for one is there to be found by whoever deletes it.
pub async fn lock_live(
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
) -> Result<bool, StoreError> {
    let sql = connection.either(LOCK_LIVE_SOURCE, LOCK_LIVE_DESTINATION);
    Ok(tx.execute(sql, values![scope, connection.id()]).await? == 1)
}

/// Whether the account has this connection and it is not deleted.
pub async fn is_live(
    tx: &mut ReadTx,
    scope: AccountScope,
    connection: Connection,
) -> Result<bool, StoreError> {
    let sql = connection.either(FIND_LIVE_SOURCE, FIND_LIVE_DESTINATION);
    let row = tx
        .fetch_optional(sql, values![scope, connection.id()])
        .await?;
    Ok(row.is_some())
}

/// Remembers the newest check. `false` when the account has no such connection.
pub async fn set_check_job(
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
    job: &JobName,
) -> Result<bool, StoreError> {
    let sql = connection.either(SET_CHECK_JOB_SOURCE, SET_CHECK_JOB_DESTINATION);
    let values = values![scope, connection.id(), job.to_string()];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Gives a new connection its credentials, which are bound to its id and therefore cannot be part of the insert.
pub(crate) async fn set_credentials(
    tx: &mut Tx,
    scope: AccountScope,
    connection: Connection,
    credentials: &Credentials,
) -> Result<(), StoreError> {
    if let Some(sealed) = seal(tx, scope, connection, credentials)? {
        let sql = connection.either(SET_CREDENTIALS_SOURCE, SET_CREDENTIALS_DESTINATION);
        tx.execute(sql, values![scope, connection.id(), sealed])
            .await?;
    }
    Ok(())
}

/// The stored form of a connection's credentials.
pub(crate) fn seal(
    tx: &ReadTx,
    scope: AccountScope,
    connection: Connection,
    credentials: &Credentials,
) -> Result<Option<Vec<u8>>, StoreError> {
    credentials.seal(tx.cipher(), purpose(scope, connection))
}

/// The column `credentials` of a row, decrypted.
pub(crate) fn credentials(
    tx: &ReadTx,
    scope: AccountScope,
    connection: Connection,
    row: &Row,
) -> Result<Credentials, StoreError> {
    let sealed = row.optional_blob("credentials")?;
    Credentials::open(tx.cipher(), purpose(scope, connection), sealed.as_deref())
        .ok_or_else(|| StoreError::corrupt(connection.table(), "credentials", connection.id()))
}

/// The column `properties` of a row.
pub(crate) fn properties(
    connection: Connection,
    row: &Row,
) -> Result<Map<String, Json>, StoreError> {
    row.object(connection.table(), "properties", connection.id())
}

/// The stored form of properties.
pub(crate) fn properties_text(properties: &Map<String, Json>) -> String {
    serde_json::to_string(properties).expect("JSON objects always serialize")
}

/// The column `check_job_name` of a row.
pub(crate) fn check_job(connection: Connection, row: &Row) -> Result<Option<JobName>, StoreError> {
    row.optional_text("check_job_name")?
        .map(|name| name.parse())
        .transpose()
        .map_err(|_| StoreError::corrupt(connection.table(), "check_job_name", connection.id()))
}

fn purpose(scope: AccountScope, connection: Connection) -> Purpose {
    Purpose::Credentials(scope.account(), connection)
}
