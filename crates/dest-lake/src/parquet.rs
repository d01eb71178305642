//! Parquet: one column per field, typed, compressed with Snappy.
//!
//! A Parquet file says first which columns it has, and a record may bring a column that none before it had. So batches are
//! collected as Arrow streams in a file of their own, one stream for each run of batches with the same columns; when the
//! file is sealed they are read back one batch at a time and written under the union of their columns. In memory there is
//! never more than a batch and a row group.
//!
//! | Logical type | Parquet |
//! | --- | --- |
//! | boolean, integers, floats | the same |
//! | decimal of at most 38 digits | `DECIMAL` |
//! | other decimals | text, every digit |
//! | timestamp | microseconds, UTC |
//! | date, bytes | the same |
//! | UUID, JSON, arrays | text |
//!
//! A field with values of several classes gets a column for each: the class that came first has the field's name, others
//! have a suffix. Within a class the wider type wins (`int64`, `double`); decimals of different scales become text.

use std::fs::File;
use std::io::{BufReader, BufWriter, Seek, SeekFrom};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use selvedge_connector::{ConnectorError, LogicalType, TypeClass};
use selvedge_shape::{ColumnType, Dialect, system};

use crate::cells::Cells;
use crate::rows::{Rows, SystemCell};
use crate::spool::{Sealed, Spool, failed};

/// A row group is closed when its encoded pages hold this much.
const ROW_GROUP_BYTES: usize = 32 << 20;

/// A file under way.
pub(crate) struct ParquetFile {
    spool: Spool,
    keyless: bool,
    columns: Vec<FileColumn>,
    open: Option<Stream>,
    /// Streams that are complete, all in one file, which is at its end.
    closed: Vec<ClosedStream>,
    file: Option<File>,
}

/// A data column of the file.
#[derive(Debug)]
struct FileColumn {
    name: String,
    class: TypeClass,
    /// For the suffix, should another class have come first.
    column_type: ColumnType,
    data_type: DataType,
}

/// Batches with the same columns.
struct Stream {
    columns: Vec<(usize, DataType)>,
    offset: u64,
    writer: StreamWriter<BufWriter<File>>,
}

#[derive(Debug)]
struct ClosedStream {
    /// Indexes in [`ParquetFile::columns`]; the system columns follow them.
    columns: Vec<usize>,
    offset: u64,
}

impl ParquetFile {
    pub(crate) fn create(spool: &Spool, keyless: bool) -> Result<Self, ConnectorError> {
        Ok(Self {
            spool: spool.clone(),
            keyless,
            columns: Vec::new(),
            open: None,
            closed: Vec::new(),
            file: Some(spool.unnamed()?),
        })
    }

    pub(crate) fn write(&mut self, rows: &Rows<'_>) -> Result<(), ConnectorError> {
        let mut columns = Vec::new();
        let mut arrays = Vec::new();
        for column in &rows.layout.columns {
            for field in &column.fields {
                let logical_type = &rows.layout.schema.fields[*field].logical_type;
                let array = in_parquet(logical_type, rows.records.column(*field));
                let index = self.column(&column.name, logical_type, array.data_type());
                columns.push((index, array.data_type().clone()));
                arrays.push(array);
            }
        }
        arrays.extend(system_arrays(rows, self.keyless));
        let schema = stream_schema(&columns, self.keyless);
        let mut batch = RecordBatch::try_new(schema, arrays).map_err(failed)?;
        if !rows.skip.is_empty() {
            let mut kept = vec![true; batch.num_rows()];
            for row in rows.skip {
                kept[*row] = false;
            }
            batch = arrow_select::filter::filter_record_batch(&batch, &BooleanArray::from(kept))
                .map_err(failed)?;
        }
        let same = self
            .open
            .as_ref()
            .is_some_and(|stream| stream.columns == columns);
        if !same {
            self.close_stream()?;
        }
        let stream = match &mut self.open {
            Some(stream) => stream,
            None => {
                let stream = self.new_stream(columns, &batch.schema())?;
                self.open.insert(stream)
            }
        };
        stream.writer.write(&batch).map_err(failed)
    }

