//! The table `_sdc_selvedge_commits`: what each stream committed last, written in the same transaction as its rows.
//!
//! It answers three questions. Whether a first load was finished: until its key is built the table is marked as loading.
//! Whether a writer comes too late: each mark carries the fence of the run that made it, and a smaller one is refused. And
//! whether the last commit was heard of: the mark keeps the position that the engine was about to save.

use selvedge_connector::{Checkpoint, ConnectorError, ErrorKind, TableTarget};
use selvedge_postgres::{quote_identifier, quote_literal, quote_qualified};
use selvedge_shape::system::COMMITS_TABLE;
use selvedge_types::Timestamp;

use crate::link::{Link, get};

/// Whether the table is what its stream says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableState {
    /// A first load is under way, or was cut short: rows, but no key yet.
    Loading,
    Ready,
}

impl TableState {
    fn as_str(self) -> &'static str {
        match self {
            TableState::Loading => "loading",
            TableState::Ready => "ready",
        }
    }
}

/// What is remembered of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) epoch: i64,
    pub(crate) fence: i64,
    /// The engine's text, from the last commit with rows.
    pub(crate) position: Option<String>,
    pub(crate) table_name: String,
    pub(crate) state: TableState,
}

/// Whether the schema and its table of marks are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) schema: bool,
    pub(crate) commits: bool,
}

pub(crate) async fn find_home(link: &Link, schema: &str) -> Result<Home, ConnectorError> {
    let row = link
        .query_one(
            "select count(n.oid) > 0 as schema, count(c.oid) > 0 as commits
             from pg_catalog.pg_namespace n
             left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = $2
             where n.nspname = $1",
            &[&schema, &COMMITS_TABLE],
        )
        .await?;
    Ok(Home {
        schema: get(&row, "schema")?,
        commits: get(&row, "commits")?,
    })
}

/// Creates whatever is missing, in a transaction of its own: several tables of one schema may start at the same time,
/// and `if not exists` alone does not survive that.
pub(crate) async fn make_home(link: &Link, schema: &str, home: Home) -> Result<(), ConnectorError> {
    link.execute(&format!("begin; {}", lock_creation(schema)))
        .await?;
    let now = find_home(link, schema).await?;
    if !home.schema && !now.schema {
        link.execute(&format!("create schema {}", quote_identifier(schema)))
            .await
            .map_err(|error| ConnectorError {
                message: "Encountered error while attempting to create new schema.".to_owned(),
                ..error
            })?;
    }
    link.execute(&format!(
        "create table if not exists {} (
           source_id bigint not null,
           stream text not null,
           epoch bigint not null,
           checkpoint bigint not null,
           fence bigint not null,
           position text,
           table_name text not null,
           table_version bigint not null,
           state text not null,
           committed_at timestamp without time zone not null,
           primary key (source_id, stream)
         );
         commit",
        quote_qualified(schema, COMMITS_TABLE)
    ))
    .await
}

/// Serialises the creation of a schema's system tables until the transaction ends.
pub(crate) fn lock_creation(schema: &str) -> String {
    format!(
        "select pg_advisory_xact_lock(hashtext({}));",
        quote_literal(&format!("selvedge schema {schema}"))
    )
}

pub(crate) async fn read_mark(
    link: &Link,
    target: &TableTarget,
) -> Result<Option<Mark>, ConnectorError> {
    let rows = link
        .query(
            &format!(
                "select epoch, fence, position, table_name, state from {} where source_id = $1 and stream = $2",
                quote_qualified(&target.schema_name, COMMITS_TABLE)
            ),
            &[&target.identity.source_id, &target.identity.tap_stream_id],
        )
        .await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let state: String = get(row, "state")?;
    Ok(Some(Mark {
        epoch: get(row, "epoch")?,
        fence: get(row, "fence")?,
        position: get(row, "position")?,
        table_name: get(row, "table_name")?,
        state: match state.as_str() {
            "loading" => TableState::Loading,
            _ => TableState::Ready,
        },
    }))
}

impl Mark {
    /// The position of the last commit to `table_name`, if the stream made it in its present life.
    pub(crate) fn position_in(&self, target: &TableTarget, table_name: &str) -> Option<String> {
        self.position
            .clone()
            .filter(|_| self.epoch == target.identity.epoch && self.table_name == table_name)
    }
}

/// Refuses a run whose lease was taken over: somebody with a greater fence has been here.
pub(crate) fn check_fence(mark: Option<&Mark>, fence: i64) -> Result<(), ConnectorError> {
    match mark {
        Some(mark) if mark.fence > fence => Err(overtaken()),
        _ => Ok(()),
    }
}

/// Before a table is created: nobody else creates it until the open transaction ends, and whoever was first with a greater
/// fence stops this run here rather than by a table that is suddenly there.
pub(crate) async fn be_first(
    link: &Link,
    target: &TableTarget,
    table: &str,
    fence: i64,
) -> Result<(), ConnectorError> {
    link.execute(&format!(
        "select pg_advisory_xact_lock(hashtext({}))",
        quote_literal(&format!("selvedge table {table}"))
    ))
    .await?;
    check_fence(read_mark(link, target).await?.as_ref(), fence)
}

fn overtaken() -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Stopped,
        "a newer run of the source is writing to the destination",
    )
}

/// Writes the mark as part of the open transaction and checks the fence in the same breath: the row stays locked until the
/// transaction ends, so of two runs exactly one can be the last.
pub(crate) async fn write_mark(
    link: &Link,
    target: &TableTarget,
    table_name: &str,
    upto: &Checkpoint,
    fence: i64,
    state: TableState,
    now: Timestamp,
) -> Result<(), ConnectorError> {
    let written = link
        .count(
            &format!(
                "insert into {} as mark
                   (source_id, stream, epoch, checkpoint, fence, position, table_name, table_version, state, committed_at)
                 values
                   ($1, $2, $3, $4, $5, $6, $7, $8, $9, timestamp 'epoch' + $10::bigint * interval '1 microsecond')
                 on conflict (source_id, stream) do update set
                   epoch = excluded.epoch,
                   checkpoint = excluded.checkpoint,
                   fence = excluded.fence,
                   position = excluded.position,
                   table_name = excluded.table_name,
                   table_version = excluded.table_version,
                   state = excluded.state,
                   committed_at = excluded.committed_at
                 where mark.fence <= excluded.fence",
                quote_qualified(&target.schema_name, COMMITS_TABLE)
            ),
            &[
                &target.identity.source_id,
                &target.identity.tap_stream_id,
                &target.identity.epoch,
                &upto.number,
                &fence,
                &upto.position,
                &table_name,
                &target.table_version,
                &state.as_str(),
                &now.as_micros(),
            ],
        )
        .await?;
    match written {
        0 => Err(overtaken()),
        _ => Ok(()),
    }
}

/// Marks the stream's table as complete, without touching the position that came with its rows.
pub(crate) async fn mark_ready(
    link: &Link,
    target: &TableTarget,
    fence: i64,
) -> Result<(), ConnectorError> {
    let updated = link
        .count(
            &format!(
                "update {} set state = 'ready', fence = $3
                 where source_id = $1 and stream = $2 and fence <= $3",
                quote_qualified(&target.schema_name, COMMITS_TABLE)
            ),
            &[
                &target.identity.source_id,
                &target.identity.tap_stream_id,
                &fence,
            ],
        )
        .await?;
    match updated {
        0 => Err(overtaken()),
        _ => Ok(()),
    }
}
