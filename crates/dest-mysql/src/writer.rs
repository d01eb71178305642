//! Writing one table. What all ways of getting rows in have in common is here; what sets them apart is in the modules.
//!
//! Between commits rows gather in a temporary table, outside any transaction, and the table changes its structure when a
//! batch asks for it. A commit is one transaction: the rows move, the mark is written. So a crash finds rows and mark of the
//! same commit, in a table that may already have a column more.

mod activate;
mod insert;
pub(crate) mod reject_all;

use std::sync::Arc;

use async_trait::async_trait;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, ErrorKind, LoadContext, ShapedBatch,
    TableTarget, TableWriter,
};
use selvedge_shape::{Column, FieldTarget, RowRejection, SchemaChange, TableShape};
use selvedge_types::Clock;

use crate::commits::{self, Home, NewMark, TableState};
use crate::ddl::Ddl;
use crate::encode::{RowEncoder, TargetColumn, system_columns};
use crate::key::Key;
use crate::link::Link;
use crate::open::{OTHER_KEY_TYPE, Plan, is_other_key, other_key};
use crate::rejected::Rejections;
use crate::sql::quote_qualified;
use crate::stage::{ARRIVAL, Stage};

/// How rows get into their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By key.
    Upsert,
    /// Behind one another: the stream has no key.
    Append,
    /// In place of all rows there are, at the end.
    Replace,
}

/// The temporary table. A commit empties it, unless it holds a replacement.
const STAGE: &str = "_sdc_stage";

pub(crate) struct Writer {
    link: Link,
    clock: Arc<dyn Clock>,
    fence: i64,
    run_seed: u64,
    target: TableTarget,
    table_name: String,
    /// Quoted, with its schema.
    table: String,
    home: Home,
    mode: Mode,
    state: TableState,
    shape: TableShape,
    ddl: Ddl,
    key: Key,
    missing: Vec<Column>,
    stage: Stage,
    books: Books,
    rejections: Rejections,
    /// Fields that are left out, by name: told once.
    left_out: Vec<String>,
    notes: Vec<String>,
    /// The position of the last commit before this writer.
    committed: Option<String>,
}

impl Writer {
    pub(crate) fn new(
        link: Link,
        ctx: LoadContext,
        target: TableTarget,
        table_name: String,
        home: Home,
        plan: Plan,
    ) -> Self {
        let schema = &target.schema_name;
        Self {
            clock: ctx.clock,
            fence: ctx.fence,
            run_seed: ctx.run_seed,
            table: quote_qualified(schema, &table_name),
            home,
            mode: plan.mode,
            state: plan.state,
            shape: plan.shape,
            ddl: Ddl {
                key_collation: link.server().key_collation(),
            },
            key: plan.key,
            missing: plan.missing,
            stage: Stage::new(schema, STAGE),
            books: Books::default(),
            rejections: Rejections::new(schema, &table_name),
            left_out: Vec::new(),
            notes: Vec::new(),
            committed: plan.committed,
            link,
            target,
            table_name,
        }
    }

    async fn write_rows(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
        for refused in &batch.refused {
            self.books.rejected += 1;
            self.rejections.add_refused(refused);
            if self.rejections.is_full() {
                self.land_rejections().await?;
            }
        }
        let rows = batch.records.num_rows();
        if rows == 0 {
            return Ok(());
        }
        let without_key = self.shape.null_key_rows(&batch.schema, &batch.records);
        self.books.null_key += without_key.len() as u64;
        if without_key.len() == rows {
            return Ok(());
        }
        let columns = writable_columns(&self.shape);
        let mut changes = self.shape.plan(&batch.schema, &batch.records);
        if !self.shape.exists() && self.mode == Mode::Replace {
            // The rows hold nothing but NULLs, but the table that they go to is there.
            changes = self.shape.create();
        }
        if !self.shape.exists() {
            // No table that could hold a row of system columns alone.
            self.books.null_key += (rows - without_key.len()) as u64;
            return Ok(());
        }
        self.make_home().await?;
        if !changes.is_empty() {
            self.carry_out(&columns, &changes).await?;
        }
        self.tell_left_out(batch);
        self.encode(batch, without_key).await?;
        if self.rejections.is_full() {
            self.land_rejections().await?;
        }
        Ok(())
    }

