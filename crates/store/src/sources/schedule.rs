//! What the scheduler reads: sources that may run, over all accounts.

use selvedge_types::{AccountId, AccountScope, SourceId, Timestamp};
use serde_json::{Map, Value as Json};

use crate::value::values;
use crate::{ReadTx, StoreError};

/// A source that is ready to run, with what decides when.
#[derive(Clone, Debug)]
pub struct ScheduledSource {
    pub scope: AccountScope,
    pub id: SourceId,
    pub source_type: String,
    /// Everything but credentials.
    pub properties: Map<String, Json>,
    /// Since when the source is fully configured and not paused.
    pub ready_at: Timestamp,
    /// When streams last started over at the user's wish.
    pub reset_at: Option<Timestamp>,
    /// Start of the newest sync job, scheduled or manual; while it waits for a worker, when it was asked for.
    pub newest_start: Option<Timestamp>,
    /// Whether a sync job waits or runs.
    pub active: bool,
}

statements! {
    LIST_SCHEDULED = "select sources.id, sources.account_id, sources.type, sources.properties, sources.ready_at,
            sources.reset_at,
            (
                select coalesce(jobs.started_at, jobs.created_at)
                from jobs
                where jobs.connection_kind = 'source'
                    and jobs.connection_id = sources.id
                    and jobs.mode = 'sync'
                order by jobs.id desc
                limit 1
            ) as newest_start,
            (
                select count(*)
                from jobs
                where jobs.connection_kind = 'source'
                    and jobs.connection_id = sources.id
                    and jobs.mode = 'sync'
                    and jobs.state in ('pending', 'running')
            ) as active_count
        from sources
        where sources.id > $1
            and sources.deleted_at is null
            and sources.ready_at is not null
            and exists (
                select 1
                from destinations
                where destinations.account_id = sources.account_id
                    and destinations.id = sources.destination_id
                    and destinations.verified_at is not null
            )
            and sources.paused_at is null
            and sources.system_paused_at is null
        order by sources.id
        limit $2";
}

/// Ready and unpaused sources whose destination has passed a check, in the order of their ids, `limit` at most, behind `after`.
pub async fn list_scheduled(
    tx: &mut ReadTx,
    after: Option<SourceId>,
    limit: u32,
) -> Result<Vec<ScheduledSource>, StoreError> {
    let values = values![after.map_or(0, |id| id.0), i64::from(limit)];
    tx.fetch_all(LIST_SCHEDULED, values)
        .await?
        .iter()
        .map(|row| {
            let id = SourceId(row.integer("id")?);
            Ok(ScheduledSource {
                scope: AccountScope::of(AccountId(row.integer("account_id")?)),
                id,
                source_type: row.text("type")?,
                properties: row.object("sources", "properties", id)?,
                ready_at: row.time("ready_at")?,
                reset_at: row.optional_time("reset_at")?,
                newest_start: row.optional_time("newest_start")?,
                active: row.integer("active_count")? > 0,
            })
        })
        .collect()
}
