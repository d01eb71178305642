//! Items of arrays: rows of subtables, which share the fate of their record.
//!
//! A record with arrays is encoded with all its items before any of it is written, so that a value that does not fit keeps
//! out the whole record. Where rows are staged, they carry the number of their arrival: by it the items of the record that
//! wins are found among those of the records that lose.

use arrow_array::Int64Array;
use selvedge_connector::{ConnectorError, ShapedBatch, SubtableBatch, SubtableReport};
use selvedge_postgres::quote_qualified;
use selvedge_shape::{
    Column, ColumnType, Rejection, RowRejection, SchemaChange, TableShape, subtable_batch,
};

use super::{
    Mode, REPLACEMENT, STAGE, Writer, build_key, fields_by_column, temporary, writable_columns,
};
use crate::copy::CopyIn;
use crate::ddl;
use crate::encode::{RowEncoder, system_columns};
use crate::inspect::{PrimaryKey, find_table};
use crate::open::DIALECT;
use crate::registry::{self, Owner};

/// The column of temporary tables with the number of a record's arrival.
pub(super) const ARRIVAL: &str = "_sdc_arrival";
/// The temporary table with the arrivals of the records that won.
pub(super) const WINNERS: &str = "_sdc_winners";

/// The subtables of the stream's table.
#[derive(Debug, Default)]
pub(crate) struct Subtables {
    /// Those that were there when the table was opened, by name.
    pub(crate) known: Vec<String>,
    /// Those that got rows in this run.
    pub(super) open: Vec<Subtable>,
    /// Whether records may have items, or equal sequences: from then on staged rows carry their arrival.
    pub(super) on: bool,
    pub(super) winners_made: bool,
    next_arrival: i64,
    /// Paths whose items have no place: told once.
    left_out: Vec<Vec<String>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Subtable {
    pub(super) name: String,
    /// The array that its items are in.
    path: Vec<String>,
    /// Quoted, with its schema.
    pub(super) table: String,
    pub(super) shape: TableShape,
    pub(super) primary_key: Option<PrimaryKey>,
    /// The columns of its temporary table of [`Mode::Upsert`], once that is there.
    pub(super) stage: Option<Vec<Column>>,
    /// Rows written since the last report.
    pub(super) rows: u64,
}

impl Subtables {
    /// Those that are there, by name.
    pub(super) fn known(names: Vec<String>) -> Self {
        Self {
            known: names,
            ..Self::default()
        }
    }

    /// What was written since the last report.
    pub(super) fn report(&mut self) -> Vec<SubtableReport> {
        let written = self.open.iter_mut().filter(|subtable| subtable.rows > 0);
        written
            .map(|subtable| SubtableReport {
                table_name: subtable.name.clone(),
                path: subtable.path.clone(),
                row_count: std::mem::take(&mut subtable.rows),
                objects: None,
            })
            .collect()
    }
}

impl Subtable {
    /// The quoted name of its temporary table; `number` is its index.
    pub(super) fn temporary(base: &str, number: usize) -> String {
        temporary(&format!("{base}_{number}"))
    }
}

/// Rows of one subtable in one batch.
struct Part {
    subtable: usize,
    rows: ShapedBatch,
    root_rows: std::sync::Arc<[u32]>,
    /// Columns with their fields, as of this batch's schema.
    fields: Vec<(usize, Vec<usize>)>,
}

/// Where the items of an array go.
enum Place {
    Subtable(usize),
    Nowhere(Rejection),
    Collision(Rejection),
}

impl Writer {
    /// Writes the records of a batch with their items. Root columns are planned already.
    pub(super) async fn write_nested(
        &mut self,
        batch: &ShapedBatch,
        without_key: Vec<usize>,
    ) -> Result<(), ConnectorError> {
        self.begin_arrivals().await?;
        let mut rejections = self.shape.row_rejections(&batch.records);
        let parts = self.parts(batch, &mut rejections).await?;
        // One reason for each record, the first that was found; records without a key are dropped whatever else they are.
        rejections.sort_by_key(|rejection| rejection.row);
        rejections.dedup_by_key(|rejection| rejection.row);
        rejections.retain(|rejection| without_key.binary_search(&rejection.row).is_err());
        let mut skipped = without_key;
        for rejection in rejections {
            self.reject(batch, &rejection);
            skipped.push(rejection.row);
        }
        skipped.sort_unstable();
        let rows = batch.records.num_rows();
        if skipped.len() == rows {
            return Ok(());
        }
        self.encode_nested(batch, &skipped, &parts).await
    }

