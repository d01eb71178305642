//! Opening a table: what is there, what an earlier run left half done, and how rows will get in.

use selvedge_connector::{ConnectorError, LoadContext, LoadMode, TableTarget, TableWriter};
use selvedge_postgres::{PostgresConfig, connect, quote_qualified};
use selvedge_shape::{Dialect, ExistingTable, Rejection, SchemaChange, TableShape, names, system};
use tracing::debug;

use crate::commits::{self, Mark, TableState};
use crate::ddl;
use crate::inspect::{FoundTable, find_table};
use crate::link::Link;
use crate::registry::{self, Owner};
use crate::writer::reject_all::RejectAll;
use crate::writer::{Mode, Writer, build_key};

pub(crate) const DIALECT: &Dialect = &Dialect::POSTGRES;
/// SQLSTATE of a drop that other objects, views for instance, stand against.
const DEPENDENT_OBJECTS: &str = "2BP01";

pub(crate) async fn open(
    config: &PostgresConfig,
    ctx: LoadContext,
    target: TableTarget,
) -> Result<Box<dyn TableWriter>, ConnectorError> {
    let session = tokio::select! {
        biased;
        () = ctx.stop.cancelled() => return Err(ConnectorError::stopped()),
        session = Box::pin(connect(config, &ctx.dialer)) => session?,
    };
    let link = Link::new(session, ctx.stop.clone());
    let home = commits::find_home(&link, &target.schema_name).await?;
    let mark = match home.commits {
        true => commits::read_mark(&link, &target).await?,
        false => None,
    };
    commits::check_fence(mark.as_ref(), ctx.fence)?;

    // Judges the names of table and key before anything else; the table's columns come below.
    let empty_shape = || {
        TableShape::new(
            DIALECT,
            &target.schema_name,
            &target.table_name,
            &target.key,
            None,
        )
    };
    let shape = match empty_shape() {
        Ok(shape) => shape,
        Err(reason) => {
            let committed = mark.and_then(|mark| mark.position_in(&target, &target.table_name));
            return Ok(Box::new(RejectAll::new(
                link, ctx, target, home, reason, committed,
            )));
        }
    };
    let table_name = names::table(DIALECT, &target.schema_name, &target.table_name)
        .map_err(|reason| ConnectorError::internal(reason.to_string()))?;
    if let Owner::Root(root) = registry::owner_of(&link, &target.schema_name, &table_name).await? {
        let reason = Rejection::Collision {
            column: table_name.clone(),
        };
        debug!(%root, %table_name, "the stream's table holds the items of another stream's arrays");
        return Ok(Box::new(RejectAll::new(
            link, ctx, target, home, reason, None,
        )));
    }
    let found = find_table(&link, &target.schema_name, &table_name).await?;
    let subtables = registry::subtables_of(&link, &target.schema_name, &table_name).await?;
    let mark = mark.filter(|mark| mark.table_name == table_name);
    // A table that is gone took its rows along: what was committed to it counts no more.
    let committed = mark
        .as_ref()
        .filter(|_| found.is_some())
        .and_then(|mark| mark.position_in(&target, &table_name));
    let opening = Opening {
        link: &link,
        ctx: &ctx,
        target: &target,
        table_name: &table_name,
        table: quote_qualified(&target.schema_name, &table_name),
        subtables,
    };
    let mut plan = match found {
        None => opening.first_load(shape),
        Some(found) => opening.existing(found, mark.as_ref(), shape).await?,
    };
    plan.committed = committed;
    if !opening.subtables.is_empty() {
        if plan.mode == Mode::Append {
            plan.preparations.extend(opening.drop_item_keys().await?);
        }
        // Those that a first load left half done are gone.
        plan.subtables = registry::subtables_of(&link, &target.schema_name, &table_name).await?;
    }
    let table = opening.table;
    Ok(Box::new(Writer::new(
        link, ctx, target, table_name, table, home, plan,
    )))
}

