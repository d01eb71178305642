//! Rows into record batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use rusqlite::Row;
use selvedge_connector::{
    ConnectorError, Field, LogicalType, SourceBatch, StreamSchema, TypeFidelity,
};

use crate::cells::{Lost, Placed, Values, size_of, storage_class};

/// Collects rows until somebody asks for the batch.
///
/// The schema starts as the one that was asked for and grows by a field for every kind of off-type value that turns up;
/// a field once added stays to the end of the read.
pub(crate) struct BatchBuilder {
    schema: Arc<StreamSchema>,
    arrow_schema: SchemaRef,
    fidelity: TypeFidelity,
    columns: Vec<Column>,
    /// Values of the fields behind those that were asked for, padded with NULL when the batch is made.
    additional: Vec<Values>,
    rows: usize,
    bytes: usize,
}

struct Column {
    values: Values,
    /// Off-type kinds seen so far: type, index into `additional`, how many.
    off_type: Vec<(LogicalType, usize, u64)>,
    lost: [u64; Lost::ALL.len()],
}

impl BatchBuilder {
    /// `scales` are the declared decimal scales, one per field.
    pub(crate) fn new(
        schema: Arc<StreamSchema>,
        scales: &[Option<u32>],
        fidelity: TypeFidelity,
    ) -> Result<Self, ConnectorError> {
        let columns = schema
            .fields
            .iter()
            .zip(scales)
            .map(|(field, scale)| {
                let values = Values::new(&field.logical_type, *scale).ok_or_else(|| {
                    ConnectorError::configuration(format!(
                        "column {} was chosen with a type that SQLite does not have: refresh the stream's structure",
                        field.name
                    ))
                })?;
                Ok(Column {
                    values,
                    off_type: Vec::new(),
                    lost: [0; Lost::ALL.len()],
                })
            })
            .collect::<Result<_, ConnectorError>>()?;
        Ok(Self {
            arrow_schema: schema.arrow_schema(),
            schema,
            fidelity,
            columns,
            additional: Vec::new(),
            rows: 0,
            bytes: 0,
        })
    }

    /// Adds a row whose first columns are the fields that were asked for.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        for index in 0..self.columns.len() {
            let cell = row.get_ref(index)?;
            self.bytes += size_of(cell);
            let column = &mut self.columns[index];
            match column.values.place(cell, self.fidelity) {
                Placed::Here => {}
                Placed::Nowhere(lost) => {
                    column.values.append_nulls(1);
                    column.lost[lost as usize] += 1;
                }
                Placed::Elsewhere(kind) => {
                    column.values.append_nulls(1);
                    if let Some(additional) = self.additional_values(index, kind) {
                        // A field made for values of this kind takes them.
                        additional.place(cell, TypeFidelity::Native);
                    }
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// The additional field for values of `kind` in column `index`, ready for the current row.
    #[cold]
    fn additional_values(&mut self, index: usize, kind: LogicalType) -> Option<&mut Values> {
        let column = &mut self.columns[index];
        let place = match column
            .off_type
            .iter_mut()
            .find(|(seen, _, _)| *seen == kind)
        {
            Some((_, place, count)) => {
                *count += 1;
                *place
            }
            None => {
                let place = self.additional.len();
                self.additional.push(Values::new(&kind, None)?);
                column.off_type.push((kind.clone(), place, 1));
                let mut fields = self.schema.fields.clone();
                fields.push(Field::new(fields[index].name.clone(), kind));
                self.schema = StreamSchema::new(fields);
                self.arrow_schema = self.schema.arrow_schema();
                place
            }
        };
        let values = &mut self.additional[place];
        let missing = self.rows - values.len();
        values.append_nulls(missing);
        Some(values)
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// About how many bytes the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows so far as a batch; the next row begins a new one.
    pub(crate) fn take(&mut self) -> Result<SourceBatch, ConnectorError> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        for values in &mut self.additional {
            let missing = rows - values.len();
            values.append_nulls(missing);
        }
        let arrays: Vec<ArrayRef> = self
            .columns
            .iter_mut()
            .map(|column| &mut column.values)
            .chain(&mut self.additional)
            .map(Values::finish)
            .collect();
        let records = RecordBatch::try_new_with_options(
            Arc::clone(&self.arrow_schema),
            arrays,
            &RecordBatchOptions::new().with_row_count(Some(rows)),
        )
        .map_err(|error| {
            ConnectorError::internal("a batch could not be put together")
                .with_detail(error.to_string())
        })?;
        Ok(SourceBatch {
            schema: Arc::clone(&self.schema),
            records,
        })
    }

    /// Values that became NULL: one line per column and reason.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        self.columns
            .iter()
            .zip(&self.schema.fields)
            .flat_map(|(column, field)| {
                Lost::ALL
                    .into_iter()
                    .zip(column.lost)
                    .filter(|(_, count)| *count > 0)
                    .map(move |(lost, count)| {
                        format!(
                            "column {}: {count} value(s) loaded as NULL because they are {}",
                            field.name,
                            lost.describe()
                        )
                    })
            })
    }

    /// Values off their column's type: one line per column and kind.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        self.columns
            .iter()
            .zip(&self.schema.fields)
            .flat_map(|(column, field)| {
                column.off_type.iter().map(move |(kind, _, count)| {
                    format!(
                        "column {}: {count} value(s) are not of the declared type and travel as {}",
                        field.name,
                        storage_class(kind)
                    )
                })
            })
    }
}
