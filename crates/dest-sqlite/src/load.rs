//! Loading one table, on a blocking thread.

mod items;
mod rows;

use std::path::PathBuf;
use std::sync::Arc;

use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, LoadContext, LoadMode, ShapedBatch,
    SubtableReport, TableTarget,
};
use selvedge_shape::{Column, ColumnType, Dialect, TableShape, system};
use selvedge_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::ascending::Ascending;
use crate::connect::File;
use crate::marks::{Marks, TableMark};
use crate::opening::{Opening, Preparation, Route};
use crate::rejected::Rejected;
use crate::structure::quoted;
use crate::subtables::Subtables;
use crate::{changes, keys, ownership, replace};

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
    schema_name: String,
    /// `None` when no rows get in.
    subtables: Option<Subtables>,
    /// Items of arrays have come.
    nested: bool,
    /// Arrays that cannot have a table: told once.
    left_out: Vec<Vec<String>>,
    /// The table's name is this stream's.
    claimed: bool,
    /// Rows go in by key; the working table has its index.
    upsert: bool,
    /// Follows the keys of a first load that merges.
    ascending: Option<Ascending>,
    in_transaction: bool,
    /// Something failed; what is in the file is not known to be right.
    failed: bool,
    books: Books,
    /// Subtables with rows that were written and are not told yet.
    written_items: Vec<SubtableReport>,
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
        let subtables = match &opening.shape {
            Some(shape) => {
                let (subtables, preparations) =
                    Subtables::open(connection, &target, ctx.run_seed, &opening, shape)?;
                opening.preparations.extend(preparations);
                Some(subtables)
            }
            None => None,
        };
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
            schema_name: target.schema_name,
            subtables,
            nested: false,
            left_out: Vec::new(),
            claimed: false,
            in_transaction: false,
            failed: false,
            books: Books::default(),
            written_items: Vec::new(),
        })
    }

    /// The table's name in the file.
    pub(crate) fn table_name(&self) -> &str {
        &self.opening.table
    }

    pub(crate) fn take_committed_position(&mut self) -> Option<String> {
        self.opening.committed.take()
    }

    pub(crate) fn write(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
        self.guarded(|load| load.write_rows(batch))
    }

    pub(crate) fn commit(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.guarded(|load| {
            load.mark_and_commit(upto)?;
            // Rows of a replacement are settled when it is complete.
            let (settled, items) = match load.mode {
                LoadMode::Merge => load.settle(),
                LoadMode::Replace => Default::default(),
            };
            Ok(load.report(settled, items))
        })
    }

    pub(crate) fn finish(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.guarded(|load| {
            load.complete()?;
            load.mark_and_commit(upto)?;
            let (settled, items) = load.settle();
            Ok(CommitReport {
                durable: true,
                ..load.report(settled, items)
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
        let mut subtables = self.subtables.take();
        let file = self.file()?;
        file.begin()?;
        self.marks.check_fence(&file.connection)?;
        self.marks.create(file)?;
        if self.mode == LoadMode::Replace {
            file.superseded.own_whole_table();
        }
        if !self.claimed && subtables.is_some() {
            ownership::claim_stream(file, &self.schema_name, &self.opening.table)?;
        }
        let mut orphans = false;
        for preparation in preparations {
            let table = &self.opening.table;
            match preparation {
                Preparation::DropTable(table) => {
                    file.execute(&format!("drop table if exists {}", quoted(&table)))?;
                }
                Preparation::DropKey => keys::drop(file, table)?,
                Preparation::RecoverKey(key) => {
                    let removed = file.interruptibly(|| keys::build(file, table, &key))?;
                    orphans = removed > 0;
                }
                Preparation::AddGeneratedKey => {
                    let column = Column::new(system::PRIMARY_KEY, ColumnType::Text);
                    changes::add_column(file, table, &column)?;
                }
            }
        }
        if let Some(subtables) = &mut subtables {
            file.interruptibly(|| subtables.prepare(file, orphans))?;
        }
        self.claimed = true;
        self.subtables = subtables;
        self.in_transaction = true;
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
                    self.complete_subtables()?;
                }
            }
            Route::Direct if !self.opening.preparations.is_empty() => {
                // The rows of the load that was cut short are not replaced by any.
                self.begin()?;
            }
            Route::Beside => {
                self.begin()?;
                self.take_places(has_rows)?;
                if let Some(key) = key.filter(|_| has_rows) {
                    self.build_key(&key)?;
                    self.complete_subtables()?;
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

    /// Puts the new version of the table and of its subtables in the place of the one that is there.
    fn take_places(&mut self, has_rows: bool) -> Result<(), ConnectorError> {
        let (Some(file), Some(shape), Some(subtables)) =
            (&self.file, &self.opening.shape, &mut self.subtables)
        else {
            return Err(ConnectorError::internal("the table was not planned"));
        };
        let (working, table) = (&self.opening.working, &self.opening.table);
        if !has_rows {
            replace::empty(file, table)?;
            return subtables.take_places(file, None).map(drop);
        }
        let notes = file.interruptibly(|| {
            if self.upsert {
                // An index keeps its name when its table is renamed.
                keys::drop(file, working)?;
            }
            let mut notes = replace::switch(file, shape, working, table)?;
            notes.extend(subtables.take_places(file, Some(shape))?);
            Ok(notes)
        })?;
        self.notes.extend(notes);
        self.opening.working.clone_from(&self.opening.table);
        Ok(())
    }

    fn complete_subtables(&mut self) -> Result<(), ConnectorError> {
        let (Some(file), Some(subtables)) = (&self.file, &mut self.subtables) else {
            return Ok(());
        };
        file.interruptibly(|| subtables.complete(file))
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
            position: upto.position.clone(),
        };
        let file = self.file()?;
        self.marks.put(
            &file.connection,
            &self.opening.table,
            &mark,
            upto.number,
            now,
        )?;
        file.commit()?;
        file.superseded.start_over();
        self.in_transaction = false;
        Ok(())
    }

    fn settle(&mut self) -> (Books, Vec<SubtableReport>) {
        let mut items = std::mem::take(&mut self.written_items);
        // Of some nothing may be left.
        items.retain(|subtable| subtable.row_count > 0);
        (std::mem::take(&mut self.books), items)
    }

    fn report(&mut self, books: Books, subtables: Vec<SubtableReport>) -> CommitReport {
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
            objects: None,
            subtables,
            durable: self.mode == LoadMode::Merge,
            notes,
        }
    }
}

fn key_of(shape: &TableShape) -> Option<Vec<String>> {
    let key = shape.key_columns()?;
    Some(key.into_iter().map(str::to_owned).collect())
}
