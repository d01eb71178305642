//! The end of a replacement: all rows of the table and its subtables give way to the new ones in one transaction.
//!
//! Rows are deleted, not truncated, and the tables themselves stay: readers see the old rows until the commit and the new ones
//! after it, and grants, views and indexes survive. Only a column whose type changed is made anew.

use selvedge_connector::{Checkpoint, ConnectorError};
use selvedge_postgres::quote_qualified;
use selvedge_shape::system::SEQUENCE;
use selvedge_shape::{SchemaChange, TableShape, replacement_changes};

use super::key::{UNIQUE_VIOLATION, build_key};
use super::subtables::{ARRIVAL, Subtable};
use super::{REPLACEMENT, Writer, temporary, writable_columns};
use crate::commits::TableState;
use crate::inspect::{FoundTable, find_table};
use crate::{commits, ddl, registry};

impl Writer {
    pub(super) async fn activate(&mut self, upto: &Checkpoint) -> Result<(), ConnectorError> {
        self.settle().await?;
        if self.in_transaction {
            self.end_transaction().await?;
        }
        self.begin().await?;
        // First the mark: its row stays locked, so a run that was overtaken goes no further.
        commits::write_mark(
            &self.link,
            &self.target,
            &self.table_name,
            upto,
            self.fence,
            TableState::Ready,
            self.clock.now(),
        )
        .await?;
        if self.subtables.on {
            self.rank_by_arrival().await?;
        }
        let schema = &self.target.schema_name;
        for name in &self.subtables.known {
            let table = quote_qualified(schema, name);
            self.link.execute(&format!("delete from {table}")).await?;
        }
        let found = find_table(&self.link, schema, &self.table_name).await?;
        if found.is_some() {
            self.link
                .execute(&format!("delete from {}", self.table))
                .await?;
        }
        if self.shape.exists() {
            let key_stands = self.adapt(&self.table, &self.shape, found).await?;
            self.move_rows(key_stands).await?;
            self.link
                .execute(&format!("drop table {}", temporary(REPLACEMENT)))
                .await?;
        }
        for number in 0..self.subtables.open.len() {
            self.move_items(number).await?;
        }
        self.end_transaction().await
    }

    /// Leaves one record for each key among the new ones, and its items.
    async fn rank_by_arrival(&mut self) -> Result<(), ConnectorError> {
        let Some(key) = self.shape.key_columns().filter(|_| self.shape.exists()) else {
            return Ok(());
        };
        let key = ddl::column_list(key);
        let replacement = temporary(REPLACEMENT);
        let removed = self
            .link
            .count(
                &format!(
                    "delete from {replacement} where ctid = any (array(
                       select place from (
                         select ctid as place, row_number() over (
                           partition by {key} order by {SEQUENCE} desc, {ARRIVAL} desc nulls last
                         ) as rank
                         from {replacement}
                       ) as ranked
                       where rank > 1
                     ))"
                ),
                &[],
            )
            .await?;
        self.books.superseded += removed;
        self.held = self.held.saturating_sub(removed);
        if removed == 0 {
            return Ok(());
        }
        for (number, subtable) in self.subtables.open.iter().enumerate() {
            if subtable.shape.exists() {
                let items = Subtable::temporary(REPLACEMENT, number);
                self.link
                    .execute(&format!(
                        "delete from {items} as items where not exists (
                           select from {replacement} as record where record.{ARRIVAL} = items.{ARRIVAL}
                         )"
                    ))
                    .await?;
            }
        }
        Ok(())
    }

    /// Fits an emptied table to the new rows. Whether its key is the one of `shape` already.
    async fn adapt(
        &self,
        table: &str,
        shape: &TableShape,
        found: Option<FoundTable>,
    ) -> Result<bool, ConnectorError> {
        let Some(found) = found else {
            // There was none, or somebody dropped it meanwhile.
            let create = SchemaChange::CreateTable {
                columns: writable_columns(shape),
                key: Vec::new(),
            };
            self.link.execute(&ddl::statement(table, &create)?).await?;
            return Ok(false);
        };
        let changes = replacement_changes(shape, &found.existing);
        let key = shape.key_columns();
        let mut key_stands = false;
        if let Some(primary_key) = &found.primary_key {
            let remade = changes.iter().any(|change| {
                matches!(change, SchemaChange::DropColumn { column } if primary_key.columns.contains(column))
            });
            key_stands = !remade && key.is_some_and(|key| primary_key.covers(&key));
            if !key_stands {
                self.link
                    .execute(&ddl::drop_key(table, primary_key))
                    .await?;
            }
        }
        for change in &changes {
            self.link.execute(&ddl::statement(table, change)?).await?;
        }
        Ok(key_stands)
    }

    async fn move_rows(&mut self, key_stands: bool) -> Result<(), ConnectorError> {
        let columns = writable_columns(&self.shape);
        let columns = ddl::column_list(columns.iter().map(|column| column.name.as_str()));
        let replacement = temporary(REPLACEMENT);
        let total = std::mem::take(&mut self.held);
        let insert = format!("insert into {} ({columns}) select", self.table);
        let plain = format!("{insert} {columns} from {replacement}");
        let (inserted, removed) = match self.shape.key_columns() {
            None => (self.link.count(&plain, &[]).await?, 0),
            Some(key) if key_stands => {
                let inserted = match self.link.attempt_count(&plain, UNIQUE_VIOLATION).await? {
                    Some(inserted) => inserted,
                    None => {
                        let key = ddl::column_list(key);
                        let ranked = format!(
                            "{insert} distinct on ({key}) {columns} from {replacement}
                             order by {key}, {SEQUENCE} desc"
                        );
                        self.link.count(&ranked, &[]).await?
                    }
                };
                (inserted, 0)
            }
            Some(key) => {
                let inserted = self.link.count(&plain, &[]).await?;
                (
                    inserted,
                    build_key(&self.link, &self.table, &key, i64::MIN).await?,
                )
            }
        };
        self.books.written += inserted.saturating_sub(removed);
        self.books.superseded += (total.saturating_sub(inserted)) + removed;
        Ok(())
    }

    /// The new rows of a subtable, whose old ones are gone.
    async fn move_items(&mut self, number: usize) -> Result<(), ConnectorError> {
        let subtable = &self.subtables.open[number];
        if !subtable.shape.exists() {
            return Ok(());
        }
        let schema = &self.target.schema_name;
        let found = find_table(&self.link, schema, &subtable.name).await?;
        let key_stands = self.adapt(&subtable.table, &subtable.shape, found).await?;
        let columns = writable_columns(&subtable.shape);
        let columns = ddl::column_list(columns.iter().map(|column| column.name.as_str()));
        let items = Subtable::temporary(REPLACEMENT, number);
        let insert = format!(
            "insert into {} ({columns}) select {columns} from {items}",
            subtable.table
        );
        let inserted = self.link.count(&insert, &[]).await?;
        if !key_stands
            && self.shape.key_columns().is_some()
            && let Some(key) = subtable.shape.key_columns()
        {
            self.link
                .execute(&ddl::add_key(&subtable.table, &key))
                .await?;
        }
        registry::register(&self.link, schema, &subtable.name, &self.table_name).await?;
        self.link.execute(&format!("drop table {items}")).await?;
        self.subtables.open[number].rows += inserted;
        Ok(())
    }
}