    /// The first row brings the schema, and the system columns that the table lacks.
    async fn make_home(&mut self) -> Result<(), ConnectorError> {
        if !self.home.commits {
            let schema = &self.target.schema_name;
            self.home = commits::make_home(&mut self.link, schema, self.home).await?;
        }
        if !self.missing.is_empty() {
            let missing = std::mem::take(&mut self.missing);
            let changes = Plan::additions(&missing);
            self.change_table(&[], &changes).await?;
        }
        Ok(())
    }

    /// Changes the table that had `columns`, and the temporary one along with it.
    async fn carry_out(
        &mut self,
        columns: &[Column],
        changes: &[SchemaChange],
    ) -> Result<(), ConnectorError> {
        if changes.contains(&SchemaChange::DropKey) {
            return Err(other_key(
                OTHER_KEY_TYPE,
                &self.target.schema_name,
                &self.table_name,
            ));
        }
        if let [SchemaChange::CreateTable { columns, .. }] = changes {
            self.key = Key::planned(&self.shape, columns);
            return match self.mode {
                // The table that is there stays as it is until the end.
                Mode::Replace => Ok(()),
                Mode::Upsert | Mode::Append => self.create_table(columns).await,
            };
        }
        self.stage.land(&mut self.link).await?;
        if self.mode != Mode::Replace {
            self.change_table(columns, changes).await?;
        }
        if self.stage.exists() {
            let statement = self
                .ddl
                .alter(self.stage.table(), columns, changes, &self.key)?;
            self.link.execute(&statement).await?;
        }
        for change in changes {
            if let SchemaChange::RenameColumn { from, to } = change {
                self.notes.push(format!(
                    "Column {from} of table {} holds values of several types: it is now called {to}.",
                    self.table_name
                ));
            }
        }
        Ok(())
    }

    /// The mark goes first: whoever finds the table knows that it is being filled.
    async fn create_table(&mut self, columns: &[Column]) -> Result<(), ConnectorError> {
        let statement = self.ddl.create(&self.table, columns, &self.key)?;
        commits::enter(&mut self.link, &self.target).await?;
        let nothing = Checkpoint {
            number: 0,
            position: None,
        };
        self.mark(&nothing, TableState::Loading).await?;
        self.link.execute(&statement).await?;
        commits::leave(&mut self.link, &self.target).await
    }

    async fn change_table(
        &mut self,
        columns: &[Column],
        changes: &[SchemaChange],
    ) -> Result<(), ConnectorError> {
        let statement = self.ddl.alter(&self.table, columns, changes, &self.key)?;
        commits::enter(&mut self.link, &self.target).await?;
        commits::check_mark(&mut self.link, &self.target, self.fence).await?;
        self.link.execute(&statement).await?;
        commits::leave(&mut self.link, &self.target).await
    }

