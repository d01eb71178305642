//! The fields of a batch as columns of a file, and the records that cannot have them.
//!
//! Nothing is ever split or renamed here, and no state is kept between files: a file has the columns of its own records.
//! What remains of the naming rules are the names that nobody may use and fields that share one.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use selvedge_connector::StreamSchema;
use selvedge_shape::{Dialect, Rejection, names};

/// Columns for one schema.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) schema: Arc<StreamSchema>,
    pub(crate) columns: Vec<Column>,
    /// Fields whose name nobody may use: a record with a value there does not get in.
    refused: Vec<(usize, Rejection)>,
    /// Different fields of one name: a record may have a value in one of them only.
    collisions: Vec<usize>,
}

/// A column and the fields that fill it; of fields of the same place at most one is set in a record.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) fields: Vec<usize>,
}

impl Layout {
    pub(crate) fn new(dialect: &'static Dialect, schema: &Arc<StreamSchema>) -> Self {
        let mut layout = Self {
            schema: Arc::clone(schema),
            columns: Vec::with_capacity(schema.fields.len()),
            refused: Vec::new(),
            collisions: Vec::new(),
        };
        for (index, field) in schema.fields.iter().enumerate() {
            match names::field(dialect, field) {
                Ok(name) => layout.add(name, index),
                Err(reason) if reason.spares_record() => {}
                Err(reason) => layout.refused.push((index, reason)),
            }
        }
        layout
    }

    fn add(&mut self, name: String, field: usize) {
        let Some(index) = self.columns.iter().position(|column| column.name == name) else {
            self.columns.push(Column {
                name,
                fields: vec![field],
            });
            return;
        };
        let column = &mut self.columns[index];
        column.fields.push(field);
        let fields = &self.schema.fields;
        let same_origin = |other: &usize| fields[*other].same_place(&fields[field]);
        if !column.fields.iter().all(same_origin) && !self.collisions.contains(&index) {
            self.collisions.push(index);
        }
    }

    pub(crate) fn is_for(&self, schema: &Arc<StreamSchema>) -> bool {
        Arc::ptr_eq(&self.schema, schema) || self.schema == *schema
    }

    /// Why the record in `row` does not get in, if it does not.
    pub(crate) fn rejection(&self, records: &RecordBatch, row: usize) -> Option<Rejection> {
        let set = |field: usize| !records.column(field).is_null(row);
        if let Some((_, reason)) = self.refused.iter().find(|(field, _)| set(*field)) {
            return Some(reason.clone());
        }
        self.collisions
            .iter()
            .map(|index| &self.columns[*index])
            .find(|column| column.fields.iter().filter(|field| set(**field)).count() > 1)
            .map(|column| Rejection::Collision {
                column: column.name.clone(),
            })
    }

    /// Whether any record could be rejected at all.
    pub(crate) fn judges_rows(&self) -> bool {
        !self.refused.is_empty() || !self.collisions.is_empty()
    }
}