    /// From now on it matters which row came later.
    pub(super) async fn begin_arrivals(&mut self) -> Result<(), ConnectorError> {
        if self.subtables.on {
            return Ok(());
        }
        self.land().await?;
        match self.mode {
            // What is to be kept or removed by key, or judged by arrival, goes in by key from the beginning.
            Mode::FirstLoad if self.shape.key_columns().is_some() => {
                self.mode = Mode::Upsert;
                self.subtables.on = true;
                if self.landed > 0 {
                    self.stage_own_rows().await?;
                }
                match self.is_first_pass() {
                    // Told at the end.
                    true => {
                        if let Some(key) = self.shape.key_columns() {
                            build_key(&self.link, &self.table, &key, i64::MAX).await?;
                        }
                    }
                    false => self.build_first_key().await?,
                }
                let found =
                    find_table(&self.link, &self.target.schema_name, &self.table_name).await?;
                self.primary_key = found.and_then(|found| found.primary_key);
            }
            Mode::Upsert if self.stage.is_some() => self.add_arrival(&temporary(STAGE)).await?,
            // The temporary table is there as soon as the shape is.
            Mode::Replace if self.shape.exists() => {
                self.add_arrival(&temporary(REPLACEMENT)).await?;
            }
            Mode::FirstLoad | Mode::Append | Mode::Upsert | Mode::Replace => {}
        }
        self.subtables.on = true;
        Ok(())
    }

    /// Takes the rows of this checkpoint out of the table again, into the stage, without a number: of equal sequences in one
    /// load the later wins, whether it has items or not. Among themselves they have no equals.
    async fn stage_own_rows(&mut self) -> Result<(), ConnectorError> {
        self.make_stage().await?;
        let columns = writable_columns(&self.shape);
        let columns = ddl::column_list(columns.iter().map(|column| column.name.as_str()));
        self.landed = self
            .link
            .count(
                &format!(
                    "with own as (
                       delete from {table}
                       where xmin::text = (txid_current() % 4294967296)::text
                       returning {columns}
                     )
                     insert into {stage} ({columns}) select {columns} from own",
                    table = self.table,
                    stage = temporary(STAGE)
                ),
                &[],
            )
            .await?;
        Ok(())
    }

    async fn add_arrival(&self, table: &str) -> Result<(), ConnectorError> {
        self.link
            .execute(&format!("alter table {table} add column {ARRIVAL} bigint"))
            .await
    }

    /// Whether rows carry their arrival into the table that they are written to first.
    pub(super) fn counts_arrivals(&self) -> bool {
        self.subtables.on && matches!(self.mode, Mode::Upsert | Mode::Replace)
    }

    /// Plans the subtables of a batch and carries their changes out. Adds the records that they keep out to `rejections`.
    async fn parts(
        &mut self,
        batch: &ShapedBatch,
        rejections: &mut Vec<RowRejection>,
    ) -> Result<Vec<Part>, ConnectorError> {
        let key = self.shape.record_key(self.run_seed);
        let mut parts: Vec<Part> = Vec::new();
        for items in &batch.subtables {
            let subtable = match self.place(items).await? {
                Place::Subtable(subtable) => subtable,
                Place::Nowhere(reason) => {
                    self.tell_items_left_out(batch, items, &reason);
                    continue;
                }
                Place::Collision(reason) => {
                    rejections.extend(items.root_rows.iter().map(|row| RowRejection {
                        row: *row as usize,
                        reason: reason.clone(),
                    }));
                    continue;
                }
            };
            // Two arrays of one name: records that have both are kept out.
            for other in parts.iter().filter(|part| part.subtable == subtable) {
                let both = items
                    .root_rows
                    .iter()
                    .filter(|row| other.root_rows.binary_search(row).is_ok());
                let column = self.subtables.open[subtable].name.clone();
                rejections.extend(both.map(|row| RowRejection {
                    row: *row as usize,
                    reason: Rejection::Collision {
                        column: column.clone(),
                    },
                }));
            }
            let rows = subtable_batch(batch, items, &key)
                .map_err(|error| ConnectorError::internal(error.to_string()))?;
            let shape = &mut self.subtables.open[subtable].shape;
            let changes = shape.plan(&rows.schema, &rows.records);
            let fields = fields_by_column(shape);
            rejections.extend(
                shape
                    .row_rejections(&rows.records)
                    .into_iter()
                    .map(|rejection| RowRejection {
                        row: items.root_rows[rejection.row] as usize,
                        reason: rejection.reason,
                    }),
            );
            if !changes.is_empty() {
                self.land().await?;
            }
            for change in &changes {
                self.change_subtable(subtable, change).await?;
            }
            parts.push(Part {
                subtable,
                rows,
                root_rows: items.root_rows.clone(),
                fields,
            });
        }
        Ok(parts)
    }

