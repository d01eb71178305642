//! The planner: which changes of the table a batch needs, and where its fields go.
//!
//! The rules in short. A field gets a column when its first value comes, behind all others. A value never enters a column
//! of another class: the field is split into one column per class, and where the dialect says so the first column is
//! renamed along. Integers widen in place. Which column belongs to which class is read off the columns' names, so a later
//! run finds the same ones. Key columns are there from the start and cannot be split: a key of another type ends the key.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use selvedge_connector::{Field, StreamSchema, TypeClass};

use crate::{Column, ColumnType, ExistingColumn, Rejection, TableShape, names, system};

/// A change of the destination table. To be carried out in order, before the batch is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// System columns are among `columns`, behind the data. `key` names columns; empty for keyless tables.
    CreateTable {
        columns: Vec<Column>,
        key: Vec<String>,
    },
    AddColumn(Column),
    /// From 32 to 64 bits, in place.
    WidenToBigint {
        column: String,
    },
    RenameColumn {
        from: String,
        to: String,
    },
    /// Only in the plan of a replacement.
    DropColumn {
        column: String,
    },
    /// The key no longer identifies rows: its constraint goes, and rows are appended from now on.
    DropKey,
}

/// Where a field's values go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldTarget {
    /// Index in [`TableShape::columns`]. Several fields may share a column; of those at most one is set in any record that
    /// is not rejected.
    Column(usize),
    /// Only NULL so far: no column yet.
    Pending,
    /// Records with a value in this field are rejected.
    RejectsRecord(Rejection),
    /// The field is left out, its records load without it.
    RejectsColumn(Rejection),
}

/// The fields of one schema and what was decided about them.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) schema: Arc<StreamSchema>,
    pub(crate) targets: Vec<FieldTarget>,
    /// Destination names before any split.
    pub(crate) bases: Vec<Option<String>>,
    /// Groups of fields with different source names and one destination name.
    collisions: Vec<Vec<usize>>,
}

impl Layout {
    pub(crate) fn judges_rows(&self) -> bool {
        !self.collisions.is_empty()
            || self
                .targets
                .iter()
                .any(|target| matches!(target, FieldTarget::RejectsRecord(_)))
    }

    /// Why a record is rejected in which exactly the fields that `set` confirms have values.
    pub(crate) fn reason(&self, set: impl Fn(usize) -> bool) -> Option<Rejection> {
        for (field, target) in self.targets.iter().enumerate() {
            if let FieldTarget::RejectsRecord(reason) = target
                && set(field)
            {
                return Some(reason.clone());
            }
        }
        self.collisions
            .iter()
            .find(|group| group.iter().filter(|field| set(**field)).count() > 1)
            .map(|group| Rejection::Collision {
                column: self.bases[group[0]].clone().unwrap_or_default(),
            })
    }
}

impl TableShape {
    /// Decides about every field of a batch. The shape takes the changes for granted; a destination that could not carry
    /// them out throws the shape away.
    ///
    /// Nothing is planned for a table that does not exist and would have no data column: its records hold only NULLs.
    pub fn plan(&mut self, schema: &Arc<StreamSchema>, records: &RecordBatch) -> Vec<SchemaChange> {
        if !self.is_planned_for(schema) {
            self.layout = Some(self.lay_out(schema));
            self.generation += 1;
        }
        let mut changes = Vec::new();
        for field in 0..schema.fields.len() {
            let array = records.column(field).as_ref();
            let Some(layout) = &self.layout else { break };
            match layout.targets[field] {
                FieldTarget::Column(index) => self.widen(index, array, &mut changes),
                FieldTarget::Pending => self.decide(field, array, &mut changes),
                FieldTarget::RejectsRecord(_) | FieldTarget::RejectsColumn(_) => {}
            }
        }
        if !changes.is_empty() {
            self.generation += 1;
        }
        if self.exists || self.columns.is_empty() {
            return changes;
        }
        self.create()
    }

