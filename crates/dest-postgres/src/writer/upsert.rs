//! Upsert: rows are staged in a temporary table and merged by key, the greatest sequence winning.

use selvedge_connector::{ConnectorError, LoadMode};
use selvedge_postgres::{quote_identifier, quote_qualified};
use selvedge_shape::system::{SEQUENCE, SOURCE_KEY};
use selvedge_shape::{Column, SchemaChange};

use super::subtables::{ARRIVAL, Subtable, WINNERS};
use super::{STAGE, Writer, temporary, writable_columns};
use crate::ddl;
use crate::link::{Link, get};

/// SQLSTATE of `on conflict` meeting a row that the same statement has written.
const SECOND_TIME: &str = "21000";

impl Writer {
    pub(super) async fn make_stage(&mut self) -> Result<(), ConnectorError> {
        if self.stage.is_some() {
            return Ok(());
        }
        let columns = writable_columns(&self.shape);
        self.link
            .execute(&format!(
                "create temporary table {STAGE} ({}{}) on commit delete rows",
                ddl::column_definitions(&columns),
                self.arrival_definition()
            ))
            .await?;
        self.stage = Some(columns);
        Ok(())
    }

    /// Lets the stage follow a change of the table.
    pub(super) async fn change_stage(
        &mut self,
        change: &SchemaChange,
    ) -> Result<(), ConnectorError> {
        let Some(columns) = &mut self.stage else {
            return Ok(());
        };
        let statement = ddl::statement(&temporary(STAGE), change)?;
        self.link.execute(&statement).await?;
        follow(columns, change);
        Ok(())
    }

    /// The column of a temporary table behind the table's own.
    pub(super) fn arrival_definition(&self) -> String {
        match self.counts_arrivals() {
            true => format!(", {ARRIVAL} bigint"),
            false => String::new(),
        }
    }

    pub(super) async fn drop_stage(&mut self) -> Result<(), ConnectorError> {
        let stages = self.subtables.open.iter_mut().enumerate();
        let item_stages = stages.filter_map(|(number, subtable)| {
            let _columns = subtable.stage.take()?;
            Some(Subtable::temporary(STAGE, number))
        });
        let own = self.stage.take().map(|_| temporary(STAGE));
        let stages: Vec<String> = own.into_iter().chain(item_stages).collect();
        match stages.is_empty() {
            true => Ok(()),
            false => {
                self.link
                    .execute(&format!("drop table {}", stages.join(", ")))
                    .await
            }
        }
    }

    /// Moves the staged rows into the table. The stage is not emptied: the commit that follows does so, or it is dropped.
    ///
    /// Whole rows are replaced: a column that the stream no longer has becomes NULL. Columns of types that are none of ours
    /// are left alone.
    pub(super) async fn merge_stage(&mut self) -> Result<(), ConnectorError> {
        self.land().await?;
        let staged = std::mem::take(&mut self.landed);
        let (Some(columns), Some(primary_key)) = (&self.stage, self.primary_key.clone()) else {
            return Ok(());
        };
        if staged == 0 {
            return Ok(());
        }
        let key_list = ddl::column_list(primary_key.columns.iter().map(String::as_str));
        let column_list = ddl::column_list(columns.iter().map(|column| column.name.as_str()));
        let assignments: Vec<String> = columns
            .iter()
            .filter(|column| !primary_key.columns.contains(&column.name))
            .map(|column| {
                let name = quote_identifier(&column.name);
                format!("{name} = excluded.{name}")
            })
            .collect();
        let stage = temporary(STAGE);
        // All rows of a first pass are one load, in which the later of equals wins.
        let newer = if self.is_first_pass() { ">=" } else { ">" };
        let insert = |rows: &str| {
            format!(
                "insert into {table} as target ({column_list})
                 {rows}
                 on conflict ({key_list}) do update set {assignments}
                 where target.{SEQUENCE} is null or excluded.{SEQUENCE} {newer} target.{SEQUENCE}",
                table = self.table,
                assignments = assignments.join(", "),
            )
        };
        let applied = match self.subtables.on {
            true => {
                let merge = insert(&format!("select {column_list} from ranked"));
                self.merge_nested(&primary_key.columns, &column_list, &merge)
                    .await?
            }
            false => self.merge_flat(&key_list, &column_list, &insert).await?,
        };
        if self.is_first_pass() {
            self.held += staged;
            return Ok(());
        }
        let mut superseded = 0;
        if applied < staged {
            let row = self
                .link
                .query_one(
                    &format!("select count(*) as keys from (select distinct {key_list} from {stage}) as keys"),
                    &[],
                )
                .await?;
            let keys: i64 = get(&row, "keys")?;
            superseded = staged.saturating_sub(keys.unsigned_abs());
        }
        self.books.written += applied;
        self.books.superseded += superseded;
        self.books.older_sequence += staged.saturating_sub(applied + superseded);
        Ok(())
    }

    /// Whether the table is filled for the first time by a pass over the whole stream: then its rows, and those of its
    /// subtables, are of this run, and what became of the records is told at the end.
    pub(super) fn is_first_pass(&self) -> bool {
        self.loading && self.target.mode == LoadMode::Replace
    }