    /// Writes the rows of a batch that have a place, and notes the others.
    async fn encode(
        &mut self,
        batch: &ShapedBatch,
        without_key: Vec<usize>,
    ) -> Result<(), ConnectorError> {
        let mut skipped = without_key;
        for rejection in self.shape.row_rejections(&batch.records) {
            if skipped.binary_search(&rejection.row).is_err() {
                self.reject(batch, &rejection);
                skipped.push(rejection.row);
            }
        }
        skipped.sort_unstable();
        let rows = batch.records.num_rows();
        if skipped.len() == rows {
            return Ok(());
        }
        if !self.stage.exists() {
            let statement = self.ddl.create_stage(
                self.stage.table(),
                ARRIVAL,
                &writable_columns(&self.shape),
                &self.key,
            )?;
            self.stage.create(&mut self.link, &statement).await?;
        }
        let keyless = !self.shape.declares_key();
        let fields = fields_by_column(&self.shape);
        let names = fields
            .iter()
            .map(|(column, _)| self.shape.columns()[*column].name.as_str())
            .chain(system_columns(keyless).iter().copied())
            .map(str::to_owned)
            .collect();
        self.stage.take_columns(&mut self.link, names).await?;
        let columns = fields.iter().filter_map(|(column, fields)| {
            let column = &self.shape.columns()[*column];
            Some(TargetColumn {
                name: &column.name,
                column_type: column.column_type.as_ref()?,
                characters: self
                    .key
                    .column(&column.name)
                    .and_then(|part| part.characters),
                fields,
            })
        });
        let encoder = RowEncoder::new(
            columns,
            &batch.schema,
            &batch.records,
            &batch.system,
            self.link.server().json_depth(),
            keyless.then_some(self.run_seed),
        )?;
        let mut refused = Vec::new();
        let mut skipped = skipped.into_iter().peekable();
        for row in 0..rows {
            if skipped.next_if_eq(&row).is_some() {
                continue;
            }
            match encoder.encode(row, &mut self.stage.buffer) {
                Ok(()) => self.stage.added(&mut self.link).await?,
                Err(reason) => refused.push(RowRejection { row, reason }),
            }
        }
        for rejection in refused {
            self.reject(batch, &rejection);
        }
        Ok(())
    }

    fn reject(&mut self, batch: &ShapedBatch, rejection: &RowRejection) {
        self.books.rejected += 1;
        self.rejections.add(batch, rejection.row, &rejection.reason);
    }

    /// Fields that cannot have a column: their records load without them. One record stands for all in the rejected table.
    fn tell_left_out(&mut self, batch: &ShapedBatch) {
        for (field, target) in batch.schema.fields.iter().zip(self.shape.targets()) {
            if let FieldTarget::RejectsColumn(reason) = target
                && !self.left_out.contains(&field.name)
            {
                self.left_out.push(field.name.clone());
                self.notes
                    .push(format!("{reason}: the column is left out."));
                self.rejections.add(batch, 0, reason);
            }
        }
    }

    /// Rejections need the schema, even if no row ever gets in.
    async fn land_rejections(&mut self) -> Result<(), ConnectorError> {
        if self.rejections.is_empty() {
            return Ok(());
        }
        self.make_home().await?;
        self.rejections.land(&mut self.link, self.clock.now()).await
    }

    async fn checkpoint(
        &mut self,
        upto: &Checkpoint,
        state: TableState,
    ) -> Result<CommitReport, ConnectorError> {
        self.stage.land(&mut self.link).await?;
        self.land_rejections().await?;
        if self.mode == Mode::Replace {
            // Rows wait for the end; what was rejected is in the table of rejections either way.
            if self.home.commits {
                self.begin().await?;
                commits::check_mark(&mut self.link, &self.target, self.fence).await?;
                self.rejections.insert(&mut self.link).await?;
                self.end().await?;
            }
            return Ok(self.report(false));
        }
        // A stream that has neither a table nor rejections leaves no mark either.
        if !self.shape.exists() && self.rejections.is_empty() {
            return Ok(self.report(true));
        }
        self.make_home().await?;
        self.begin().await?;
        self.insert_staged().await?;
        self.rejections.insert(&mut self.link).await?;
        self.mark(upto, state).await?;
        self.end().await?;
        self.stage.clear(&mut self.link).await?;
        Ok(self.report(true))
    }

    /// Opens the transaction of a commit; nobody else commits to the table until [`Writer::end`].
    async fn begin(&mut self) -> Result<(), ConnectorError> {
        commits::enter(&mut self.link, &self.target).await?;
        self.link.execute("start transaction").await
    }