    /// The creation of the table with the columns it has so far, however few. For a destination where records of NULLs
    /// alone have their place, because they replace those of a table that is there.
    pub fn create(&mut self) -> Vec<SchemaChange> {
        self.exists = true;
        let system_columns = system::columns(self.key.is_empty());
        self.used_slots += system_columns.len();
        self.columns
            .extend(system_columns.into_iter().map(ExistingColumn::from));
        let key = match self.keyed {
            true => self.key.iter().map(|(_, name)| name.clone()).collect(),
            false => Vec::new(),
        };
        vec![SchemaChange::CreateTable {
            columns: self
                .columns
                .iter()
                .filter_map(|column| Some(Column::new(&column.name, column.column_type.clone()?)))
                .collect(),
            key,
        }]
    }

    /// Destination names, before any split, of the fields that have a column.
    pub(crate) fn bases_with_columns(&self) -> impl Iterator<Item = &str> {
        self.layout.iter().flat_map(|layout| {
            layout
                .bases
                .iter()
                .zip(&layout.targets)
                .filter(|(_, target)| matches!(target, FieldTarget::Column(_)))
                .filter_map(|(base, _)| base.as_deref())
        })
    }

    /// Names the fields; which columns they get is decided when values come.
    fn lay_out(&self, schema: &Arc<StreamSchema>) -> Layout {
        let mut targets = Vec::with_capacity(schema.fields.len());
        let mut bases: Vec<Option<String>> = Vec::with_capacity(schema.fields.len());
        for (index, field) in schema.fields.iter().enumerate() {
            let named = match self.is_subtable && index < self.key_fields(schema) {
                true => Ok(field.name.clone()),
                false => names::field(self.dialect, field),
            };
            match named {
                Ok(name) => {
                    targets.push(FieldTarget::Pending);
                    bases.push(Some(name));
                }
                Err(reason) => {
                    targets.push(match reason.spares_record() {
                        true => FieldTarget::RejectsColumn(reason),
                        false => FieldTarget::RejectsRecord(reason),
                    });
                    bases.push(None);
                }
            }
        }
        let mut collisions: Vec<Vec<usize>> = Vec::new();
        for (field, base) in bases.iter().enumerate() {
            let Some(base) = base else { continue };
            let first = bases[..field].iter().position(|other| {
                other
                    .as_ref()
                    .is_some_and(|other| self.dialect.same_column(other, base))
            });
            let Some(first) = first else { continue };
            match collisions.iter_mut().find(|group| group[0] == first) {
                Some(group) => group.push(field),
                None => collisions.push(vec![first, field]),
            }
        }
        // The same place with several types is no collision: at most one of them is set.
        collisions.retain(|group| {
            group
                .iter()
                .any(|field| !schema.fields[*field].same_place(&schema.fields[group[0]]))
        });
        Layout {
            schema: Arc::clone(schema),
            targets,
            bases,
            collisions,
        }
    }

    /// How many of the leading fields of a subtable are its key.
    fn key_fields(&self, schema: &StreamSchema) -> usize {
        let is_key = |field: &Field| self.key.iter().any(|(name, _)| *name == field.name);
        schema
            .fields
            .iter()
            .take_while(|field| is_key(field))
            .count()
    }

    /// Gives a field without a column its target, once there is a reason to.
    fn decide(&mut self, field: usize, array: &dyn Array, changes: &mut Vec<SchemaChange>) {
        let Some(layout) = &self.layout else { return };
        let Some(base) = layout.bases[field].clone() else {
            return;
        };
        let source = &layout.schema.fields[field];
        let column_type = ColumnType::from(&source.logical_type);
        let has_values = array.null_count() < array.len();
        let is_key = self.keyed && self.key.iter().any(|(name, _)| source.is_top_level(name));
        let target = if let Some(index) = self.find(&base, &column_type) {
            self.widen(index, array, changes);
            FieldTarget::Column(index)
        } else if has_values || is_key && !self.occupied(&base) {
            match self.make_column(&base, &column_type, is_key, array, changes) {
                Ok(index) => FieldTarget::Column(index),
                Err(reason) if reason.spares_record() => FieldTarget::RejectsColumn(reason),
                Err(reason) => FieldTarget::RejectsRecord(reason),
            }
        } else {
            return;
        };
        if let Some(layout) = &mut self.layout {
            layout.targets[field] = target;
        }
        self.generation += 1;
    }

