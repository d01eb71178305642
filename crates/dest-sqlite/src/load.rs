//! Loading one table, on a blocking thread.

use std::path::PathBuf;
use std::sync::Arc;

use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, LoadContext, LoadMode, ShapedBatch,
    TableTarget,
};
use selvedge_shape::{Column, Dialect, Rejection, SchemaChange, TableShape, system};
use selvedge_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::ascending::Ascending;
use crate::connect::File;
use crate::insert::Insertion;
use crate::marks::{Marks, TableMark};
use crate::opening::{Opening, Preparation, Route};
use crate::rejected::Rejected;
use crate::structure::quoted;
use crate::{changes, keys, replace};

/// The state of a table under load.
pub(crate) struct Load {
    path: PathBuf,
    file: Option<File>,
    stop: CancellationToken,
    clock: Arc<dyn Clock>,
    run_seed: u64,
    mode: LoadMode,
    target_version: i64,
    key: Vec<String>,
    marks: Marks,
    rejected: Rejected,
    opening: Opening,
    /// Rows go in by key; the working table has its index.
    upsert: bool,
    /// Follows the keys of a first load that merges.
    ascending: Option<Ascending>,
    in_transaction: bool,
    /// Something failed; what is in the file is not known to be right.
    failed: bool,
    books: Books,
    notes: Vec<String>,
}

impl Load {
    /// Looks at the table and decides. Changes nothing.
    pub(crate) fn open(
        path: PathBuf,
        ctx: LoadContext,
        target: TableTarget,
    ) -> Result<Self, ConnectorError> {
        let file = match path.exists() {
            true => Some(File::open(&path, &ctx.stop)?),
            false => None,
        };
        let in_schema = |name: &str| (Dialect::SQLITE.table_name)(&target.schema_name, name);
        let marks = Marks {
            table: in_schema(system::COMMITS_TABLE),
            identity: target.identity.clone(),
            fence: ctx.fence,
        };
        let rejected = Rejected::new(in_schema(system::REJECTED_TABLE));
        let connection = file.as_ref().map(|file| &file.connection);
        let mut opening = Opening::decide(connection, &target, &marks)?;
        let keyed = opening
            .shape
            .as_ref()
            .is_some_and(|shape| shape.key_columns().is_some());
        let direct = matches!(opening.route, Route::Direct);
        Ok(Self {
            upsert: keyed && matches!(opening.route, Route::Existing),
            ascending: (keyed && direct && target.mode == LoadMode::Merge).then(Ascending::default),
            notes: std::mem::take(&mut opening.notes),
            path,
            file,
            stop: ctx.stop,
            clock: ctx.clock,
            run_seed: ctx.run_seed,
            mode: target.mode,
            target_version: target.table_version,
            key: target.key,
            marks,
            rejected,
            opening,
            in_transaction: false,
            failed: false,
            books: Books::default(),
        })
    }

    pub(crate) fn write(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
        self.guarded(|load| load.write_rows(batch))
    }

    pub(crate) fn commit(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.guarded(|load| {
            load.mark_and_commit(upto)?;
            // Rows of a replacement are settled when it is complete.
            let settled = match load.mode {
                LoadMode::Merge => std::mem::take(&mut load.books),
                LoadMode::Replace => Books::default(),
            };
            Ok(load.report(settled))
        })
    }

    pub(crate) fn finish(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.guarded(|load| {
            load.complete()?;
            load.mark_and_commit(upto)?;
            let settled = std::mem::take(&mut load.books);
            Ok(CommitReport {
                durable: true,
                ..load.report(settled)
            })
        })
    }

