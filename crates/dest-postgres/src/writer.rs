//! Writing one table. What all ways of getting rows in have in common is here; what sets them apart is in the modules.

mod activate;
mod ascent;
mod key;
pub(crate) mod reject_all;
pub(crate) mod subtables;
mod upsert;

use std::sync::Arc;

use async_trait::async_trait;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, ErrorKind, LoadContext, ShapedBatch,
    TableTarget, TableWriter,
};
use selvedge_postgres::quote_identifier;
use selvedge_shape::{Column, ColumnType, FieldTarget, RowRejection, SchemaChange, TableShape};
use selvedge_types::Clock;

use crate::commits::{self, Home, TableState};
use crate::copy::CopyIn;
use crate::ddl;
use crate::encode::{RowEncoder, system_columns};
use crate::inspect::PrimaryKey;
use crate::link::Link;
use crate::open::Plan;
use crate::rejected::Rejections;
use ascent::Ascent;
use subtables::Subtables;

pub(crate) use key::build_key;

/// How rows get into their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Straight into a new table, without a key until the end.
    FirstLoad,
    /// Through a temporary table, by key.
    Upsert,
    /// Straight into the table.
    Append,
    /// Into a temporary table that takes the place of all rows at the end.
    Replace,
}

/// The temporary table of [`Mode::Upsert`], emptied by every commit.
const STAGE: &str = "_sdc_stage";
/// The temporary table of [`Mode::Replace`]. It goes with the session, so a run that was cut short leaves nothing behind and
/// a late one does not meet it.
const REPLACEMENT: &str = "_sdc_replacement";

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
    shape: TableShape,
    primary_key: Option<PrimaryKey>,
    preparations: Vec<String>,
    in_transaction: bool,
    copy: Option<CopyIn>,
    /// The columns of the stage as they are on the server, once it is there.
    stage: Option<Vec<Column>>,
    /// Rows that COPY has put where the mode wants them and that no book knows yet.
    landed: u64,
    books: Books,
    /// Rows of a first load: whether their key is unique is known at the end.
    held: u64,
    /// A first load is under way: until its end the table is marked as loading.
    loading: bool,
    subtables: Subtables,
    /// Smallest sequence of this run.
    first_sequence: Option<i64>,
    ascent: Ascent,
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
        table: String,
        home: Home,
        plan: Plan,
    ) -> Self {
        Self {
            link,
            clock: ctx.clock,
            fence: ctx.fence,
            run_seed: ctx.run_seed,
            target,
            table_name,
            table,
            home,
            mode: plan.mode,
            shape: plan.shape,
            primary_key: plan.primary_key,
            preparations: plan.preparations,
            in_transaction: false,
            copy: None,
            stage: None,
            landed: 0,
            books: Books::default(),
            held: 0,
            loading: plan.mode == Mode::FirstLoad,
            subtables: Subtables::known(plan.subtables),
            first_sequence: None,
            ascent: Ascent::default(),
            rejections: Rejections::default(),
            left_out: Vec::new(),
            notes: plan.notes,
            committed: plan.committed,
        }
    }

    async fn write_rows(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
        if !batch.refused.is_empty() {
            self.begin().await?;
        }
        for refused in &batch.refused {
            self.books.rejected += 1;
            self.rejections.add_refused(refused);
            if self.rejections.is_full() {
                self.land().await?;
                self.flush_rejections().await?;
            }
        }
        let rows = batch.records.num_rows();
        if rows == 0 {
            return Ok(());
        }
        self.first_sequence = [self.first_sequence, batch.system.sequences.least()]
            .into_iter()
            .flatten()
            .min();
        let without_key = self.shape.null_key_rows(&batch.schema, &batch.records);
        self.books.null_key += without_key.len() as u64;
        if without_key.len() == rows {
            return Ok(());
        }
        let mut changes = self.shape.plan(&batch.schema, &batch.records);
        if !self.shape.exists() && (self.mode == Mode::Replace || !batch.subtables.is_empty()) {
            // The rows hold nothing but NULLs, but the table that they go to is there, or their items need them.
            changes = self.shape.create();
        }
        if !self.shape.exists() {
            // No table that could hold a row of system columns alone.
            self.books.null_key += (rows - without_key.len()) as u64;
            return Ok(());
        }
        self.begin().await?;
        if !changes.is_empty() {
            self.land().await?;
            self.carry_out(&changes).await?;
        }
        self.tell_left_out(batch);
        match self.needs_arrivals(batch) {
            true => self.write_nested(batch, without_key).await?,
            false => self.encode(batch, without_key).await?,
        }
        if self.rejections.is_full() {
            self.land().await?;
            self.flush_rejections().await?;
        }
        Ok(())
    }

    /// Whether it matters in which order the rows came: the records of the batch have items, or earlier records of their keys
    /// may have some, or two rows of one key may have the same sequence.
    fn needs_arrivals(&mut self, batch: &ShapedBatch) -> bool {
        let ascends = self.ascent.continues_with(batch);
        let upserts = matches!(self.mode, Mode::Upsert);
        self.subtables.on
            || !batch.subtables.is_empty()
            || upserts && !self.subtables.known.is_empty()
            || !ascends && self.shape.key_columns().is_some()
    }

    /// Opens the transaction of a checkpoint. The first one also brings the schema and whatever the table needs first.
    async fn begin(&mut self) -> Result<(), ConnectorError> {
        if self.in_transaction {
            return Ok(());
        }
        if !self.home.commits {
            commits::make_home(&self.link, &self.target.schema_name, self.home).await?;
            self.home = Home {
                schema: true,
                commits: true,
            };
        }
        self.link.execute("begin").await?;
        self.in_transaction = true;
        for statement in std::mem::take(&mut self.preparations) {
            self.link.execute(&statement).await?;
        }
        Ok(())
    }

    async fn end_transaction(&mut self) -> Result<(), ConnectorError> {
        self.link.execute("commit").await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Changes the table, and the temporary one along with it.
    async fn carry_out(&mut self, changes: &[SchemaChange]) -> Result<(), ConnectorError> {
        for change in changes {
            match (change, self.mode) {
                (SchemaChange::DropKey, _) => self.drop_key().await?,
                (SchemaChange::CreateTable { columns, .. }, Mode::Replace) => {
                    self.link
                        .execute(&format!(
                            "create temporary table {REPLACEMENT} ({}{})",
                            ddl::column_definitions(columns),
                            self.arrival_definition()
                        ))
                        .await?;
                }
                (_, Mode::Replace) => {
                    let statement = ddl::statement(&temporary(REPLACEMENT), change)?;
                    self.link.execute(&statement).await?;
                }
                (_, Mode::FirstLoad | Mode::Append | Mode::Upsert) => {
                    if let SchemaChange::CreateTable { .. } = change {
                        commits::be_first(&self.link, &self.target, &self.table, self.fence)
                            .await?;
                    }
                    let statement = ddl::statement(&self.table, change)?;
                    self.link.execute(&statement).await?;
                    self.change_stage(change).await?;
                }
            }
            if let SchemaChange::RenameColumn { from, to } = change {
                self.notes.push(format!(
                    "Column {from} of table {} holds values of several types: it is now called {to}.",
                    self.table_name
                ));
            }
        }
        Ok(())
    }

    /// The key no longer identifies rows: what is staged still counts by it, everything after is appended.
    async fn drop_key(&mut self) -> Result<(), ConnectorError> {
        self.notes.push(format!(
            "A key of table {} came with another type: rows are appended from now on.",
            self.table_name
        ));
        if self.mode == Mode::Upsert {
            self.merge_stage().await?;
            if self.is_first_pass() {
                self.count_first_pass().await?;
            }
            self.drop_stage().await?;
            self.mode = Mode::Append;
        }
        self.drop_item_keys().await?;
        if let Some(primary_key) = self.primary_key.take() {
            self.link
                .execute(&ddl::drop_key(&self.table, &primary_key))
                .await?;
        }
        Ok(())
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
        let keyless = !self.shape.declares_key();
        let fields = fields_by_column(&self.shape);
        let names = fields
            .iter()
            .map(|(column, _)| self.shape.columns()[*column].name.as_str())
            .chain(system_columns(keyless).iter().copied())
            .map(str::to_owned)
            .collect();
        let mut copy = self.copy_into(names).await?;
        let columns = fields.iter().filter_map(|(column, fields)| {
            let column = &self.shape.columns()[*column];
            Some((
                column.name.as_str(),
                column.column_type.as_ref()?,
                fields.as_slice(),
            ))
        });
        let mut encoder = RowEncoder::new(
            columns,
            &batch.schema,
            &batch.records,
            &batch.system,
            None,
            keyless.then_some(self.run_seed),
        )?;
        let mut refused = Vec::new();
        let mut skipped = skipped.into_iter().peekable();
        for row in 0..rows {
            if skipped.next_if_eq(&row).is_some() {
                continue;
            }
            if let Err(reason) = encoder.encode(row, &mut copy.buffer) {
                refused.push(RowRejection { row, reason });
            }
            if copy.is_full() {
                copy.make_room(&self.link).await?;
            }
        }
        self.copy = Some(copy);
        for rejection in refused {
            self.reject(batch, &rejection);
        }
        Ok(())
    }

    /// The open COPY if it has these columns, else a new one.
    async fn copy_into(&mut self, columns: Vec<String>) -> Result<CopyIn, ConnectorError> {
        if let Some(copy) = self.copy.take_if(|copy| copy.columns() == columns) {
            return Ok(copy);
        }
        self.land().await?;
        let table = match self.mode {
            Mode::FirstLoad | Mode::Append => self.table.clone(),
            Mode::Replace => temporary(REPLACEMENT),
            Mode::Upsert => {
                self.make_stage().await?;
                temporary(STAGE)
            }
        };
        CopyIn::begin(&self.link, &table, columns).await
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

    /// Ends the open COPY, if any.
    async fn land(&mut self) -> Result<(), ConnectorError> {
        if let Some(copy) = self.copy.take() {
            self.landed += copy.finish(&self.link).await?;
        }
        Ok(())
    }

    /// Brings everything that was written to where a commit makes it visible, and into the books.
    async fn settle(&mut self) -> Result<(), ConnectorError> {
        self.land().await?;
        match self.mode {
            Mode::FirstLoad if self.shape.declares_key() => {
                self.held += std::mem::take(&mut self.landed);
            }
            Mode::FirstLoad | Mode::Append => {
                self.books.written += std::mem::take(&mut self.landed);
            }
            Mode::Upsert => self.merge_stage().await?,
            Mode::Replace => self.held += std::mem::take(&mut self.landed),
        }
        self.flush_rejections().await
    }

    async fn flush_rejections(&mut self) -> Result<(), ConnectorError> {
        self.rejections
            .flush(
                &self.link,
                &self.target.schema_name,
                &self.table_name,
                self.clock.now(),
            )
            .await
    }

    async fn checkpoint(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.settle().await?;
        if self.mode == Mode::Replace {
            if self.home.commits {
                let mark = commits::read_mark(&self.link, &self.target).await?;
                commits::check_fence(mark.as_ref(), self.fence)?;
            }
            if self.in_transaction {
                self.end_transaction().await?;
            }
            return Ok(self.report(false));
        }
        let state = match self.loading {
            true => TableState::Loading,
            false => TableState::Ready,
        };
        self.mark(upto, state).await?;
        Ok(self.report(true))
    }

    /// Commits with a mark. A stream that has no table yet leaves no mark either.
    async fn mark(&mut self, upto: &Checkpoint, state: TableState) -> Result<(), ConnectorError> {
        if !self.in_transaction && !self.shape.exists() {
            return Ok(());
        }
        self.begin().await?;
        commits::write_mark(
            &self.link,
            &self.target,
            &self.table_name,
            upto,
            self.fence,
            state,
            self.clock.now(),
        )
        .await?;
        self.end_transaction().await
    }

    async fn complete(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        match self.mode {
            Mode::Upsert if self.is_first_pass() => {
                self.settle().await?;
                self.begin().await?;
                self.count_first_pass().await?;
                self.mark(upto, TableState::Ready).await?;
            }
            Mode::Upsert | Mode::Append => {
                self.loading = false;
                return self.checkpoint(upto).await;
            }
            Mode::Replace => self.activate(upto).await?,
            Mode::FirstLoad => {
                self.settle().await?;
                if self.shape.exists() {
                    self.begin().await?;
                    self.build_first_key().await?;
                }
                self.mark(upto, TableState::Ready).await?;
            }
        }
        Ok(self.report(true))
    }

    async fn build_first_key(&mut self) -> Result<(), ConnectorError> {
        if let Some(key) = self.shape.key_columns() {
            let first_sequence = self.first_sequence.unwrap_or(i64::MAX);
            let superseded = build_key(&self.link, &self.table, &key, first_sequence).await?;
            self.held = self.held.saturating_sub(superseded);
            self.books.superseded += superseded;
        }
        self.books.written += std::mem::take(&mut self.held);
        Ok(())
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
            subtables: self.subtables.report(),
            durable,
            notes: std::mem::take(&mut self.notes),
            ..CommitReport::default()
        }
    }

    /// Says which table it was, and gives a missing right its documented text.
    fn explain(&self, error: ConnectorError) -> ConnectorError {
        let detail = error.detail.as_deref().unwrap_or_default();
        let denied = [
            "permission denied for table",
            "permission denied for relation",
            "must be owner of",
        ];
        if error.code.as_deref() == Some("42501") && denied.iter().any(|text| detail.contains(text))
        {
            return ConnectorError {
                message: format!(
                    "ERROR: permission denied for relation [{}]",
                    self.table_name
                ),
                ..error
            };
        }
        of_the_table(error).within(format_args!(
            "table {}.{}",
            self.target.schema_name, self.table_name
        ))
    }
}