    /// The subtable of an array, opened when it is met for the first time.
    async fn place(&mut self, items: &SubtableBatch) -> Result<Place, ConnectorError> {
        let key = self.shape.record_key(self.run_seed);
        let shape = |existing| {
            TableShape::subtable(
                DIALECT,
                &self.target.schema_name,
                &self.target.table_name,
                &items.path,
                key.subtable_key(items.levels.len()),
                existing,
            )
        };
        let empty = match shape(None) {
            Ok(empty) => empty,
            Err(reason) => return Ok(Place::Nowhere(reason)),
        };
        let name = empty.table_name().to_owned();
        let opened = self.subtables.open.iter();
        if let Some(at) = opened.clone().position(|subtable| subtable.name == name) {
            return Ok(Place::Subtable(at));
        }
        let schema_name = &self.target.schema_name;
        let found = find_table(&self.link, schema_name, &name).await?;
        let ours = match registry::owner_of(&self.link, schema_name, &name).await? {
            Owner::Root(root) => root == self.table_name,
            Owner::Nobody => found.is_none(),
        };
        if !ours {
            return Ok(Place::Collision(Rejection::Collision { column: name }));
        }
        let (shape, primary_key) = match found {
            // A replacement is planned as if there were nothing.
            Some(found) if self.mode != Mode::Replace => {
                let planned = shape(Some(found.existing));
                let planned =
                    planned.map_err(|reason| ConnectorError::internal(reason.to_string()))?;
                self.check_columns(&name, &planned)?;
                (planned, found.primary_key)
            }
            _ => (empty, None),
        };
        let table = quote_qualified(schema_name, &name);
        self.subtables.open.push(Subtable {
            name,
            path: items.path.clone(),
            table,
            shape,
            primary_key,
            stage: None,
            rows: 0,
        });
        Ok(Place::Subtable(self.subtables.open.len() - 1))
    }

    /// A subtable whose own columns were taken away holds rows that nobody can tell apart.
    fn check_columns(&self, name: &str, shape: &TableShape) -> Result<(), ConnectorError> {
        let system = selvedge_shape::system::columns(false);
        let wanted = system.iter().map(|column| column.name.as_str());
        let key = shape.key_columns().unwrap_or_default();
        for column in wanted.chain(key) {
            if shape.column(column).is_none() {
                return Err(ConnectorError::table(format!(
                    "the system column {column} of {}.{name} is missing: restore it, or drop the table or reset the stream",
                    self.target.schema_name
                )));
            }
        }
        Ok(())
    }

    /// Changes a subtable, and its temporary one along with it.
    async fn change_subtable(
        &mut self,
        number: usize,
        change: &SchemaChange,
    ) -> Result<(), ConnectorError> {
        let subtable = &mut self.subtables.open[number];
        match (change, self.mode) {
            (SchemaChange::DropKey, _) => {
                if let Some(primary_key) = subtable.primary_key.take() {
                    let drop = ddl::drop_key(&subtable.table, &primary_key);
                    self.link.execute(&drop).await?;
                }
            }
            (SchemaChange::CreateTable { columns, .. }, Mode::Replace) => {
                let create = format!(
                    "create temporary table {REPLACEMENT}_{number} ({}, {ARRIVAL} bigint)",
                    ddl::column_definitions(columns)
                );
                self.link.execute(&create).await?;
            }
            (_, Mode::Replace) => {
                let table = Subtable::temporary(REPLACEMENT, number);
                self.link.execute(&ddl::statement(&table, change)?).await?;
            }
            (SchemaChange::CreateTable { .. }, _) => {
                self.create_subtable(number, change).await?;
            }
            (_, Mode::FirstLoad | Mode::Append | Mode::Upsert) => {
                let statement = ddl::statement(&subtable.table, change)?;
                self.link.execute(&statement).await?;
                if let Some(stage) = &mut subtable.stage {
                    let table = Subtable::temporary(STAGE, number);
                    self.link.execute(&ddl::statement(&table, change)?).await?;
                    super::upsert::follow(stage, change);
                }
            }
        }
        if let SchemaChange::RenameColumn { from, to } = change {
            self.notes.push(format!(
                "Column {from} of table {} holds values of several types: it is now called {to}.",
                self.subtables.open[number].name
            ));
        }
        Ok(())
    }