    /// After a failure nothing more is done: the transaction is taken back, and the next run finds the last commit.
    fn guarded<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, ConnectorError>,
    ) -> Result<T, ConnectorError> {
        if self.failed {
            return Err(ConnectorError::internal(
                "a table was written to after its load had failed",
            ));
        }
        let result = work(self);
        if result.is_err() {
            self.failed = true;
            self.in_transaction = false;
            if let Some(file) = &self.file
                && let Err(error) = file.roll_back()
            {
                tracing::warn!(%error, "a failed transaction was not taken back");
            }
        }
        result.map_err(|error| error.within(format_args!("table {}", self.opening.table)))
    }

    fn write_rows(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
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
                let reason = reason.clone();
                let all: Vec<(usize, Rejection)> =
                    (0..rows).map(|row| (row, reason.clone())).collect();
                return self.reject(batch, &all);
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
        let changes = shape.plan(&batch.schema, &batch.records);
        let mut skip = shape.null_key_rows(&batch.schema, &batch.records);
        self.books.null_key += skip.len() as u64;
        let rejections: Vec<(usize, Rejection)> = shape
            .row_rejections(&batch.records)
            .into_iter()
            .filter(|rejection| skip.binary_search(&rejection.row).is_err())
            .map(|rejection| (rejection.row, rejection.reason))
            .collect();
        self.reject(batch, &rejections)?;
        skip.extend(rejections.iter().map(|(row, _)| *row));
        skip.sort_unstable();
        if skip.len() == rows {
            // The plan is kept, so its changes are carried out even if no row needs them yet.
            return self.change(shape, &changes);
        }
        if !shape.exists() {
            // Rows of NULLs only, without a key: there is no column to put them into.
            self.books.written += (rows - skip.len()) as u64;
            return Ok(());
        }
        self.change(shape, &changes)?;
        self.follow_keys(shape, batch, &skip)?;
        self.begin()?;
        let file = self.file()?;
        let first = batch.system.first_sequence;
        file.superseded
            .expect(first..first.saturating_add(i64::try_from(rows).unwrap_or(i64::MAX)));
        let insertion = Insertion {
            file,
            table: &self.opening.working,
            shape,
            upsert: self.upsert,
            run_seed: self.run_seed,
        };
        let inserted = insertion.run(batch, &skip)?;
        let superseded = file.superseded.take();
        self.books.written += inserted.written;
        self.books.older_sequence += inserted.older_sequence;
        self.supersede(superseded);
        Ok(())
    }

    /// Rows that were written and are not there any more.
    fn supersede(&mut self, rows: u64) {
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
        self.ascending = None;
        self.begin()?;
        keys::build(self.file()?, &self.opening.working, &columns)?;
        self.upsert = true;
        self.opening.loading = false;
        Ok(())
    }

    fn reject(
        &mut self,
        batch: &ShapedBatch,
        rows: &[(usize, Rejection)],
    ) -> Result<(), ConnectorError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.begin()?;
        let now = self.clock.now();
        let table = self.opening.table.clone();
        let file = self
            .file
            .as_ref()
            .ok_or_else(|| ConnectorError::internal("the file was not opened"))?;
        for (row, reason) in rows {
            self.rejected.put(file, &table, batch, *row, reason, now)?;
        }
        self.books.rejected += rows.len() as u64;
        Ok(())
    }

    /// The file behind an open transaction.
    fn file(&self) -> Result<&File, ConnectorError> {
        self.file
            .as_ref()
            .ok_or_else(|| ConnectorError::internal("the file was not opened"))
    }

    /// Makes sure that a transaction is open and everything is prepared.
    fn begin(&mut self) -> Result<(), ConnectorError> {
        if self.in_transaction {
            return Ok(());
        }
        if self.file.is_none() {
            self.file = Some(File::open(&self.path, &self.stop)?);
        }
        let preparations = std::mem::take(&mut self.opening.preparations);
        let file = self.file()?;
        file.begin()?;
        self.marks.check_fence(&file.connection)?;
        self.marks.create(file)?;
        self.marks.check_fence(&file.connection)?;
        self.marks.create(file)?;
        for preparation in preparations {
            let table = &self.opening.table;
            match preparation {
                Preparation::DropTable(table) => {
                    file.execute(&format!("drop table if exists {}", quoted(&table)))?;
                }
                Preparation::DropKey => keys::drop(file, table)?,
                Preparation::RecoverKey(key) => {
                    file.interruptibly(|| keys::build(file, table, &key))?;
                }
                Preparation::AddGeneratedKey => {
                    let column = Column::new(system::PRIMARY_KEY, selvedge_shape::ColumnType::Text);
                    changes::add_column(file, table, &column)?;
                }
            }
        }
        self.in_transaction = true;
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

    /// Brings the table into its final form.
    fn complete(&mut self) -> Result<(), ConnectorError> {
        let key = self.opening.shape.as_ref().and_then(key_of);
        let has_rows = self.opening.shape.as_ref().is_some_and(TableShape::exists);
        match self.opening.route {
            Route::Direct if has_rows => {
                if let Some(key) = key.filter(|_| !self.upsert) {
                    self.build_key(&key)?;
                }
            }
            Route::Direct if !self.opening.preparations.is_empty() => {
                // The rows of the load that was cut short are not replaced by any.
                self.begin()?;
            }
            Route::Beside => {
                self.begin()?;
                let (Some(file), Some(shape)) = (&self.file, &self.opening.shape) else {
                    return Err(ConnectorError::internal("the table was not planned"));
                };
                let (working, table) = (&self.opening.working, &self.opening.table);
                if has_rows {
                    let notes =
                        file.interruptibly(|| replace::switch(file, shape, working, table))?;
                    self.notes.extend(notes);
                    self.opening.working.clone_from(&self.opening.table);
                    if let Some(key) = key {
                        self.build_key(&key)?;
                    }
                } else {
                    replace::empty(file, table)?;
                }
            }
            Route::Existing if !self.opening.preparations.is_empty() => {
                self.begin()?;
            }
            Route::Direct | Route::Existing | Route::Outdated | Route::Refused(_) => {}
        }
        self.opening.loading = false;
        if self.mode == LoadMode::Replace && !matches!(self.opening.route, Route::Outdated) {
            self.opening.table_version = self.target_version;
        }
        Ok(())
    }

    fn build_key(&mut self, key: &[String]) -> Result<(), ConnectorError> {
        self.begin()?;
        let file = self.file()?;
        let working = &self.opening.working;
        let removed = file.interruptibly(|| keys::build(file, working, key))?;
        self.supersede(removed);
        Ok(())
    }

    fn mark_and_commit(&mut self, upto: &Checkpoint) -> Result<(), ConnectorError> {
        if !self.in_transaction {
            // Without rows, a mark is worth a transaction only where there are marks.
            let marked = match &self.file {
                Some(file) => self.marks.exist(&file.connection)?,
                None => false,
            };
            if !marked {
                return Ok(());
            }
            self.begin()?;
        }
        let now = self.clock.now();
        let mark = TableMark {
            loading: self.opening.loading,
            table_version: self.opening.table_version,
        };
        let file = self.file()?;
        self.marks
            .put(&file.connection, &self.opening.table, mark, upto, now)?;
        file.commit()?;
        file.superseded.start_over();
        self.in_transaction = false;
        Ok(())
    }

    fn report(&mut self, books: Books) -> CommitReport {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.rejected.notes());
        if books.null_key > 0 {
            notes.push(format!(
                "{} row(s) of table {} have no complete key and were left out",
                books.null_key, self.opening.table
            ));
        }
        CommitReport {
            books,
            durable: self.mode == LoadMode::Merge,
            notes,
        }
    }
}

fn key_of(shape: &TableShape) -> Option<Vec<String>> {
    let key = shape.key_columns()?;
    Some(key.into_iter().map(str::to_owned).collect())
}