    /// Tells what became of the records of a first pass that went in by key.
    pub(super) async fn count_first_pass(&mut self) -> Result<(), ConnectorError> {
        let records = count_rows(&self.link, &self.table).await?;
        let held = std::mem::take(&mut self.held);
        self.books.written += records;
        self.books.superseded += held.saturating_sub(records);
        for subtable in &mut self.subtables.open {
            subtable.rows = count_rows(&self.link, &subtable.table).await?;
        }
        Ok(())
    }

    /// `insert` makes the statement that merges the rows of a query. How many rows won.
    async fn merge_flat(
        &self,
        key_list: &str,
        column_list: &str,
        insert: impl Fn(&str) -> String,
    ) -> Result<u64, ConnectorError> {
        let stage = temporary(STAGE);
        // Sources with a key seldom send one twice, so the rows are ranked only when the server has met a repeated key.
        let plain = insert(&format!("select {column_list} from {stage}"));
        match self.link.attempt_count(&plain, SECOND_TIME).await? {
            Some(applied) => Ok(applied),
            None => {
                // No two rows have the same sequence: otherwise their arrivals would count, see `Ascent`.
                let ranked = insert(&format!(
                    "select distinct on ({key_list}) {column_list} from {stage}
                     order by {key_list}, {SEQUENCE} desc"
                ));
                self.link.count(&ranked, &[]).await
            }
        }
    }

    /// Merges records that may have items, by a statement that reads the records to be merged from `ranked`. The items of
    /// every key that is written go, those of the winners come. How many records won.
    async fn merge_nested(
        &mut self,
        key: &[String],
        column_list: &str,
        merge: &str,
    ) -> Result<u64, ConnectorError> {
        if !self.subtables.winners_made {
            let columns = format!(
                "create temporary table {WINNERS} ({ARRIVAL} bigint) on commit delete rows"
            );
            self.link.execute(&columns).await?;
            self.subtables.winners_made = true;
        }
        let (stage, winners) = (temporary(STAGE), temporary(WINNERS));
        let key_list = ddl::column_list(key.iter().map(String::as_str));
        let same = |left: &str, right: &str, prefix: &str| {
            let pairs = key.iter().map(|name| {
                let source = quote_identifier(&format!("{prefix}{name}"));
                format!("{left}.{source} = {right}.{}", quote_identifier(name))
            });
            pairs.collect::<Vec<_>>().join(" and ")
        };
        let applied = self
            .link
            .count(
                &format!(
                    "with ranked as (
                       select distinct on ({key_list}) {column_list}, {ARRIVAL} from {stage}
                       order by {key_list}, {SEQUENCE} desc, {ARRIVAL} desc nulls last
                     ), merged as (
                       {merge}
                       returning {returned}
                     )
                     insert into {winners} select ranked.{ARRIVAL} from merged join ranked on {joined}",
                    returned = key
                        .iter()
                        .map(|name| format!("target.{}", quote_identifier(name)))
                        .collect::<Vec<_>>()
                        .join(", "),
                    joined = same("merged", "ranked", ""),
                ),
                &[],
            )
            .await?;
        let schema = &self.target.schema_name;
        let mut tables: Vec<String> = self
            .subtables
            .known
            .iter()
            .map(|name| quote_qualified(schema, name))
            .collect();
        tables.extend(
            self.subtables
                .open
                .iter()
                .map(|subtable| subtable.table.clone()),
        );
        tables.sort();
        tables.dedup();
        for table in tables {
            self.link
                .execute(&format!(
                    "delete from {table} as items using {stage} as staged, {winners} as won
                     where won.{ARRIVAL} = staged.{ARRIVAL} and {}",
                    same("items", "staged", SOURCE_KEY)
                ))
                .await?;
        }
        let first_pass = self.is_first_pass();
        for (number, subtable) in self.subtables.open.iter_mut().enumerate() {
            let Some(columns) = &subtable.stage else {
                continue;
            };
            let columns = ddl::column_list(columns.iter().map(|column| column.name.as_str()));
            let insert = format!(
                "insert into {} ({columns}) select {columns} from {} as items
                 where items.{ARRIVAL} in (select {ARRIVAL} from {winners})",
                subtable.table,
                Subtable::temporary(STAGE, number)
            );
            let inserted = self.link.count(&insert, &[]).await?;
            if !first_pass {
                subtable.rows += inserted;
            }
        }
        Ok(applied)
    }
}

async fn count_rows(link: &Link, table: &str) -> Result<u64, ConnectorError> {
    let query = format!("select count(*) as rows from {table}");
    let row = link.query_one(&query, &[]).await?;
    let rows: i64 = get(&row, "rows")?;
    Ok(rows.unsigned_abs())
}

/// Keeps the columns of a temporary table in step with a change.
pub(super) fn follow(columns: &mut Vec<Column>, change: &SchemaChange) {
    match change {
        SchemaChange::AddColumn(column) => columns.push(column.clone()),
        SchemaChange::RenameColumn { from, to } => columns
            .iter_mut()
            .filter(|column| column.name == *from)
            .for_each(|column| column.name.clone_from(to)),
        // The rest changes no name, and the planner changes nothing else of a table with rows.
        _ => {}
    }
}