    async fn create_subtable(
        &mut self,
        number: usize,
        create: &SchemaChange,
    ) -> Result<(), ConnectorError> {
        let subtable = &mut self.subtables.open[number];
        let statement = ddl::statement(&subtable.table, create)?;
        self.link.execute(&statement).await?;
        if self.mode == Mode::Upsert
            && let Some(key) = subtable.shape.key_columns()
        {
            self.link
                .execute(&ddl::add_key(&subtable.table, &key))
                .await?;
            let found = find_table(&self.link, &self.target.schema_name, &subtable.name).await?;
            subtable.primary_key = found.and_then(|found| found.primary_key);
        }
        registry::register(
            &self.link,
            &self.target.schema_name,
            &subtable.name,
            &self.table_name,
        )
        .await
    }

    /// Items that cannot have a table: their records load without them. One record stands for all in the rejected table.
    fn tell_items_left_out(
        &mut self,
        batch: &ShapedBatch,
        items: &SubtableBatch,
        reason: &Rejection,
    ) {
        if self.subtables.left_out.contains(&items.path) {
            return;
        }
        self.subtables.left_out.push(items.path.clone());
        self.notes.push(format!(
            "{reason}: the items of {} are left out.",
            items.path.join("__")
        ));
        let row = items.root_rows.first().copied().unwrap_or_default();
        self.rejections.add(batch, row as usize, reason);
    }

    async fn encode_nested(
        &mut self,
        batch: &ShapedBatch,
        skipped: &[usize],
        parts: &[Part],
    ) -> Result<(), ConnectorError> {
        let rows = batch.records.num_rows();
        let first_arrival = self.subtables.next_arrival;
        self.subtables.next_arrival += rows as i64;
        let with_arrival = self.counts_arrivals();
        let arrivals_of = |rows: &mut dyn Iterator<Item = i64>| -> Option<Int64Array> {
            with_arrival.then(|| rows.map(|row| first_arrival + row).collect())
        };
        let keyless = !self.shape.declares_key();
        let root_fields = fields_by_column(&self.shape);
        let mut copy = self
            .copy_into(copied_columns(
                &self.shape,
                &root_fields,
                with_arrival,
                keyless,
            ))
            .await?;
        let root_arrivals = arrivals_of(&mut (0..rows as i64));
        let part_arrivals: Vec<Option<Int64Array>> = parts
            .iter()
            .map(|part| arrivals_of(&mut part.root_rows.iter().map(|row| i64::from(*row))))
            .collect();
        let mut buffers: Vec<Vec<u8>> = parts.iter().map(|_| Vec::new()).collect();
        let mut refused = Vec::new();
        {
            let mut root = encoder(
                &self.shape,
                &root_fields,
                batch,
                root_arrivals.as_ref(),
                keyless.then_some(self.run_seed),
            )?;
            let mut encoders = parts
                .iter()
                .zip(&part_arrivals)
                .map(|(part, arrivals)| {
                    let shape = &self.subtables.open[part.subtable].shape;
                    encoder(shape, &part.fields, &part.rows, arrivals.as_ref(), None)
                })
                .collect::<Result<Vec<_>, _>>()?;
            let mut cursors = vec![0; parts.len()];
            let mut kept = vec![0; parts.len()];
            for row in 0..rows {
                let start = copy.buffer.len();
                let is_in = skipped.binary_search(&row).is_err();
                let mut outcome = match is_in {
                    true => root.encode(row, &mut copy.buffer),
                    false => Ok(()),
                };
                for (index, part) in parts.iter().enumerate() {
                    let from = cursors[index];
                    let items = part.root_rows[from..].iter();
                    let to = from + items.take_while(|root| **root as usize == row).count();
                    cursors[index] = to;
                    if !is_in || outcome.is_err() {
                        continue;
                    }
                    for item in from..to {
                        outcome = encoders[index].encode(item, &mut buffers[index]);
                        if outcome.is_err() {
                            break;
                        }
                    }
                }
                match outcome {
                    Ok(()) => {
                        for (kept, buffer) in kept.iter_mut().zip(&buffers) {
                            *kept = buffer.len();
                        }
                    }
                    Err(reason) => {
                        copy.buffer.truncate(start);
                        for (kept, buffer) in kept.iter().zip(&mut buffers) {
                            buffer.truncate(*kept);
                        }
                        refused.push(RowRejection { row, reason });
                    }
                }
                if copy.is_full() {
                    copy.make_room(&self.link).await?;
                }
            }
        }
        self.copy = Some(copy);
        for rejection in refused {
            self.reject(batch, &rejection);
        }
        for (part, buffer) in parts.iter().zip(buffers) {
            if !buffer.is_empty() {
                self.copy_items(part, buffer, with_arrival).await?;
            }
        }
        Ok(())
    }

