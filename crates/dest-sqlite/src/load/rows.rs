//! Rows of a batch on their way into the working table.

use selvedge_connector::{ConnectorError, LoadMode, ShapedBatch};
use selvedge_shape::{Rejection, SchemaChange, TableShape, record_text};

use super::{Load, key_of};
use crate::insert::Insertion;
use crate::opening::Route;
use crate::winners::Winners;
use crate::{changes, keys};

impl Load {
    pub(super) fn write_rows(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
        let refused = batch
            .refused
            .iter()
            .map(|refused| (refused.record.clone(), refused.reason.clone()));
        self.reject(refused)?;
        let rows = batch.records.num_rows();
        if rows == 0 {
            return Ok(());
        }
        match &self.opening.route {
            Route::Outdated => {
                self.books.old_version += rows as u64;
                return Ok(());
            }
            Route::Refused(reason) => {
                let reason = reason.to_string();
                return self.reject((0..rows).map(|row| (record_text(batch, row), reason.clone())));
            }
            Route::Direct | Route::Existing | Route::Beside => {}
        }
        let Some(mut shape) = self.opening.shape.take() else {
            return Err(ConnectorError::internal("the table was not planned"));
        };
        let written = self.write_planned(&mut shape, batch);
        self.opening.shape = Some(shape);
        written
    }

    fn write_planned(
        &mut self,
        shape: &mut TableShape,
        batch: &ShapedBatch,
    ) -> Result<(), ConnectorError> {
        let rows = batch.records.num_rows();
        let fresh = !shape.exists();
        // Before the plan, which without a single key would make a table without the columns of its key.
        let incomplete = shape.null_key_rows(&batch.schema, &batch.records);
        if incomplete.len() == rows {
            self.books.null_key += rows as u64;
            return Ok(());
        }
        let mut changes = shape.plan(&batch.schema, &batch.records);
        let mut skip = match key_of(shape) {
            Some(_) => incomplete,
            None => {
                self.end_key_of_items()?;
                Vec::new()
            }
        };
        self.books.null_key += skip.len() as u64;
        let mut rejections: Vec<(usize, Rejection)> = shape
            .row_rejections(&batch.records)
            .into_iter()
            .filter(|rejection| skip.binary_search(&rejection.row).is_err())
            .map(|rejection| (rejection.row, rejection.reason))
            .collect();
        skip.extend(rejections.iter().map(|(row, _)| *row));
        skip.sort_unstable();
        let planned = self.plan_items(batch, &skip)?;
        if !planned.rejections.is_empty() {
            skip.extend(planned.rejections.iter().map(|(row, _)| *row));
            skip.sort_unstable();
            rejections.extend(planned.rejections);
            rejections.sort_by_key(|(row, _)| *row);
        }
        let items = planned.items;
        self.reject(
            rejections
                .iter()
                .map(|(row, reason)| (record_text(batch, *row), reason.to_string())),
        )?;
        if !shape.exists() && !items.is_empty() {
            // Records of nothing but arrays still have rows, for their items to belong to.
            changes.extend(shape.create());
        }
        if skip.len() == rows {
            // The plan is kept, so its changes are carried out even if no row needs them yet.
            return self.change(shape, &changes);
        }
        if !shape.exists() {
            // Rows of NULLs only: there is no column to put them into.
            self.books.null_key += (rows - skip.len()) as u64;
            return Ok(());
        }
        self.change(shape, &changes)?;
        self.follow_items(shape, fresh, &items)?;
        self.follow_keys(shape, batch, &skip)?;
        self.begin()?;
        let mut winners = self.remembers_rows(shape, batch).then(Winners::default);
        let file = self.file()?;
        file.superseded.expect(&batch.system.sequences, rows);
        let insertion = Insertion {
            file,
            table: &self.opening.working,
            shape,
            upsert: self.upsert,
            run_seed: self.run_seed,
        };
        let inserted = insertion.run(batch, &skip, winners.as_mut())?;
        let superseded = file.superseded.take();
        self.books.written += inserted.written;
        self.books.older_sequence += inserted.older_sequence;
        self.supersede(superseded);
        self.write_items(shape, batch, &skip, winners, &items)
    }

    /// Rows that were written and are not there any more.
    pub(super) fn supersede(&mut self, rows: u64) {
        let rows = rows.min(self.books.written);
        self.books.written -= rows;
        self.books.superseded += rows;
    }

    /// As long as the keys of a first load ascend, the index can wait; from the first that does not, rows go in by key.
    fn follow_keys(
        &mut self,
        shape: &TableShape,
        batch: &ShapedBatch,
        skip: &[usize],
    ) -> Result<(), ConnectorError> {
        let Some(ascending) = &mut self.ascending else {
            return Ok(());
        };
        let Some(columns) = key_of(shape) else {
            self.ascending = None;
            return Ok(());
        };
        if ascending.continues_with(&self.key, &batch.schema, &batch.records, skip) {
            return Ok(());
        }
        self.go_by_key(&columns)
    }

    /// Builds the key before the load is over.
    pub(super) fn go_by_key(&mut self, columns: &[String]) -> Result<(), ConnectorError> {
        self.ascending = None;
        self.begin()?;
        let removed = keys::build(self.file()?, &self.opening.working, columns)?;
        self.supersede(removed);
        if let (Some(file), Some(subtables)) = (&self.file, &mut self.subtables) {
            subtables.go_by_key(file)?;
        }
        self.upsert = true;
        // A replacement that is cut short starts over even so.
        self.opening.loading &= self.mode == LoadMode::Replace;
        Ok(())
    }

    /// Keeps records with the reasons for which they do not get in.
    fn reject(
        &mut self,
        records: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConnectorError> {
        let mut records = records.peekable();
        if records.peek().is_none() {
            return Ok(());
        }
        self.begin()?;
        let now = self.clock.now();
        let table = self.opening.table.clone();
        let file = self
            .file
            .as_ref()
            .ok_or_else(|| ConnectorError::internal("the file was not opened"))?;
        for (record, reason) in records {
            self.rejected.put(file, &table, &record, &reason, now)?;
            self.books.rejected += 1;
        }
        Ok(())
    }

    /// Carries out what the planner asks for.
    fn change(
        &mut self,
        shape: &TableShape,
        changes: &[SchemaChange],
    ) -> Result<(), ConnectorError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.begin()?;
        let notes = changes::carry_out(self.file()?, &self.opening.working, changes)?;
        self.notes.extend(notes);
        if key_of(shape).is_none() {
            self.upsert = false;
            self.ascending = None;
        }
        Ok(())
    }
}
