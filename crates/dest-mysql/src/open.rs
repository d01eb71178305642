//! Opening a table: what is there, what an earlier run left half done, and how rows will get in.

use selvedge_connector::{ConnectorError, LoadContext, LoadMode, TableTarget, TableWriter};
use selvedge_shape::{Column, Dialect, ExistingTable, SchemaChange, TableShape, system};

use crate::commits::{self, Mark, TableState};
use crate::config::MysqlConfig;
use crate::inspect::{FoundTable, find_table};
use crate::key::Key;
use crate::link::Link;
use crate::sql::quote_qualified;
use crate::swap;
use crate::writer::reject_all::RejectAll;
use crate::writer::{Mode, Writer};

const DIALECT: &Dialect = &Dialect::MYSQL;

/// The stream's key is another one than the table's. Documented.
pub(crate) const OTHER_KEY: &str =
    "Incoming Primary Keys do not match Primary Keys in existing table";
/// The stream's key has another type than the table's. Documented.
pub(crate) const OTHER_KEY_TYPE: &str =
    "Incoming Primary Key type does not match Primary Key type in existing table";

pub(crate) async fn open(
    config: &MysqlConfig,
    ctx: LoadContext,
    target: TableTarget,
) -> Result<Box<dyn TableWriter>, ConnectorError> {
    let mut link = Link::open(config, &ctx.dialer, ctx.stop.clone()).await?;
    link.server().require_supported()?;
    let home = commits::find_home(&mut link, &target.schema_name).await?;
    if home.schema {
        link.use_schema(&target.schema_name).await?;
    }
    let mark = match home.commits {
        true => commits::read_mark(&mut link, &target).await?,
        false => None,
    };
    commits::check_fence(mark.as_ref(), ctx.fence)?;

    // Judges the names of table and key before anything else; the table's columns come below.
    let shape = match shape(&target, None) {
        Ok(shape) => shape,
        Err(reason) => {
            let committed = mark.and_then(|mark| mark.position_in(&target, &target.table_name));
            return Ok(Box::new(RejectAll::new(
                link, ctx, target, home, reason, committed,
            )));
        }
    };
    let table_name = shape.table_name().to_owned();
    let mark = mark.filter(|mark| mark.table_name == table_name);
    let mut opening = Opening {
        link: &mut link,
        ctx: &ctx,
        target: &target,
        table_name: &table_name,
    };
    if mark
        .as_ref()
        .is_some_and(|mark| mark.state == TableState::Swapping)
    {
        opening.clean_up_swap().await?;
    }
    let found = find_table(opening.link, &target.schema_name, &table_name).await?;
    // A table that is gone took its rows along: what was committed to it counts no more.
    let committed = mark
        .as_ref()
        .filter(|_| found.is_some())
        .and_then(|mark| mark.position_in(&target, &table_name));
    let mut plan = opening.plan(found, mark.as_ref(), shape).await?;
    plan.committed = committed;
    Ok(Box::new(Writer::new(
        link, ctx, target, table_name, home, plan,
    )))
}

/// How a table is going to be written.
pub(crate) struct Plan {
    pub(crate) mode: Mode,
    pub(crate) shape: TableShape,
    /// What commits before the end of the stream say of the table.
    pub(crate) state: TableState,
    /// The key of the table, once it is there.
    pub(crate) key: Key,
    /// System columns that go before the first row.
    pub(crate) missing: Vec<Column>,
    /// The position of the last commit.
    pub(crate) committed: Option<String>,
}

/// What the steps of opening a table share.
struct Opening<'a> {
    link: &'a mut Link,
    ctx: &'a LoadContext,
    target: &'a TableTarget,
    table_name: &'a str,
}