    async fn end(&mut self) -> Result<(), ConnectorError> {
        self.link.execute("commit").await?;
        commits::leave(&mut self.link, &self.target).await?;
        self.rejections.clear(&mut self.link).await
    }

    async fn mark(&mut self, upto: &Checkpoint, state: TableState) -> Result<(), ConnectorError> {
        let mark = NewMark {
            table_name: &self.table_name,
            upto,
            fence: self.fence,
            state,
            now: self.clock.now(),
        };
        commits::write_mark(&mut self.link, &self.target, mark).await
    }

    async fn complete(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        match self.mode {
            Mode::Upsert | Mode::Append => self.checkpoint(upto, TableState::Ready).await,
            Mode::Replace => {
                self.activate(upto).await?;
                Ok(self.report(true))
            }
        }
    }

    fn report(&mut self, durable: bool) -> CommitReport {
        let books = std::mem::take(&mut self.books);
        if books.null_key > 0 {
            self.notes.push(format!(
                "{} records of table {} were dropped because a key was missing.",
                books.null_key, self.table_name
            ));
        }
        if books.rejected > 0 {
            self.notes.push(format!(
                "{} records of table {} were rejected: see _sdc_rejected.",
                books.rejected, self.table_name
            ));
        }
        CommitReport {
            books,
            durable,
            notes: std::mem::take(&mut self.notes),
            ..CommitReport::default()
        }
    }

    /// Whoever fails holds nobody up, even if the writer is kept.
    async fn give_up(&mut self, error: ConnectorError) -> ConnectorError {
        commits::give_up(&mut self.link, &self.target).await;
        self.explain(error)
    }

    /// Says which table it was, and gives a missing right its documented text. Documented texts stand alone.
    fn explain(&self, error: ConnectorError) -> ConnectorError {
        if is_other_key(&error) {
            return error;
        }
        if error.kind == ErrorKind::Permission && error.code.as_deref() == Some("1142") {
            return ConnectorError {
                message: format!(
                    "ERROR: permission denied for relation [{}]",
                    self.table_name
                ),
                ..error
            };
        }
        error.within(format_args!(
            "table {}.{}",
            self.target.schema_name, self.table_name
        ))
    }
}

#[async_trait]
impl TableWriter for Writer {
    fn table_name(&self) -> &str {
        &self.table_name
    }

    fn committed_position(&self) -> Option<&str> {
        self.committed.as_deref()
    }

    async fn write(&mut self, batch: ShapedBatch) -> Result<(), ConnectorError> {
        match Box::pin(self.write_rows(&batch)).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.give_up(error).await),
        }
    }

    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        match Box::pin(self.checkpoint(&upto, self.state)).await {
            Ok(report) => Ok(report),
            Err(error) => Err(self.give_up(error).await),
        }
    }

    async fn finish(mut self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        match Box::pin(self.complete(&upto)).await {
            Ok(report) => {
                self.link.close().await;
                Ok(report)
            }
            Err(error) => Err(self.give_up(error).await),
        }
    }
}

/// Columns that get values, each with its fields, in the order of the table.
fn fields_by_column(shape: &TableShape) -> Vec<(usize, Vec<usize>)> {
    let mut columns: Vec<(usize, Vec<usize>)> = Vec::new();
    for (field, target) in shape.targets().iter().enumerate() {
        let FieldTarget::Column(column) = target else {
            continue;
        };
        match columns.binary_search_by_key(column, |(column, _)| *column) {
            Ok(at) => columns[at].1.push(field),
            Err(at) => columns.insert(at, (*column, vec![field])),
        }
    }
    columns
}

/// The columns of the table that we may write, as definitions.
fn writable_columns(shape: &TableShape) -> Vec<Column> {
    shape
        .columns()
        .iter()
        .filter_map(|column| Some(Column::new(&column.name, column.column_type.clone()?)))
        .collect()
}
