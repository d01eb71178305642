//! The items of a batch's arrays on their way into the subtables.
//!
//! A record and its items share one fate, so whether any of them is to be rejected is known before the first row of the
//! batch is written; which records win is known after theirs are, and then the items follow.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::BooleanArray;
use arrow_select::filter::filter_record_batch;
use selvedge_connector::{
    ConnectorError, LoadMode, Sequences, ShapedBatch, SubtableBatch, SubtableReport,
};
use selvedge_shape::{Rejection, TableShape, record_text, subtable_batch};

use super::{Load, key_of};
use crate::connect::File;
use crate::error::explain;
use crate::insert::{BoundColumn, Insertion, bound_columns};
use crate::opening::Route;
use crate::structure::quoted;
use crate::subtables::{Place, Subtable, Subtables};
use crate::winners::{Winner, Winners};

/// Items that have their place.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) items: Vec<PlannedItems>,
    /// Records whose items do not get in, by ascending row; one reason each.
    pub(super) rejections: Vec<(usize, Rejection)>,
}

/// The items of one array, as rows of a subtable.
#[derive(Debug)]
pub(super) struct PlannedItems {
    /// Index of the subtable.
    at: usize,
    /// The way to the array.
    path: Vec<String>,
    rows: ShapedBatch,
    /// For each row the row of its record.
    root_rows: Arc<[u32]>,
}

impl Load {
    /// Finds the subtables and plans them; items of the records in `skip` (ascending) do not count.
    pub(super) fn plan_items(
        &mut self,
        batch: &ShapedBatch,
        skip: &[usize],
    ) -> Result<Plan, ConnectorError> {
        let mut plan = Plan::default();
        for items in &batch.subtables {
            let Some(items) = without_records(items, skip)? else {
                continue;
            };
            self.begin()?;
            let (file, subtables) = nested(&self.file, &mut self.subtables)?;
            let at = match subtables.find(file, &items)? {
                Place::Subtable(at) => at,
                Place::LeftOut(reason) => {
                    self.leave_out(batch, &items, &reason)?;
                    continue;
                }
                Place::Taken(reason) => {
                    let rows = items.root_rows.iter();
                    plan.rejections
                        .extend(rows.map(|row| (*row as usize, reason.clone())));
                    continue;
                }
            };
            // Another array of the same name: records that have items in both are rejected.
            let twins: HashSet<u32> = plan
                .items
                .iter()
                .filter(|other| other.at == at)
                .flat_map(|other| other.root_rows.iter().copied())
                .collect();
            let shared = items.root_rows.iter().filter(|row| twins.contains(row));
            let collision = subtables.collision(at);
            plan.rejections
                .extend(shared.map(|row| (*row as usize, collision.clone())));
            let rows = subtable_batch(batch, &items, &subtables.key).map_err(|error| {
                ConnectorError::internal("the items of an array do not fit their records")
                    .with_detail(error.to_string())
            })?;
            self.notes.extend(subtables.plan(file, at, &rows)?);
            let rejected = subtables.table(at).shape.row_rejections(&rows.records);
            plan.rejections.extend(
                rejected
                    .into_iter()
                    .map(|rejection| (items.root_rows[rejection.row] as usize, rejection.reason)),
            );
            plan.items.push(PlannedItems {
                at,
                path: items.path.clone(),
                rows,
                root_rows: Arc::clone(&items.root_rows),
            });
        }
        plan.rejections.sort_by_key(|(row, _)| *row);
        plan.rejections.dedup_by_key(|(row, _)| *row);
        Ok(plan)
    }

    /// Items that cannot have a table: their records load without them. One of these stands for all in the rejected table.
    fn leave_out(
        &mut self,
        batch: &ShapedBatch,
        items: &SubtableBatch,
        reason: &Rejection,
    ) -> Result<(), ConnectorError> {
        if self.left_out.contains(&items.path) {
            return Ok(());
        }
        self.left_out.push(items.path.clone());
        self.notes.push(format!(
            "{reason}: the items of {} are left out",
            items.path.join("__")
        ));
        let row = items.root_rows.first().copied().unwrap_or_default();
        let record = record_text(batch, row as usize);
        let table = self.opening.table.clone();
        let (file, _) = nested(&self.file, &mut self.subtables)?;
        self.rejected
            .keep(file, &table, &record, &reason.to_string(), self.clock.now())
    }