impl Opening<'_> {
    async fn plan(
        &mut self,
        found: Option<FoundTable>,
        mark: Option<&Mark>,
        fresh: TableShape,
    ) -> Result<Plan, ConnectorError> {
        let loading = mark.is_some_and(|mark| mark.state == TableState::Loading);
        let Some(found) = found else {
            return Ok(self.first_load(fresh));
        };
        match (self.target.mode, loading) {
            (LoadMode::Merge, _) => self.merge(found, mark, loading),
            (LoadMode::Replace, true) => {
                self.start_over().await?;
                Ok(self.first_load(fresh))
            }
            (LoadMode::Replace, false) => {
                // A new life of the stream may bring another key, the next run of the same life may not.
                let same_life = mark.is_some_and(|mark| {
                    mark.epoch == self.target.identity.epoch && mark.state == TableState::Ready
                });
                if same_life && !found.key.serves(&fresh) {
                    return Err(self.other_key(OTHER_KEY));
                }
                Ok(Plan {
                    mode: Mode::Replace,
                    ..self.first_load(fresh)
                })
            }
        }
    }

    fn first_load(&self, shape: TableShape) -> Plan {
        Plan {
            mode: match shape.declares_key() {
                true => Mode::Upsert,
                false => Mode::Append,
            },
            shape,
            state: TableState::Loading,
            key: Key::default(),
            missing: Vec::new(),
            committed: None,
        }
    }

    /// A first load that was cut short and is not continued: its table goes. The mark already says so.
    async fn start_over(&mut self) -> Result<(), ConnectorError> {
        let table = quote_qualified(&self.target.schema_name, self.table_name);
        self.alone(&format!("drop table {table}")).await
    }

    /// A swap was cut short, before or behind the renaming: the table itself is whole, what is left beside it is ours. The
    /// mark stays as it is until the next commit.
    async fn clean_up_swap(&mut self) -> Result<(), ConnectorError> {
        let leftovers = swap::drop_leftovers(&self.target.schema_name, self.table_name);
        self.alone(&leftovers).await
    }

    /// Runs a statement while nobody else commits to the table.
    async fn alone(&mut self, statement: &str) -> Result<(), ConnectorError> {
        commits::enter(self.link, self.target).await?;
        commits::check_mark(self.link, self.target, self.ctx.fence).await?;
        self.link.execute(statement).await?;
        commits::leave(self.link, self.target).await
    }

    /// Rows are added to what is there, by key where the stream has one.
    fn merge(
        &self,
        found: FoundTable,
        mark: Option<&Mark>,
        loading: bool,
    ) -> Result<Plan, ConnectorError> {
        let FoundTable { mut existing, key } = found;
        let mut missing = Vec::new();
        for column in system::columns(self.target.key.is_empty()) {
            let present = existing
                .columns
                .iter()
                .find(|present| present.name.eq_ignore_ascii_case(&column.name));
            match present {
                Some(present) if present.column_type.as_ref() == Some(&column.column_type) => {}
                Some(_) if column.name == system::PRIMARY_KEY => {
                    return Err(self.other_key(OTHER_KEY));
                }
                Some(_) => return Err(self.broken_system_column(&column.name, "has another type")),
                None if column.name == system::PRIMARY_KEY => {
                    return Err(self.other_key(OTHER_KEY));
                }
                None if mark.is_some() => {
                    return Err(self.broken_system_column(&column.name, "is missing"));
                }
                None => {
                    missing.push(column.clone());
                    existing.used_slots += 1;
                    existing.columns.push(column.into());
                }
            }
        }
        let foreign_key_type = key.names().any(|name| {
            existing
                .columns
                .iter()
                .any(|column| column.name == name && column.column_type.is_none())
        });
        let shape = shape(self.target, Some(existing))
            .map_err(|reason| ConnectorError::internal(reason.to_string()))?;
        if !key.serves(&shape) {
            return Err(self.other_key(OTHER_KEY));
        }
        if foreign_key_type {
            return Err(self.other_key(OTHER_KEY_TYPE));
        }
        if mark.is_some()
            && let Some(column) = shape.lone_split_column(&self.target.schema)
        {
            return Err(ConnectorError::table(format!(
                "the column {column} of {}.{} was split by type, and its sibling is missing: restore it, or drop the \
                 table or reset it",
                self.target.schema_name, self.table_name
            )));
        }
        Ok(Plan {
            mode: match shape.declares_key() {
                true => Mode::Upsert,
                false => Mode::Append,
            },
            shape,
            state: match loading {
                true => TableState::Loading,
                false => TableState::Ready,
            },
            key,
            missing,
            committed: None,
        })
    }

    fn other_key(&self, text: &str) -> ConnectorError {
        other_key(text, &self.target.schema_name, self.table_name)
    }

    fn broken_system_column(&self, column: &str, trouble: &str) -> ConnectorError {
        ConnectorError::table(format!(
            "the system column {column} of {}.{} {trouble}: restore it, or drop the table or reset it",
            self.target.schema_name, self.table_name
        ))
    }
}

/// Whether this is such a stop.
pub(crate) fn is_other_key(error: &ConnectorError) -> bool {
    [OTHER_KEY, OTHER_KEY_TYPE].contains(&error.message.as_str())
}

/// The stop of a table whose key changed; the documented text stands first.
pub(crate) fn other_key(text: &str, schema: &str, table: &str) -> ConnectorError {
    ConnectorError::table(text).with_detail(format!(
        "table {schema}.{table}: reset it or drop it to go on with the new key"
    ))
}

impl Plan {
    /// The change that adds the missing system columns.
    pub(crate) fn additions(missing: &[Column]) -> Vec<SchemaChange> {
        missing
            .iter()
            .cloned()
            .map(SchemaChange::AddColumn)
            .collect()
    }
}

fn shape(
    target: &TableTarget,
    existing: Option<ExistingTable>,
) -> Result<TableShape, selvedge_shape::Rejection> {
    TableShape::new(
        DIALECT,
        &target.schema_name,
        &target.table_name,
        &target.key,
        existing,
    )
}