    /// The column for values of a field, widened if need be.
    fn column(&mut self, name: &str, logical_type: &LogicalType, data_type: &DataType) -> usize {
        let class = logical_type.class();
        let known = self
            .columns
            .iter()
            .position(|column| column.name == name && column.class == class);
        if let Some(index) = known {
            let column = &mut self.columns[index];
            column.data_type = wider(&column.data_type, data_type);
            return index;
        }
        self.columns.push(FileColumn {
            name: name.to_owned(),
            class,
            column_type: ColumnType::from(logical_type),
            data_type: data_type.clone(),
        });
        self.columns.len() - 1
    }

    fn new_stream(
        &mut self,
        columns: Vec<(usize, DataType)>,
        schema: &SchemaRef,
    ) -> Result<Stream, ConnectorError> {
        let mut file = self
            .file
            .take()
            .ok_or_else(|| failed("the file is in use"))?;
        let offset = file.stream_position().map_err(failed)?;
        Ok(Stream {
            columns,
            offset,
            writer: StreamWriter::try_new_buffered(file, schema).map_err(failed)?,
        })
    }

    fn close_stream(&mut self) -> Result<(), ConnectorError> {
        if let Some(stream) = self.open.take() {
            let buffer = stream.writer.into_inner().map_err(failed)?;
            self.file = Some(
                buffer
                    .into_inner()
                    .map_err(|error| failed(error.into_error()))?,
            );
            self.closed.push(ClosedStream {
                columns: stream.columns.iter().map(|(index, _)| *index).collect(),
                offset: stream.offset,
            });
        }
        Ok(())
    }

    pub(crate) fn seal(mut self) -> Result<Sealed, ConnectorError> {
        self.close_stream()?;
        let schema = self.schema();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let mut writer =
            ArrowWriter::try_new(self.spool.named()?, Arc::clone(&schema), Some(properties))
                .map_err(failed)?;
        let file = self
            .file
            .take()
            .ok_or_else(|| failed("the file is in use"))?;
        for stream in &self.closed {
            let mut file = &file;
            file.seek(SeekFrom::Start(stream.offset)).map_err(failed)?;
            let reader = StreamReader::try_new(BufReader::new(file), None).map_err(failed)?;
            for batch in reader {
                let batch = self.fitted(stream, &batch.map_err(failed)?, &schema)?;
                writer.write(&batch).map_err(failed)?;
                if writer.in_progress_size() > ROW_GROUP_BYTES {
                    writer.flush().map_err(failed)?;
                }
            }
        }
        Sealed::new(writer.into_inner().map_err(failed)?)
    }

    /// A batch under the columns of the whole file.
    fn fitted(
        &self,
        stream: &ClosedStream,
        batch: &RecordBatch,
        schema: &SchemaRef,
    ) -> Result<RecordBatch, ConnectorError> {
        let mut arrays = Vec::with_capacity(schema.fields().len());
        for (index, column) in self.columns.iter().enumerate() {
            let mut values: Option<ArrayRef> = None;
            // More than one where fields of one place differ within a class; at most one of them is set in a row.
            for (own, array) in stream.columns.iter().zip(batch.columns()) {
                if *own == index {
                    let array = widened(array, &column.data_type)?;
                    values = Some(match values {
                        Some(first) => first_set(&first, &array)?,
                        None => array,
                    });
                }
            }
            arrays.push(
                values.unwrap_or_else(|| new_null_array(&column.data_type, batch.num_rows())),
            );
        }
        arrays.extend_from_slice(&batch.columns()[stream.columns.len()..]);
        RecordBatch::try_new(Arc::clone(schema), arrays).map_err(failed)
    }