    /// Once records are not told apart any more, items are not either.
    pub(super) fn end_key_of_items(&mut self) -> Result<(), ConnectorError> {
        if self
            .subtables
            .as_ref()
            .is_none_or(|subtables| !subtables.keyed())
        {
            return Ok(());
        }
        self.begin()?;
        let (file, subtables) = nested(&self.file, &mut self.subtables)?;
        subtables.end_key(file)
    }

    /// A replacement whose key waits for the end cannot tell which items go along with a row that is superseded. So from
    /// the first items on it follows the keys, if there are no rows yet, or goes by key.
    pub(super) fn follow_items(
        &mut self,
        shape: &TableShape,
        fresh: bool,
        items: &[PlannedItems],
    ) -> Result<(), ConnectorError> {
        if items.is_empty() || std::mem::replace(&mut self.nested, true) {
            return Ok(());
        }
        match key_of(shape) {
            Some(_) if self.mode == LoadMode::Merge || self.upsert => Ok(()),
            Some(_) if fresh => {
                self.ascending = Some(Default::default());
                Ok(())
            }
            Some(key) => self.go_by_key(&key),
            None => Ok(()),
        }
    }

    /// Whether rows have to be known one by one: to find their items, or because another may have the same sequence.
    pub(super) fn remembers_rows(&self, shape: &TableShape, batch: &ShapedBatch) -> bool {
        if key_of(shape).is_none() {
            return false;
        }
        let has_subtables = |subtables: &Subtables| subtables.existing().next().is_some();
        let ties = self.mode == LoadMode::Merge
            && !matches!(batch.system.sequences, Sequences::From(_))
            && !matches!(self.opening.route, Route::Beside);
        ties || self.subtables.as_ref().is_some_and(has_subtables)
    }

    /// Lets the subtables follow the records that were written; `skip` (ascending) were not.
    pub(super) fn write_items(
        &mut self,
        shape: &TableShape,
        batch: &ShapedBatch,
        skip: &[usize],
        winners: Option<Winners>,
        items: &[PlannedItems],
    ) -> Result<(), ConnectorError> {
        let winners = winners.filter(|_| self.upsert);
        if winners.is_none() && items.is_empty() {
            return Ok(());
        }
        let mut written = vec![false; batch.records.num_rows()];
        let (file, subtables) = nested(&self.file, &mut self.subtables)?;
        match winners {
            Some(winners) => {
                let winners = winners.into_rows();
                winners.iter().for_each(|winner| written[winner.row] = true);
                let columns = key_columns(shape, batch)?;
                for subtable in subtables.existing() {
                    let taken_back = remove(file, subtable, subtables, &columns, &winners)
                        .map_err(|error| explain(&error))?;
                    let told = self.written_items.iter_mut();
                    for written in told.filter(|told| told.table_name == subtable.table_name()) {
                        written.row_count = written.row_count.saturating_sub(taken_back);
                    }
                }
            }
            None => {
                written.fill(true);
                skip.iter().for_each(|row| written[*row] = false);
            }
        }
        for (index, planned) in items.iter().enumerate() {
            if items
                .iter()
                .skip(index + 1)
                .any(|later| later.at == planned.at)
                || items[..index]
                    .iter()
                    .any(|earlier| earlier.at == planned.at)
            {
                subtables.plan_again(planned.at, &planned.rows);
            }
            let skip: Vec<usize> = (0..planned.root_rows.len())
                .filter(|row| !written[planned.root_rows[*row] as usize])
                .collect();
            let subtable = subtables.table(planned.at);
            let insertion = Insertion {
                file,
                table: &subtable.working,
                shape: &subtable.shape,
                // What stood in the way is gone.
                upsert: false,
                run_seed: self.run_seed,
            };
            let row_count = insertion.run(&planned.rows, &skip, None)?.written;
            let name = subtable.table_name();
            let mut told = self.written_items.iter_mut();
            match told.find(|told| told.table_name == name) {
                Some(told) => told.row_count += row_count,
                None => self.written_items.push(SubtableReport {
                    table_name: name.to_owned(),
                    path: planned.path.clone(),
                    row_count,
                    objects: None,
                }),
            }
        }
        Ok(())
    }
}