/// What a source has to settle before anything can be read concerns one table alone here.
fn of_the_table(error: ConnectorError) -> ConnectorError {
    let code = error.code.as_deref().unwrap_or_default();
    let dependents = error.detail.as_deref().is_some_and(|detail| {
        code == "2BP01" || code == "0A000" && detail.contains("used by a view")
    });
    let message = match code {
        _ if dependents => {
            "A view depends on the table: drop it, and make it again after the next load."
        }
        "42P01" | "42703" | "3F000" | "0A000" => error.message.as_str(),
        "42P07" | "42701" | "42804" | "42809" | "428C9" => "The table is not as loads need it.",
        _ if code.starts_with("55") && error.kind == ErrorKind::Configuration => {
            error.message.as_str()
        }
        _ => return error,
    };
    ConnectorError {
        kind: ErrorKind::Data,
        message: message.to_owned(),
        ..error
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
        let written = Box::pin(self.write_rows(&batch)).await;
        written.map_err(|error| self.explain(error))
    }

    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let committed = Box::pin(self.checkpoint(&upto)).await;
        committed.map_err(|error| self.explain(error))
    }

    async fn finish(mut self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let completed = Box::pin(self.complete(&upto)).await;
        let report = completed.map_err(|error| self.explain(error))?;
        self.link.close().await;
        Ok(report)
    }
}

/// The quoted name of a temporary table of this session.
fn temporary(name: &str) -> String {
    format!("pg_temp.{}", quote_identifier(name))
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
        .filter_map(|column| {
            let column_type: ColumnType = column.column_type.clone()?;
            Some(Column::new(&column.name, column_type))
        })
        .collect()
}