    /// The existing column that takes values of `column_type` for the field called `base`.
    fn find(&self, base: &str, column_type: &ColumnType) -> Option<usize> {
        let fitting = |name: &str| {
            let index = self.position(name)?;
            let existing = self.columns[index].column_type.as_ref()?;
            column_type.fits(existing).then_some(index)
        };
        fitting(base).or_else(|| {
            fitting(&self.dialect.split_name(base, column_type)).or_else(|| {
                let twin = match column_type {
                    ColumnType::Integer => ColumnType::BigInt,
                    ColumnType::BigInt => ColumnType::Integer,
                    _ => return None,
                };
                fitting(&self.dialect.split_name(base, &twin))
            })
        })
    }

    /// Whether the field called `base` has any column, split ones included.
    pub(crate) fn occupied(&self, base: &str) -> bool {
        self.position(base).is_some()
            || self.dialect.split_suffixes.iter().any(|suffix| {
                self.columns.iter().any(|column| {
                    self.dialect
                        .same_column(&column.name, &format!("{base}__{suffix}"))
                })
            })
    }

    fn make_column(
        &mut self,
        base: &str,
        column_type: &ColumnType,
        is_key: bool,
        array: &dyn Array,
        changes: &mut Vec<SchemaChange>,
    ) -> Result<usize, Rejection> {
        let reserved = match self.exists {
            true => 0,
            false => system::NAMES.len(),
        };
        if self.used_slots + reserved >= self.dialect.max_columns {
            return Err(Rejection::TooManyColumns);
        }
        if !self.occupied(base) {
            return Ok(self.add(Column::new(base, column_type.clone()), changes));
        }
        let column_type = match column_type.class() {
            TypeClass::Integer if needs_bigint(array) => ColumnType::BigInt,
            TypeClass::Integer => ColumnType::Integer,
            _ => column_type.clone(),
        };
        let split_name = self.room_for(base, &column_type)?;
        let original = self.position(base).and_then(|index| {
            let existing = self.columns[index].column_type.clone()?;
            Some((index, existing))
        });
        let renamed = match original {
            Some((index, existing)) if self.dialect.rename_original_column_in_split => {
                let to = self.room_for(base, &existing)?;
                Some((index, to))
            }
            _ => None,
        };
        if is_key {
            self.give_up_key();
            changes.push(SchemaChange::DropKey);
        }
        if let Some((index, to)) = renamed {
            let from = std::mem::replace(&mut self.columns[index].name, to.clone());
            changes.push(SchemaChange::RenameColumn { from, to });
        }
        Ok(self.add(Column::new(split_name, column_type), changes))
    }

    /// The name of the split column for `base`, if it is short enough and nobody has it.
    fn room_for(&self, base: &str, column_type: &ColumnType) -> Result<String, Rejection> {
        let name = self.dialect.split_name(base, column_type);
        if self
            .dialect
            .max_split_name
            .is_some_and(|limit| name.len() > limit)
        {
            return Err(Rejection::ColumnNameTooLong {
                column: name,
                destination: self.dialect.display_name,
            });
        }
        if self.position(&name).is_some() {
            return Err(Rejection::Collision { column: name });
        }
        Ok(name)
    }

    fn add(&mut self, column: Column, changes: &mut Vec<SchemaChange>) -> usize {
        changes.push(SchemaChange::AddColumn(column.clone()));
        self.columns.push(column.into());
        self.used_slots += 1;
        self.columns.len() - 1
    }

    fn widen(&mut self, index: usize, array: &dyn Array, changes: &mut Vec<SchemaChange>) {
        let column = &mut self.columns[index];
        if column.column_type == Some(ColumnType::Integer) && needs_bigint(array) {
            column.column_type = Some(ColumnType::BigInt);
            changes.push(SchemaChange::WidenToBigint {
                column: column.name.clone(),
            });
        }
    }
}

/// Whether any value is beyond 32 bits.
fn needs_bigint(array: &dyn Array) -> bool {
    let Some(array) = array.as_primitive_opt::<Int64Type>() else {
        return false;
    };
    let wide = |value: i64| i32::try_from(value).is_err();
    // The slots behind NULLs may hold anything, but are zero as a rule: the exact pass is rarely needed.
    array.values().iter().any(|value| wide(*value)) && array.iter().flatten().any(wide)
}

#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod tests;