    async fn copy_items(
        &mut self,
        part: &Part,
        encoded: Vec<u8>,
        with_arrival: bool,
    ) -> Result<(), ConnectorError> {
        self.land().await?;
        let number = part.subtable;
        if self.mode == Mode::Upsert {
            self.make_item_stage(number).await?;
        }
        let subtable = &self.subtables.open[number];
        let table = match self.mode {
            Mode::FirstLoad | Mode::Append => subtable.table.clone(),
            Mode::Replace => Subtable::temporary(REPLACEMENT, number),
            Mode::Upsert => Subtable::temporary(STAGE, number),
        };
        let columns = copied_columns(&subtable.shape, &part.fields, with_arrival, false);
        let mut copy = CopyIn::begin(&self.link, &table, columns).await?;
        copy.buffer.extend_from_slice(&encoded);
        let copied = copy.finish(&self.link).await?;
        if matches!(self.mode, Mode::FirstLoad | Mode::Append) {
            self.subtables.open[number].rows += copied;
        }
        Ok(())
    }

    /// Records are not told apart by key any more, so neither are their items: each may be there several times.
    pub(super) async fn drop_item_keys(&mut self) -> Result<(), ConnectorError> {
        if self.mode == Mode::Replace {
            return Ok(());
        }
        let schema = &self.target.schema_name;
        let opened = self.subtables.open.iter().map(|subtable| &subtable.name);
        let mut names: Vec<&String> = self.subtables.known.iter().chain(opened).collect();
        names.sort();
        names.dedup();
        for name in names {
            let found = find_table(&self.link, schema, name).await?;
            if let Some(primary_key) = found.and_then(|found| found.primary_key) {
                let table = quote_qualified(schema, name);
                self.link
                    .execute(&ddl::drop_key(&table, &primary_key))
                    .await?;
            }
        }
        for subtable in &mut self.subtables.open {
            subtable.primary_key = None;
        }
        Ok(())
    }

    async fn make_item_stage(&mut self, number: usize) -> Result<(), ConnectorError> {
        let subtable = &mut self.subtables.open[number];
        if subtable.stage.is_some() {
            return Ok(());
        }
        let columns = writable_columns(&subtable.shape);
        self.link
            .execute(&format!(
                "create temporary table {STAGE}_{number} ({}, {ARRIVAL} bigint) on commit delete rows",
                ddl::column_definitions(&columns)
            ))
            .await?;
        subtable.stage = Some(columns);
        Ok(())
    }
}

/// Names of the columns that a row is copied into, in the order of the encoder.
fn copied_columns(
    shape: &TableShape,
    fields: &[(usize, Vec<usize>)],
    with_arrival: bool,
    keyless: bool,
) -> Vec<String> {
    fields
        .iter()
        .map(|(column, _)| shape.columns()[*column].name.as_str())
        .chain(with_arrival.then_some(ARRIVAL))
        .chain(system_columns(keyless).iter().copied())
        .map(str::to_owned)
        .collect()
}

fn encoder<'a>(
    shape: &'a TableShape,
    fields: &'a [(usize, Vec<usize>)],
    batch: &'a ShapedBatch,
    arrivals: Option<&'a Int64Array>,
    run_seed: Option<u64>,
) -> Result<RowEncoder<'a>, ConnectorError> {
    let columns = fields.iter().filter_map(|(column, fields)| {
        let column = &shape.columns()[*column];
        let column_type: &ColumnType = column.column_type.as_ref()?;
        Some((column.name.as_str(), column_type, fields.as_slice()))
    });
    RowEncoder::new(
        columns,
        &batch.schema,
        &batch.records,
        &batch.system,
        arrivals,
        run_seed,
    )
}
