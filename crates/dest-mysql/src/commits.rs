//! The table `_sdc_selvedge_commits`: what each stream committed last, written in the same transaction as its rows.
//!
//! It answers three questions. Whether a table is whole: a first load under way and a swap under way are marked as such.
//! Whether a writer comes too late: each mark carries the fence of the run that made it, and a smaller one is refused. And
//! whether the last commit was heard of: the mark keeps the position that the engine was about to save.
//!
//! Changes of structure commit by themselves, so the lock on a mark's row cannot hold them together. What must not be
//! interleaved with another run's commit stands between [`enter`] and [`leave`], which take a lock by name.

use mysql_async::Value;
use selvedge_connector::{Checkpoint, ConnectorError, ErrorKind, TableTarget};
use selvedge_shape::system::COMMITS_TABLE;
use selvedge_types::Timestamp;
use tracing::debug;

use crate::link::{Link, get};
use crate::sql::{datetime, quote_identifier, quote_qualified};

/// How long another run may hold the lock before its successor gives up, in seconds.
const LOCK_TIMEOUT: u32 = 3_600;

/// Whether the table is what its stream says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableState {
    /// A first load is under way, or was cut short: rows, but not all of them.
    Loading,
    /// A replacement is being put in the table's place: `<table>_stg` and `<table>_old` are ours.
    Swapping,
    Ready,
}

impl TableState {
    fn as_str(self) -> &'static str {
        match self {
            TableState::Loading => "loading",
            TableState::Swapping => "swapping",
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

/// Whether the schema, which is a database here, and its table of marks are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) schema: bool,
    pub(crate) commits: bool,
}

pub(crate) async fn find_home(link: &mut Link, schema: &str) -> Result<Home, ConnectorError> {
    let row = link
        .query_one(
            "select exists (select 1 from information_schema.schemata where schema_name = ?) as home,
                    exists (select 1 from information_schema.tables
                            where table_schema = ? and table_name = ?) as commits",
            vec![
                Value::from(schema),
                Value::from(schema),
                Value::from(COMMITS_TABLE),
            ],
        )
        .await?;
    Ok(Home {
        schema: get::<i64>(&row, "home")? != 0,
        commits: get::<i64>(&row, "commits")? != 0,
    })
}

/// Creates whatever is missing. Several tables of one schema may start at the same time: `if not exists` survives that here.
pub(crate) async fn make_home(
    link: &mut Link,
    schema: &str,
    home: Home,
) -> Result<Home, ConnectorError> {
    if !home.schema {
        link.execute(&format!(
            "create database if not exists {} default character set utf8mb4",
            quote_identifier(schema)
        ))
        .await
        .map_err(|error| ConnectorError {
            message: "Encountered error while attempting to create new schema.".to_owned(),
            ..error
        })?;
    }
    link.use_schema(schema).await?;
    if !home.commits {
        link.execute(&format!(
            "create table if not exists {} (
               source_id bigint not null,
               stream varchar(760) character set utf8mb4 collate {} not null,
               epoch bigint not null,
               checkpoint bigint not null,
               fence bigint not null,
               position longtext,
               table_name longtext not null,
               table_version bigint not null,
               state varchar(16) not null,
               committed_at datetime(6) not null,
               primary key (source_id, stream)
             ) engine = InnoDB default character set utf8mb4",
            quote_qualified(schema, COMMITS_TABLE),
            link.server().key_collation()
        ))
        .await?;
    }
    Ok(Home {
        schema: true,
        commits: true,
    })
}

/// Waits until no other run commits to the stream's table. A session that ends gives the lock back.
pub(crate) async fn enter(link: &mut Link, target: &TableTarget) -> Result<(), ConnectorError> {
    let row = link
        .query_one(
            &format!("select get_lock({LOCK_NAME}, {LOCK_TIMEOUT}) as held"),
            vec![lock_name(target)],
        )
        .await?;
    match get::<Option<i64>>(&row, "held")? {
        Some(1) => Ok(()),
        _ => Err(ConnectorError::new(
            ErrorKind::Unreachable,
            "Another run is writing to the table and does not come to an end.",
        )),
    }
}

pub(crate) async fn leave(link: &mut Link, target: &TableTarget) -> Result<(), ConnectorError> {
    let statement = format!("select release_lock({LOCK_NAME})");
    link.query(&statement, vec![lock_name(target)]).await?;
    Ok(())
}

/// After a failure: undoes the open transaction and gives the lock back. A session that is broken has done both.
pub(crate) async fn give_up(link: &mut Link, target: &TableTarget) {
    if link.is_stopped() {
        return;
    }
    let undone = match link.execute("rollback").await {
        Ok(()) => leave(link, target).await,
        broken => broken,
    };
    if let Err(error) = undone {
        debug!(%error, "the session ended before its transaction was undone");
    }
}

/// Names of locks are short.
const LOCK_NAME: &str = "concat('selvedge ', sha1(?))";

fn lock_name(target: &TableTarget) -> Value {
    let identity = &target.identity;
    Value::from(format!(
        "{} {} {}",
        target.schema_name, identity.source_id, identity.tap_stream_id
    ))
}

pub(crate) async fn read_mark(
    link: &mut Link,
    target: &TableTarget,
) -> Result<Option<Mark>, ConnectorError> {
    let rows = link
        .query(
            &format!(
                "select epoch, fence, position, table_name, state from {} where source_id = ? and stream = ?",
                quote_qualified(&target.schema_name, COMMITS_TABLE)
            ),
            stream(target),
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
            "swapping" => TableState::Swapping,
            _ => TableState::Ready,
        },
    }))
}

fn stream(target: &TableTarget) -> Vec<Value> {
    vec![
        Value::from(target.identity.source_id),
        Value::from(&target.identity.tap_stream_id),
    ]
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
        Some(mark) if mark.fence > fence => Err(ConnectorError::new(
            ErrorKind::Stopped,
            "a newer run of the source is writing to the destination",
        )),
        _ => Ok(()),
    }
}

/// Refuses a run that was overtaken, by the mark as it is now.
pub(crate) async fn check_mark(
    link: &mut Link,
    target: &TableTarget,
    fence: i64,
) -> Result<(), ConnectorError> {
    let mark = read_mark(link, target).await?;
    check_fence(mark.as_ref(), fence)
}

/// What a mark says beside whose it is.
#[derive(Clone, Debug)]
pub(crate) struct NewMark<'a> {
    pub(crate) table_name: &'a str,
    pub(crate) upto: &'a Checkpoint,
    pub(crate) fence: i64,
    pub(crate) state: TableState,
    pub(crate) now: Timestamp,
}

/// Checks the fence and writes the mark, as part of the open transaction if there is one. The caller has [`enter`]ed, so
/// nobody comes between the two.
pub(crate) async fn write_mark(
    link: &mut Link,
    target: &TableTarget,
    mark: NewMark<'_>,
) -> Result<(), ConnectorError> {
    check_mark(link, target, mark.fence).await?;
    let mut parameters = stream(target);
    parameters.extend([
        Value::from(target.identity.epoch),
        Value::from(mark.upto.number),
        Value::from(mark.fence),
        Value::from(mark.upto.position.as_ref()),
        Value::from(mark.table_name),
        Value::from(target.table_version),
        Value::from(mark.state.as_str()),
        Value::from(datetime(mark.now)),
    ]);
    link.count(
        &format!(
            "replace into {}
               (source_id, stream, epoch, checkpoint, fence, position, table_name, table_version, state, committed_at)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            quote_qualified(&target.schema_name, COMMITS_TABLE)
        ),
        parameters,
    )
    .await?;
    Ok(())
}
