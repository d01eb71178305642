//! Sources: where an account's data comes from.

mod cron;
mod mapping;
mod newest;
mod received;
mod schedule;

use selvedge_types::job::JobName;
use selvedge_types::{AccountId, AccountScope, DestinationId, SourceId, Timestamp};
use serde_json::{Map, Value as Json};

use crate::row::Row;
use crate::value::values;
use crate::{Credentials, ReadTx, StoreError, Tx, connections};

pub use cron::list_with_cron;
pub use mapping::{map_unmapped, unmap_from};
pub use newest::{NewestSync, find_with_newest, list_with_newest};
pub use received::{list_received, note_received};
pub use schedule::{ScheduledSource, list_scheduled};

#[cfg(test)]
pub(crate) use cron::STATEMENTS as CRON_STATEMENTS;
#[cfg(test)]
pub(crate) use mapping::STATEMENTS as MAPPING_STATEMENTS;
#[cfg(test)]
pub(crate) use newest::STATEMENTS as NEWEST_STATEMENTS;
#[cfg(test)]
pub(crate) use received::STATEMENTS as RECEIVED_STATEMENTS;
#[cfg(test)]
pub(crate) use schedule::STATEMENTS as SCHEDULE_STATEMENTS;

/// What a source is created from.
#[derive(Clone, Debug)]
pub struct NewSource {
    pub source_type: String,
    pub display_name: String,
    /// Schema in the destination; unique, without regard to case, among the account's live sources.
    pub name: String,
    /// Everything but credentials.
    pub properties: Map<String, Json>,
    pub credentials: Credentials,
    /// A destination of the same account.
    pub destination_id: Option<DestinationId>,
    /// Since when the source is fully configured and not paused; `None` while it is not.
    pub ready_at: Option<Timestamp>,
}

/// A stored source.
#[derive(Clone, Debug)]
pub struct SourceRecord {
    pub id: SourceId,
    pub account: AccountId,
    pub source_type: String,
    pub display_name: String,
    pub name: String,
    /// Everything but credentials.
    pub properties: Map<String, Json>,
    pub credentials: Credentials,
    pub destination_id: Option<DestinationId>,
    /// The newest check.
    pub check_job_name: Option<JobName>,
    /// The last successful discovery.
    pub discovered_at: Option<Timestamp>,
    /// What the user sent to pause the source, as sent.
    pub paused_at: Option<String>,
    pub system_paused_at: Option<Timestamp>,
    /// Whether the system's pause ends by the user's hand only.
    pub waits_for_user: bool,
    /// Since when the source is fully configured and not paused; `None` while it is not.
    pub ready_at: Option<Timestamp>,
    /// When streams last started over at the user's wish.
    pub reset_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

macro_rules! columns {
    () => {
        "id, account_id, type, display_name, name, properties, credentials, destination_id, check_job_name,
            discovered_at, paused_at, system_paused_at, waits_for_user, ready_at, reset_at, created_at, updated_at,
            deleted_at"
    };
}

pub(crate) use columns;

statements! {
    INSERT = "insert into sources (account_id, type, display_name, name, name_key, properties, destination_id, ready_at,
            created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        on conflict do nothing
        returning id";
    FIND = concat!("select ", columns!(), "
        from sources
        where account_id = $1
            and id = $2");
    LIST = concat!("select ", columns!(), "
        from sources
        where account_id = $1
        order by id");
    NAME_TAKEN = "select id
        from sources
        where account_id = $1
            and name_key = $2
            and deleted_at is null";
    UPDATE = "update sources
        set display_name = $3, properties = $4, credentials = $5, destination_id = $6, paused_at = $7,
            system_paused_at = $8, waits_for_user = $9, ready_at = $10, updated_at = $11
        where account_id = $1
            and id = $2
            and deleted_at is null";
    MARK_DISCOVERED = "update sources
        set discovered_at = $3
        where account_id = $1
            and id = $2";
    TOUCH = "update sources
        set updated_at = $3
        where account_id = $1
            and id = $2
            and deleted_at is null";
    SET_READY_AT = "update sources
        set ready_at = $3
        where account_id = $1
            and id = $2
            and deleted_at is null";
    MARK_RESET = "update sources
        set reset_at = $3
        where account_id = $1
            and id = $2
            and deleted_at is null";
    DELETE = "update sources
        set deleted_at = $3, updated_at = $3, ready_at = null
        where account_id = $1
            and id = $2
            and deleted_at is null";
}

/// Stores a new source. [`StoreError::Conflict`] when a live source has the name, or when the destination is not a live
/// one of the account.
pub async fn create(
    tx: &mut Tx,
    scope: AccountScope,
    new: &NewSource,
    now: Timestamp,
) -> Result<SourceId, StoreError> {
    own_destination(tx, scope, new.destination_id).await?;
    let values = values![
        scope,
        new.source_type.as_str(),
        new.display_name.as_str(),
        new.name.as_str(),
        name_key(&new.name),
        connections::properties_text(&new.properties),
        new.destination_id,
        new.ready_at,
        now,
    ];
    let row = tx
        .fetch_optional(INSERT, values)
        .await?
        .ok_or(StoreError::Conflict("the source name"))?;
    let id = SourceId(row.integer("id")?);
    connections::set_credentials(tx, scope, id.into(), &new.credentials).await?;
    Ok(id)
}

/// The source, also when it is deleted.
pub async fn find(
    tx: &mut ReadTx,
    scope: AccountScope,
    id: SourceId,
) -> Result<Option<SourceRecord>, StoreError> {
    let row = tx.fetch_optional(FIND, values![scope, id]).await?;
    row.map(|row| record(tx, scope, &row)).transpose()
}

/// Like [`find`], and nobody else changes the source before this transaction ends.
pub async fn find_for_update(
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
) -> Result<Option<SourceRecord>, StoreError> {
    connections::lock(tx, scope, id.into()).await?;
    find(tx, scope, id).await
}

/// All sources of the account, deleted ones included, in the order of their ids.
pub async fn list(tx: &mut ReadTx, scope: AccountScope) -> Result<Vec<SourceRecord>, StoreError> {
    let rows = tx.fetch_all(LIST, values![scope]).await?;
    rows.iter().map(|row| record(tx, scope, row)).collect()
}

/// Whether a live source of the account has this name, without regard to case.
pub async fn name_taken(
    tx: &mut ReadTx,
    scope: AccountScope,
    name: &str,
) -> Result<bool, StoreError> {
    let row = tx
        .fetch_optional(NAME_TAKEN, values![scope, name_key(name)])
        .await?;
    Ok(row.is_some())
}

/// Writes label, properties, credentials, mapping, pauses and readiness of a live source. `false` when there is none;
/// [`StoreError::Conflict`] when the destination is not a live one of the account.
pub async fn update(
    tx: &mut Tx,
    scope: AccountScope,
    source: &SourceRecord,
    now: Timestamp,
) -> Result<bool, StoreError> {
    own_destination(tx, scope, source.destination_id).await?;
    let sealed = connections::seal(tx, scope, source.id.into(), &source.credentials)?;
    let values = values![
        scope,
        source.id,
        source.display_name.as_str(),
        connections::properties_text(&source.properties),
        sealed,
        source.destination_id,
        source.paused_at.as_deref(),
        source.system_paused_at,
        source.waits_for_user,
        source.ready_at,
        now,
    ];
    Ok(tx.execute(UPDATE, values).await? == 1)
}

/// Notes that discovery succeeded.
pub async fn mark_discovered(
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(MARK_DISCOVERED, values![scope, id, now]).await? == 1)
}

/// Sets since when a live source is fully configured and not paused, or that it is not.
pub async fn set_ready_at(
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
    ready_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    Ok(tx
        .execute(SET_READY_AT, values![scope, id, ready_at])
        .await?
        == 1)
}

/// Notes that streams of a live source start over at the user's wish.
pub async fn mark_reset(
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(MARK_RESET, values![scope, id, now]).await? == 1)
}

/// Notes that something that belongs to a live source has changed.
pub async fn touch(
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(TOUCH, values![scope, id, now]).await? == 1)
}

