//! The end of a replacement: the staged rows take the place of all rows there are.
//!
//! Where the table's structure fits, or only has to grow, that is one transaction that deletes and inserts; what belongs to
//! the table, such as grants, views and triggers, stays. Otherwise the tables are exchanged, see [`crate::swap`].

use selvedge_connector::{Checkpoint, ConnectorError};
use selvedge_shape::{SchemaChange, replacement_changes};

use super::{Writer, writable_columns};
use crate::commits::{self, TableState};
use crate::error::DUPLICATE_KEY;
use crate::inspect::{FoundTable, find_table};
use crate::swap::{self, Names};

impl Writer {
    pub(super) async fn activate(&mut self, upto: &Checkpoint) -> Result<(), ConnectorError> {
        self.stage.land(&mut self.link).await?;
        self.land_rejections().await?;
        self.make_home().await?;
        let schema = self.target.schema_name.clone();
        let found = find_table(&mut self.link, &schema, &self.table_name).await?;
        if !self.shape.exists() {
            // Not a single row: the table that is there is emptied.
            return self.exchange_rows(upto, found.is_some()).await;
        }
        let Some(found) = found else {
            // Somebody dropped it meanwhile.
            let columns = writable_columns(&self.shape);
            self.create_table(&columns).await?;
            return self.exchange_rows(upto, false).await;
        };
        let changes = replacement_changes(&self.shape, &found.existing);
        let key_stands = found.key.serves(&self.shape)
            && !changes.iter().any(|change| {
                matches!(change, SchemaChange::DropColumn { column } if found.key.column(column).is_some())
            });
        let grows = changes.iter().all(|change| {
            matches!(
                change,
                SchemaChange::AddColumn(_) | SchemaChange::WidenToBigint { .. }
            )
        });
        if !(key_stands && grows) {
            return self
                .exchange_tables(upto, &found, &changes, key_stands)
                .await;
        }
        if !changes.is_empty() {
            let columns = existing_columns(&found);
            self.change_table(&columns, &changes).await?;
        }
        self.exchange_rows(upto, true).await
    }

    async fn exchange_rows(
        &mut self,
        upto: &Checkpoint,
        table_is_there: bool,
    ) -> Result<(), ConnectorError> {
        self.begin().await?;
        commits::check_mark(&mut self.link, &self.target, self.fence).await?;
        if table_is_there {
            let delete = format!("delete from {}", self.table);
            self.link.execute(&delete).await?;
        }
        self.insert_replacement(&self.table.clone()).await?;
        self.rejections.insert(&mut self.link).await?;
        self.mark(upto, TableState::Ready).await?;
        self.end().await
    }

    /// The mark of the commit comes behind the exchange: a crash between the two repeats the replacement, which is the same
    /// again, and never believes in one that did not happen.
    async fn exchange_tables(
        &mut self,
        upto: &Checkpoint,
        found: &FoundTable,
        changes: &[SchemaChange],
        key_stands: bool,
    ) -> Result<(), ConnectorError> {
        let schema = self.target.schema_name.clone();
        let names = Names::new(&schema, &self.table_name);
        commits::enter(&mut self.link, &self.target).await?;
        commits::check_mark(&mut self.link, &self.target, self.fence).await?;
        swap::require_room(&mut self.link, &schema, &self.table_name).await?;
        let nothing = Checkpoint {
            number: 0,
            position: None,
        };
        self.mark(&nothing, TableState::Swapping).await?;
        match key_stands {
            // Indexes and columns of the user come along.
            true => {
                let like = format!("create table {} like {}", names.new, names.table);
                self.link.execute(&like).await?;
                // One after the other: indexes would follow a column to its successor of the same name.
                let is_drop =
                    |change: &SchemaChange| matches!(change, SchemaChange::DropColumn { .. });
                let (drops, others): (Vec<_>, Vec<_>) = changes.iter().cloned().partition(is_drop);
                for changes in [drops, others] {
                    if changes.is_empty() {
                        continue;
                    }
                    let columns = existing_columns(found);
                    let alter = self.ddl.alter(&names.new, &columns, &changes, &self.key)?;
                    self.link.execute(&alter).await?;
                }
            }
            false => {
                let columns = writable_columns(&self.shape);
                let create = self.ddl.create(&names.new, &columns, &self.key)?;
                self.link.execute(&create).await?;
            }
        }
        self.insert_replacement(&names.new).await?;
        self.link.execute(&names.exchange()).await?;
        let leftovers = swap::drop_leftovers(&schema, &self.table_name);
        self.link.execute(&leftovers).await?;
        self.link.execute("start transaction").await?;
        self.rejections.insert(&mut self.link).await?;
        self.mark(upto, TableState::Ready).await?;
        self.end().await
    }

    /// Into `table`, a quoted name, that is empty.
    async fn insert_replacement(&mut self, table: &str) -> Result<(), ConnectorError> {
        let staged = self.stage.landed();
        if staged == 0 {
            return Ok(());
        }
        let insert = self.insert_statement(table);
        let mut superseded = 0;
        if self.link.attempt(&insert, DUPLICATE_KEY).await?.is_none() {
            superseded = self.remove_superseded().await?;
            self.link.execute(&insert).await?;
        }
        self.books.superseded += superseded;
        self.books.written += staged.saturating_sub(superseded);
        Ok(())
    }
}

/// Columns of types that are ours, as definitions.
fn existing_columns(found: &FoundTable) -> Vec<selvedge_shape::Column> {
    found
        .existing
        .columns
        .iter()
        .filter_map(|column| {
            Some(selvedge_shape::Column::new(
                &column.name,
                column.column_type.clone()?,
            ))
        })
        .collect()
}