/// The file behind an open transaction and the subtables in it.
fn nested<'a>(
    file: &'a Option<File>,
    subtables: &'a mut Option<Subtables>,
) -> Result<(&'a File, &'a mut Subtables), ConnectorError> {
    match (file, subtables) {
        (Some(file), Some(subtables)) => Ok((file, subtables)),
        _ => Err(ConnectorError::internal("the table was not planned")),
    }
}

/// The items of all records but those in `skip` (ascending); `None` when there are none.
fn without_records<'a>(
    items: &'a SubtableBatch,
    skip: &[usize],
) -> Result<Option<Cow<'a, SubtableBatch>>, ConnectorError> {
    let stays: Vec<bool> = items
        .root_rows
        .iter()
        .map(|row| skip.binary_search(&(*row as usize)).is_err())
        .collect();
    let staying = stays.iter().filter(|stays| **stays).count();
    if staying == 0 {
        return Ok(None);
    }
    if staying == stays.len() {
        return Ok(Some(Cow::Borrowed(items)));
    }
    let mask = BooleanArray::from(stays.clone());
    let records = filter_record_batch(&items.records, &mask).map_err(|error| {
        ConnectorError::internal("the items of an array do not fit their records")
            .with_detail(error.to_string())
    })?;
    let kept = || (0..stays.len()).filter(|row| stays[*row]);
    Ok(Some(Cow::Owned(SubtableBatch {
        path: items.path.clone(),
        schema: Arc::clone(&items.schema),
        records,
        root_rows: kept().map(|row| items.root_rows[row]).collect(),
        levels: items
            .levels
            .iter()
            .map(|indices| kept().map(|row| indices[row]).collect())
            .collect(),
    })))
}

/// The columns of the batch with the root's key, in its order.
fn key_columns<'b>(
    shape: &TableShape,
    batch: &'b ShapedBatch,
) -> Result<Vec<BoundColumn<'b>>, ConnectorError> {
    let key = shape.key_columns().unwrap_or_default();
    let place = |column: &BoundColumn<'_>| {
        let name = &shape.columns()[column.index].name;
        key.iter().position(|key| key == name)
    };
    let mut columns = bound_columns(shape, batch)?;
    columns.retain(|column| place(column).is_some());
    columns.sort_by_key(place);
    if columns.len() != key.len() {
        return Err(ConnectorError::internal("a record without its key won"));
    }
    Ok(columns)
}

/// Takes the items of the winners' keys out of a subtable. Returns how many of them this load had put there.
fn remove(
    file: &File,
    subtable: &Subtable,
    subtables: &Subtables,
    key: &[BoundColumn<'_>],
    winners: &[Winner],
) -> rusqlite::Result<u64> {
    let condition = subtables
        .key
        .subtable_key(0)
        .iter()
        .zip(1..)
        .map(|(name, parameter)| format!("{} = ?{parameter}", quoted(name)))
        .collect::<Vec<_>>()
        .join(" and ");
    let mut statement = file.connection.prepare_cached(&format!(
        "delete from {} where {condition}",
        quoted(&subtable.working)
    ))?;
    let mut scratch = String::new();
    let mut taken_back = 0;
    for winner in winners {
        for (column, parameter) in key.iter().zip(1..) {
            column.bind(&mut statement, parameter, winner.row, &mut scratch)?;
        }
        let removed = statement.raw_execute()?;
        if winner.superseding {
            taken_back += removed as u64;
        }
    }
    Ok(taken_back)
}
