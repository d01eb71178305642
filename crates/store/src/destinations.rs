//! Destinations: where an account's data goes.

use selvedge_types::job::JobName;
use selvedge_types::{AccountId, AccountScope, DestinationId, SourceId, Timestamp};
use serde_json::{Map, Value as Json};

use crate::row::Row;
use crate::value::values;
use crate::{Credentials, ReadTx, StoreError, Tx, connections};

/// What a destination is created from.
#[derive(Clone, Debug)]
pub struct NewDestination {
    pub destination_type: String,
    pub name: String,
    pub description: Option<String>,
    /// Everything but credentials.
    pub properties: Map<String, Json>,
    pub credentials: Credentials,
}

/// A stored destination.
#[derive(Clone, Debug)]
pub struct DestinationRecord {
    pub id: DestinationId,
    pub account: AccountId,
    pub destination_type: String,
    pub name: String,
    pub description: Option<String>,
    /// Everything but credentials.
    pub properties: Map<String, Json>,
    pub credentials: Credentials,
    /// The newest check.
    pub check_job_name: Option<JobName>,
    pub paused_at: Option<Timestamp>,
    pub system_paused_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "destinations.id, destinations.account_id, destinations.type, destinations.name, destinations.description,
            destinations.properties, destinations.credentials, destinations.check_job_name, destinations.paused_at,
            destinations.system_paused_at, destinations.created_at, destinations.updated_at, destinations.deleted_at"
    };
}

statements! {
    INSERT = "insert into destinations (account_id, type, name, description, properties, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        returning id";
    FIND = concat!("select ", columns!(), "
        from destinations
        where account_id = $1
            and id = $2");
    LIST = concat!("select ", columns!(), "
        from destinations
        where account_id = $1
            and deleted_at is null
        order by id");
    FIND_FOR_SOURCE = concat!("select ", columns!(), "
        from destinations
        join sources on sources.destination_id = destinations.id
        where destinations.account_id = $1
            and destinations.deleted_at is null
            and sources.account_id = $1
            and sources.deleted_at is null
            and sources.id = $2");
    COUNT_LIVE = "select count(*) as live_count
        from destinations
        where account_id = $1
            and deleted_at is null";
    LIVE_NAMES = "select name
        from destinations
        where account_id = $1
            and deleted_at is null
        order by id";
    UPDATE = "update destinations
        set name = $3, description = $4, properties = $5, credentials = $6, paused_at = $7, system_paused_at = $8,
            updated_at = $9
        where account_id = $1
            and id = $2
            and deleted_at is null";
    MARK_VERIFIED = "update destinations
        set verified_at = $3
        where account_id = $1
            and id = $2
            and verified_at is null";
    DELETE = "update destinations
        set deleted_at = $3, updated_at = $3
        where account_id = $1
            and id = $2
            and deleted_at is null";
}

/// Stores a new destination.
pub async fn create(
    tx: &mut Tx,
    scope: AccountScope,
    new: &NewDestination,
    now: Timestamp,
) -> Result<DestinationId, StoreError> {
    let values = values![
        scope,
        new.destination_type.as_str(),
        new.name.as_str(),
        new.description.as_deref(),
        connections::properties_text(&new.properties),
        now,
    ];
    let id = DestinationId(tx.fetch_one(INSERT, values).await?.integer("id")?);
    connections::set_credentials(tx, scope, id.into(), &new.credentials).await?;
    Ok(id)
}

/// The destination, also when it is deleted.
pub async fn find(
    tx: &mut ReadTx,
    scope: AccountScope,
    id: DestinationId,
) -> Result<Option<DestinationRecord>, StoreError> {
    let row = tx.fetch_optional(FIND, values![scope, id]).await?;
    row.map(|row| record(tx, scope, &row)).transpose()
}

/// Like [`find`], and nobody else changes the destination before this transaction ends.
pub async fn find_for_update(
    tx: &mut Tx,
    scope: AccountScope,
    id: DestinationId,
) -> Result<Option<DestinationRecord>, StoreError> {
    connections::lock(tx, scope, id.into()).await?;
    find(tx, scope, id).await
}

/// The account's live destinations in the order of their ids.
pub async fn list(
    tx: &mut ReadTx,
    scope: AccountScope,
) -> Result<Vec<DestinationRecord>, StoreError> {
    let rows = tx.fetch_all(LIST, values![scope]).await?;
    rows.iter().map(|row| record(tx, scope, row)).collect()
}

/// The live destination that a live source is mapped to.
pub async fn find_for_source(
    tx: &mut ReadTx,
    scope: AccountScope,
    source: SourceId,
) -> Result<Option<DestinationRecord>, StoreError> {
    let row = tx
        .fetch_optional(FIND_FOR_SOURCE, values![scope, source])
        .await?;
    row.map(|row| record(tx, scope, &row)).transpose()
}

pub async fn count_live(tx: &mut ReadTx, scope: AccountScope) -> Result<u64, StoreError> {
    let row = tx.fetch_one(COUNT_LIVE, values![scope]).await?;
    Ok(row.integer("live_count")?.unsigned_abs())
}

/// Names of the live destinations, which need not be unique.
pub async fn live_names(tx: &mut ReadTx, scope: AccountScope) -> Result<Vec<String>, StoreError> {
    tx.fetch_all(LIVE_NAMES, values![scope])
        .await?
        .iter()
        .map(|row| row.text("name"))
        .collect()
}

/// Writes name, description, properties, credentials and pauses of a live destination. `false` when there is none.
pub async fn update(
    tx: &mut Tx,
    scope: AccountScope,
    destination: &DestinationRecord,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sealed = connections::seal(tx, scope, destination.id.into(), &destination.credentials)?;
    let values = values![
        scope,
        destination.id,
        destination.name.as_str(),
        destination.description.as_deref(),
        connections::properties_text(&destination.properties),
        sealed,
        destination.paused_at,
        destination.system_paused_at,
        now,
    ];
    Ok(tx.execute(UPDATE, values).await? == 1)
}

/// Notes the first check that succeeded: from then on, sources that load into the destination are scheduled.
pub async fn mark_verified(
    tx: &mut Tx,
    scope: AccountScope,
    id: DestinationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(MARK_VERIFIED, values![scope, id, now]).await?;
    Ok(())
}

/// Marks a destination deleted. Its sources and jobs are the caller's concern: [`crate::sources::unmap_from`],
/// [`crate::jobs::request_stop`]. `false` when there is no such live destination.
pub async fn delete(
    tx: &mut Tx,
    scope: AccountScope,
    id: DestinationId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, values![scope, id, now]).await? == 1)
}

fn record(tx: &ReadTx, scope: AccountScope, row: &Row) -> Result<DestinationRecord, StoreError> {
    let id = DestinationId(row.integer("id")?);
    Ok(DestinationRecord {
        id,
        account: scope.account(),
        destination_type: row.text("type")?,
        name: row.text("name")?,
        description: row.optional_text("description")?,
        properties: connections::properties(id.into(), row)?,
        credentials: connections::credentials(tx, scope, id.into(), row)?,
        check_job_name: connections::check_job(id.into(), row)?,
        paused_at: row.optional_time("paused_at")?,
        system_paused_at: row.optional_time("system_paused_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.optional_time("deleted_at")?,
    })
}