/// Marks a source deleted; its name is free again. Its jobs are the caller's concern: [`crate::jobs::request_stop`].
/// `false` when there is no such live source.
pub async fn delete(
    tx: &mut Tx,
    scope: AccountScope,
    id: SourceId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.execute(DELETE, values![scope, id, now]).await? == 1)
}

/// A source never points into another account, nor at a deleted destination.
async fn own_destination(
    tx: &mut Tx,
    scope: AccountScope,
    destination: Option<DestinationId>,
) -> Result<(), StoreError> {
    let Some(destination) = destination else {
        return Ok(());
    };
    if connections::lock_live(tx, scope, destination.into()).await? {
        Ok(())
    } else {
        Err(StoreError::Conflict("the destination"))
    }
}

fn name_key(name: &str) -> String {
    name.to_lowercase()
}

fn record(tx: &ReadTx, scope: AccountScope, row: &Row) -> Result<SourceRecord, StoreError> {
    let id = SourceId(row.integer("id")?);
    Ok(SourceRecord {
        id,
        account: scope.account(),
        source_type: row.text("type")?,
        display_name: row.text("display_name")?,
        name: row.text("name")?,
        properties: connections::properties(id.into(), row)?,
        credentials: connections::credentials(tx, scope, id.into(), row)?,
        destination_id: row.optional_integer("destination_id")?.map(DestinationId),
        check_job_name: connections::check_job(id.into(), row)?,
        discovered_at: row.optional_time("discovered_at")?,
        paused_at: row.optional_text("paused_at")?,
        system_paused_at: row.optional_time("system_paused_at")?,
        waits_for_user: row.integer("waits_for_user")? != 0,
        ready_at: row.optional_time("ready_at")?,
        reset_at: row.optional_time("reset_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        deleted_at: row.optional_time("deleted_at")?,
    })
}