/// How a table is going to be written.
pub(crate) struct Plan {
    pub(crate) mode: Mode,
    pub(crate) shape: TableShape,
    /// The table's key, where rows are told apart by it.
    pub(crate) primary_key: Option<crate::inspect::PrimaryKey>,
    /// Statements that go before the first row, in its transaction.
    pub(crate) preparations: Vec<String>,
    /// Lines for the job's log.
    pub(crate) notes: Vec<String>,
    /// The position of the last commit.
    pub(crate) committed: Option<String>,
    /// The subtables that are there, by name.
    pub(crate) subtables: Vec<String>,
}

impl Plan {
    fn new(mode: Mode, shape: TableShape) -> Self {
        Self {
            mode,
            shape,
            primary_key: None,
            preparations: Vec::new(),
            notes: Vec::new(),
            committed: None,
            subtables: Vec::new(),
        }
    }
}

/// What the steps of opening an existing table share.
struct Opening<'a> {
    link: &'a Link,
    ctx: &'a LoadContext,
    target: &'a TableTarget,
    table_name: &'a str,
    table: String,
    subtables: Vec<String>,
}

impl Opening<'_> {
    /// There is no table. Items of records that went with one mean nothing any more.
    fn first_load(&self, shape: TableShape) -> Plan {
        let schema = &self.target.schema_name;
        let orphans = self.subtables.iter();
        Plan {
            preparations: orphans
                .map(|name| format!("delete from {}", quote_qualified(schema, name)))
                .collect(),
            ..Plan::new(Mode::FirstLoad, shape)
        }
    }

    async fn existing(
        &self,
        found: FoundTable,
        mark: Option<&Mark>,
        fresh: TableShape,
    ) -> Result<Plan, ConnectorError> {
        let loading = mark.is_some_and(|mark| mark.state == TableState::Loading);
        match (self.target.mode, loading) {
            (LoadMode::Replace, false) => Ok(Plan::new(Mode::Replace, fresh)),
            (LoadMode::Replace, true) => self.start_over(fresh).await,
            (LoadMode::Merge, false) => self.merge(found, mark),
            (LoadMode::Merge, true) => {
                self.complete_first_load(found).await?;
                let found = find_table(self.link, &self.target.schema_name, self.table_name)
                    .await?
                    .ok_or_else(|| ConnectorError::internal("the table has vanished"))?;
                self.merge(found, mark)
            }
        }
    }

    /// The statements that let the same item be in a subtable several times.
    async fn drop_item_keys(&self) -> Result<Vec<String>, ConnectorError> {
        let schema = &self.target.schema_name;
        let mut statements = Vec::new();
        for name in &self.subtables {
            let found = find_table(self.link, schema, name).await?;
            if let Some(primary_key) = found.and_then(|found| found.primary_key) {
                statements.push(ddl::drop_key(&quote_qualified(schema, name), &primary_key));
            }
        }
        Ok(statements)
    }

    /// A first load that was cut short and is not continued: its rows go. Where views depend on the table it stays, empty.
    async fn start_over(&self, fresh: TableShape) -> Result<Plan, ConnectorError> {
        let link = self.link;
        link.execute("begin").await?;
        let nothing = selvedge_connector::Checkpoint {
            number: 0,
            position: None,
        };
        commits::write_mark(
            link,
            self.target,
            self.table_name,
            &nothing,
            self.ctx.fence,
            TableState::Loading,
            self.ctx.clock.now(),
        )
        .await?;
        for name in &self.subtables {
            let table = quote_qualified(&self.target.schema_name, name);
            match link
                .attempt(&format!("drop table {table}"), DEPENDENT_OBJECTS)
                .await?
            {
                true => registry::strike_out(link, &self.target.schema_name, name).await?,
                false => link.execute(&format!("truncate {table}")).await?,
            }
        }
        let dropped = link
            .attempt(&format!("drop table {}", self.table), DEPENDENT_OBJECTS)
            .await?;
        let shape = match dropped {
            true => fresh,
            false => {
                link.execute(&format!("truncate {}", self.table)).await?;
                let found = find_table(link, &self.target.schema_name, self.table_name).await?;
                self.shape(found.map(|found| found.existing))?
            }
        };
        link.execute("commit").await?;
        Ok(Plan::new(Mode::FirstLoad, shape))
    }

    /// A first load that was cut short and is continued: what it left becomes an ordinary table.
    async fn complete_first_load(&self, found: FoundTable) -> Result<(), ConnectorError> {
        let shape = self.shape(Some(found.existing))?;
        self.link.execute("begin").await?;
        if let Some(key) = shape.key_columns()
            && found.primary_key.is_none()
            && key.iter().all(|name| shape.column(name).is_some())
        {
            // No row is of this run: none of its books are touched.
            build_key(self.link, &self.table, &key, i64::MAX).await?;
        }
        commits::mark_ready(self.link, self.target, self.ctx.fence).await?;
        self.link.execute("commit").await
    }

    /// Rows are added to what is there: by key where the table has the stream's key, else behind one another.
    fn merge(&self, found: FoundTable, mark: Option<&Mark>) -> Result<Plan, ConnectorError> {
        let FoundTable {
            mut existing,
            primary_key,
        } = found;
        let mut preparations = Vec::new();
        let mut notes = Vec::new();
        for column in system::columns(self.target.key.is_empty()) {
            let present = existing
                .columns
                .iter()
                .find(|present| present.name == column.name);
            match present {
                Some(present) if present.column_type.as_ref() == Some(&column.column_type) => {}
                Some(_) => return Err(self.broken_system_column(&column.name, "has another type")),
                // Keyless streams bring a column that their table may lack because it had a key before.
                None if mark.is_some() && column.name != system::PRIMARY_KEY => {
                    return Err(self.broken_system_column(&column.name, "is missing"));
                }
                None => {
                    preparations.push(ddl::statement(
                        &self.table,
                        &SchemaChange::AddColumn(column.clone()),
                    )?);
                    existing.used_slots += 1;
                    existing.columns.push(column.into());
                }
            }
        }
        let mut shape = self.shape(Some(existing))?;
        if mark.is_some()
            && let Some(column) = shape.lone_split_column(&self.target.schema)
        {
            return Err(ConnectorError::table(format!(
                "the column {column} of {}.{} was split by type, and its sibling is missing: restore it, or drop the \
                 table or reset it",
                self.target.schema_name, self.table_name
            )));
        }
        let same_key = match (shape.key_columns(), &primary_key) {
            (Some(key), Some(primary_key)) => primary_key.covers(&key),
            _ => false,
        };
        if same_key {
            return Ok(Plan {
                primary_key,
                preparations,
                notes,
                ..Plan::new(Mode::Upsert, shape)
            });
        }
        if shape.declares_key() || primary_key.is_some() {
            notes.push(format!(
                "The key of table {} is not the stream's key: rows are appended.",
                self.table_name
            ));
        }
        shape.give_up_key();
        // A constraint that somebody else made on their own table is not ours to drop.
        if let Some(primary_key) = primary_key.filter(|_| mark.is_some()) {
            preparations.push(ddl::drop_key(&self.table, &primary_key));
        }
        Ok(Plan {
            preparations,
            notes,
            ..Plan::new(Mode::Append, shape)
        })
    }

    fn shape(&self, existing: Option<ExistingTable>) -> Result<TableShape, ConnectorError> {
        TableShape::new(
            DIALECT,
            &self.target.schema_name,
            &self.target.table_name,
            &self.target.key,
            existing,
        )
        .map_err(|reason| ConnectorError::internal(reason.to_string()))
    }

    fn broken_system_column(&self, column: &str, trouble: &str) -> ConnectorError {
        ConnectorError::table(format!(
            "the system column {column} of {}.{} {trouble}: restore it, or drop the table or reset it",
            self.target.schema_name, self.table_name
        ))
    }
}
