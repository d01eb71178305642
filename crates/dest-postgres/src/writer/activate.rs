//! The end of a replacement: all rows of the table give way to the new ones in one transaction.
//!
//! Rows are deleted, not truncated, and the table itself stays: readers see the old rows until the commit and the new ones
//! after it, and grants, views and indexes survive. Only a column whose type changed is made anew.

use selvedge_connector::{Checkpoint, ConnectorError};
use selvedge_shape::system::SEQUENCE;
use selvedge_shape::{SchemaChange, replacement_changes};

use super::key::{UNIQUE_VIOLATION, build_key};
use super::{REPLACEMENT, Writer, temporary, writable_columns};
use crate::commits::TableState;
use crate::inspect::{FoundTable, find_table};
use crate::{commits, ddl};

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
        let found = find_table(&self.link, &self.target.schema_name, &self.table_name).await?;
        if found.is_some() {
            self.link
                .execute(&format!("delete from {}", self.table))
                .await?;
        }
        if self.shape.exists() {
            let key_stands = self.adapt(found).await?;
            self.move_rows(key_stands).await?;
            self.link
                .execute(&format!("drop table {}", temporary(REPLACEMENT)))
                .await?;
        }
        self.end_transaction().await
    }

    /// Fits the emptied table to the new rows. Whether its key is the stream's key already.
    async fn adapt(&self, found: Option<FoundTable>) -> Result<bool, ConnectorError> {
        let Some(found) = found else {
            // Somebody dropped it meanwhile.
            let create = SchemaChange::CreateTable {
                columns: writable_columns(&self.shape),
                key: Vec::new(),
            };
            self.link
                .execute(&ddl::statement(&self.table, &create)?)
                .await?;
            return Ok(false);
        };
        let changes = replacement_changes(&self.shape, &found.existing);
        let key = self.shape.key_columns();
        let mut key_stands = false;
        if let Some(primary_key) = &found.primary_key {
            let remade = changes.iter().any(|change| {
                matches!(change, SchemaChange::DropColumn { column } if primary_key.columns.contains(column))
            });
            key_stands = !remade && key.is_some_and(|key| primary_key.covers(&key));
            if !key_stands {
                self.link
                    .execute(&ddl::drop_key(&self.table, primary_key))
                    .await?;
            }
        }
        for change in &changes {
            self.link
                .execute(&ddl::statement(&self.table, change)?)
                .await?;
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
                             order by {key}, {SEQUENCE} desc, ctid desc"
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
}