    fn schema(&self) -> SchemaRef {
        let mut fields = Vec::new();
        for (index, column) in self.columns.iter().enumerate() {
            let first = self.columns[..index]
                .iter()
                .all(|before| before.name != column.name);
            let name = match first {
                true => column.name.clone(),
                false => Dialect::POSTGRES.split_name(&column.name, &column.column_type),
            };
            fields.push(Field::new(name, column.data_type.clone(), true));
        }
        fields.extend(system_fields(self.keyless));
        Arc::new(Schema::new(fields))
    }
}

/// The type that holds the values of both, which are of one class.
fn wider(left: &DataType, right: &DataType) -> DataType {
    if left == right {
        return left.clone();
    }
    match (left, right) {
        (DataType::Int16 | DataType::Int32, DataType::Int16 | DataType::Int32) => DataType::Int32,
        (DataType::Int64, _) | (_, DataType::Int64) => DataType::Int64,
        (DataType::Float32 | DataType::Float64, _) => DataType::Float64,
        _ => DataType::Utf8,
    }
}

/// The values in the type that [`wider`] found for them. Few types are ever widened, and a library for all of them takes
/// longer to build than the rest of this crate.
fn widened(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ConnectorError> {
    Ok(match (array.data_type(), data_type) {
        (from, to) if from == to => Arc::clone(array),
        (DataType::Int16, DataType::Int32) => {
            let values = array.as_primitive::<Int16Type>();
            Arc::new(values.unary::<_, Int32Type>(i32::from))
        }
        (DataType::Int16, DataType::Int64) => {
            let values = array.as_primitive::<Int16Type>();
            Arc::new(values.unary::<_, Int64Type>(i64::from))
        }
        (DataType::Int32, DataType::Int64) => {
            let values = array.as_primitive::<Int32Type>();
            Arc::new(values.unary::<_, Int64Type>(i64::from))
        }
        (DataType::Float32, DataType::Float64) => {
            let values = array.as_primitive::<Float32Type>();
            Arc::new(values.unary::<_, Float64Type>(f64::from))
        }
        (DataType::Decimal128(..), DataType::Utf8) => {
            let values = array.as_primitive::<Decimal128Type>();
            let texts = (0..values.len())
                .map(|row| values.is_valid(row).then(|| values.value_as_string(row)));
            Arc::new(texts.collect::<StringArray>())
        }
        (from, to) => return Err(failed(format!("a column of {from} does not become {to}"))),
    })
}

/// The values of `first`, and where it has none those of `second`.
fn first_set(first: &ArrayRef, second: &ArrayRef) -> Result<ArrayRef, ConnectorError> {
    let set: BooleanArray = (0..first.len())
        .map(|row| Some(first.is_valid(row)))
        .collect();
    arrow_select::zip::zip(&set, first, second).map_err(failed)
}

/// The array as the file holds it.
fn in_parquet(logical_type: &LogicalType, array: &ArrayRef) -> ArrayRef {
    match logical_type {
        LogicalType::Timestamp | LogicalType::TimestampTz => {
            let instants = array.as_primitive::<TimestampMicrosecondType>();
            Arc::new(instants.clone().with_timezone("UTC"))
        }
        LogicalType::Uuid => as_text(logical_type, array),
        LogicalType::Decimal { precision, .. } if *precision > 38 => as_text(logical_type, array),
        _ => Arc::clone(array),
    }
}

fn as_text(logical_type: &LogicalType, array: &ArrayRef) -> ArrayRef {
    let cells = Cells::new(logical_type, array.as_ref());
    let mut text = Vec::new();
    let texts: StringArray = (0..array.len())
        .map(|row| {
            if cells.is_null(row) {
                return None;
            }
            text.clear();
            cells.push_text(row, &mut text);
            Some(String::from_utf8_lossy(&text).into_owned())
        })
        .collect();
    Arc::new(texts)
}

/// Columns are told apart by their place alone until the file is sealed.
fn stream_schema(columns: &[(usize, DataType)], keyless: bool) -> SchemaRef {
    let data = columns
        .iter()
        .map(|(index, data_type)| Field::new(index.to_string(), data_type.clone(), true));
    Arc::new(Schema::new(
        data.chain(system_fields(keyless)).collect::<Vec<_>>(),
    ))
}

fn system_fields(keyless: bool) -> Vec<Field> {
    system::columns(keyless)
        .into_iter()
        .map(|column| {
            let data_type = match column.column_type {
                ColumnType::Timestamp => {
                    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
                }
                ColumnType::BigInt => DataType::Int64,
                _ => DataType::Utf8,
            };
            Field::new(column.name, data_type, true)
        })
        .collect()
}

fn system_arrays(rows: &Rows<'_>, keyless: bool) -> Vec<ArrayRef> {
    let fields = system_fields(keyless);
    let mut columns = vec![Vec::with_capacity(rows.records.num_rows()); fields.len()];
    let mut cells = Vec::new();
    for row in 0..rows.records.num_rows() {
        rows.system.row(row, &mut cells);
        for (column, cell) in columns.iter_mut().zip(&cells) {
            column.push(*cell);
        }
    }
    let number = |cell: &Option<SystemCell<'_>>| match cell {
        Some(SystemCell::Instant(number) | SystemCell::Integer(number)) => Some(*number),
        _ => None,
    };
    fields
        .iter()
        .zip(&columns)
        .map(|(field, cells)| match field.data_type() {
            DataType::Timestamp(..) => {
                let instants: TimestampMicrosecondArray = cells.iter().map(number).collect();
                Arc::new(instants.with_timezone("UTC")) as ArrayRef
            }
            DataType::Int64 => Arc::new(cells.iter().map(number).collect::<Int64Array>()),
            _ => {
                let texts = cells.iter().map(|cell| match cell {
                    Some(SystemCell::Identity(text)) => std::str::from_utf8(text).ok(),
                    _ => None,
                });
                Arc::new(texts.collect::<StringArray>())
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use arrow_array::{Decimal128Array, Float32Array, Int16Array, Int32Array};

    use super::*;

    #[test]
    fn values_are_the_same_in_the_wider_type() {
        let shorts: ArrayRef = Arc::new(Int16Array::from(vec![Some(i16::MIN), None]));
        let integers: ArrayRef = Arc::new(Int32Array::from(vec![Some(i32::MIN), None]));
        let singles: ArrayRef = Arc::new(Float32Array::from(vec![Some(0.1_f32), None]));
        let decimals = Decimal128Array::from(vec![Some(-125_000), None]);
        let decimals: ArrayRef = Arc::new(decimals.with_precision_and_scale(20, 4).unwrap());
        for (array, other, text) in [
            (&shorts, DataType::Int32, "-32768"),
            (&shorts, DataType::Int64, "-32768"),
            (&integers, DataType::Int64, "-2147483648"),
            (&singles, DataType::Float64, "0.10000000149011612"),
            (&decimals, DataType::Decimal128(20, 2), "-12.5000"),
        ] {
            let to = wider(array.data_type(), &other);
            let widened = widened(array, &to).unwrap();
            assert_eq!(widened.data_type(), &to);
            assert!(widened.is_null(1));
            let found = match &to {
                DataType::Int32 => widened.as_primitive::<Int32Type>().value(0).to_string(),
                DataType::Int64 => widened.as_primitive::<Int64Type>().value(0).to_string(),
                DataType::Float64 => widened.as_primitive::<Float64Type>().value(0).to_string(),
                _ => widened.as_string::<i32>().value(0).to_owned(),
            };
            assert_eq!(found, text, "to {to}");
        }
        assert!(widened(&decimals, &DataType::Int64).is_err());
    }
}
