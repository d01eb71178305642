//! The hot path: rows of Arrow arrays into the lines that `LOAD DATA` reads.
//!
//! One [`Cells`] per destination column is chosen once per batch; writing a row then is one `match` per cell and no
//! allocation. A line is cells between tabs; NULL is `\N`, and a backslash stands before what would end a cell or a line.
//! Every value is spelled so that the server has nothing to round or to cut.

mod decimal;
mod json;
mod text;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{
    Array, BooleanArray, Decimal128Array, Decimal256Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use selvedge_connector::{ConnectorError, Instants, LogicalType, StreamSchema, SystemValues};
use selvedge_shape::{ColumnType, Dialect, Rejection, system};

pub(crate) use text::put_text;
use text::{put_datetime, put_float, put_integer};

const NULL: &[u8] = b"\\N";

/// A value that its column cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BadValue {
    Integer,
    Decimal,
    Timestamp,
    Malformed,
}

impl BadValue {
    fn rejection(self, column: &str) -> Rejection {
        let (column, destination) = (column.to_owned(), Dialect::MYSQL.display_name);
        match self {
            BadValue::Integer => Rejection::IntegerOutOfRange {
                column,
                destination,
            },
            BadValue::Decimal => Rejection::DecimalOutOfRange {
                column,
                destination,
            },
            BadValue::Timestamp => Rejection::TimestampOutOfRange {
                column,
                destination,
            },
            BadValue::Malformed => Rejection::InvalidValue {
                column,
                destination,
            },
        }
    }
}

/// What a destination column takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetColumn<'a> {
    pub(crate) name: &'a str,
    pub(crate) column_type: &'a ColumnType,
    /// For texts of a key: the longest that fits.
    pub(crate) characters: Option<usize>,
    /// Indices of the fields that go there.
    pub(crate) fields: &'a [usize],
}

/// One field's values and how they are written into their column.
#[derive(Debug)]
enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64AsInteger(&'a Int64Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal128(&'a Decimal128Array, i8),
    Decimal256(&'a Decimal256Array, i8),
    DecimalText(&'a StringArray),
    Text(&'a StringArray),
    KeyText(&'a StringArray, usize),
    Timestamp(&'a TimestampMicrosecondArray),
    Json(&'a StringArray, usize),
    /// Several fields of one column, of which at most one is set.
    FirstOf(Vec<Cells<'a>>),
}

/// Writes the rows of one batch.
#[derive(Debug)]
pub(crate) struct RowEncoder<'a> {
    columns: Vec<(&'a str, Cells<'a>)>,
    system: SystemCells<'a>,
}

/// Names of the system columns in the order in which [`RowEncoder`] writes them behind the data.
pub(crate) fn system_columns(keyless: bool) -> &'static [&'static str] {
    const ALL: [&str; 6] = [
        system::EXTRACTED_AT,
        system::RECEIVED_AT,
        system::BATCHED_AT,
        system::TABLE_VERSION,
        system::SEQUENCE,
        system::PRIMARY_KEY,
    ];
    if keyless { &ALL } else { &ALL[..5] }
}

impl<'a> RowEncoder<'a> {
    /// `json_depth` is how deep the server lets JSON be nested; `run_seed` is given for keyless tables.
    pub(crate) fn new(
        columns: impl IntoIterator<Item = TargetColumn<'a>>,
        schema: &'a StreamSchema,
        records: &'a RecordBatch,
        system: &'a SystemValues,
        json_depth: usize,
        run_seed: Option<u64>,
    ) -> Result<Self, ConnectorError> {
        let columns = columns
            .into_iter()
            .map(|column| {
                let cells = |field: &usize| {
                    let logical_type = &schema.fields[*field].logical_type;
                    let array = records.column(*field).as_ref();
                    Cells::new(logical_type, &column, array, json_depth).ok_or_else(|| {
                        ConnectorError::internal(format!(
                            "the field {} came as {} where {logical_type:?} was announced",
                            schema.fields[*field].name,
                            array.data_type()
                        ))
                    })
                };
                let cells = match column.fields {
                    [field] => cells(field)?,
                    fields => Cells::FirstOf(fields.iter().map(cells).collect::<Result<_, _>>()?),
                };
                Ok((column.name, cells))
            })
            .collect::<Result<Vec<_>, ConnectorError>>()?;
        Ok(Self {
            columns,
            system: SystemCells::new(system, run_seed),
        })
    }

    /// Appends row `row`. On a value that its column cannot hold nothing is appended.
    #[inline]
    pub(crate) fn encode(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Rejection> {
        let start = out.len();
        for (name, cells) in &self.columns {
            if let Err(bad) = cells.write(row, out) {
                out.truncate(start);
                return Err(bad.rejection(name));
            }
            out.push(b'\t');
        }
        self.system.write(row, out);
        out.push(b'\n');
        Ok(())
    }
}

impl<'a> Cells<'a> {
    /// `None` when the array is not what the logical type promises, or the column is not one for it.
    fn new(
        logical_type: &LogicalType,
        column: &TargetColumn<'_>,
        array: &'a dyn Array,
        json_depth: usize,
    ) -> Option<Self> {
        use ColumnType as Column;
        Some(match (logical_type, column.column_type) {
            (LogicalType::Boolean, Column::Boolean) => Cells::Boolean(array.as_boolean_opt()?),
            (LogicalType::Int16, Column::Integer | Column::BigInt) => {
                Cells::Int16(array.as_primitive_opt::<Int16Type>()?)
            }
            (LogicalType::Int32, Column::Integer | Column::BigInt) => {
                Cells::Int32(array.as_primitive_opt::<Int32Type>()?)
            }
            (LogicalType::Int64, Column::Integer) => {
                Cells::Int64AsInteger(array.as_primitive_opt::<Int64Type>()?)
            }
            (LogicalType::Int64, Column::BigInt) => {
                Cells::Int64(array.as_primitive_opt::<Int64Type>()?)
            }
            (LogicalType::Float32, Column::Double) => {
                Cells::Float32(array.as_primitive_opt::<Float32Type>()?)
            }
            (LogicalType::Float64, Column::Double) => {
                Cells::Float64(array.as_primitive_opt::<Float64Type>()?)
            }
            (LogicalType::Decimal { precision, scale }, Column::Decimal) => {
                match *precision <= 38 {
                    true => Cells::Decimal128(array.as_primitive_opt::<Decimal128Type>()?, *scale),
                    false => Cells::Decimal256(array.as_primitive_opt::<Decimal256Type>()?, *scale),
                }
            }
            (LogicalType::DecimalText, Column::Decimal) => {
                Cells::DecimalText(array.as_string_opt()?)
            }
            (LogicalType::Text, Column::Text) => match column.characters {
                None => Cells::Text(array.as_string_opt()?),
                Some(characters) => Cells::KeyText(array.as_string_opt()?, characters),
            },
            (LogicalType::Timestamp, Column::Timestamp) => {
                Cells::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?)
            }
            (LogicalType::Json | LogicalType::JsonArray { .. }, Column::Json) => {
                Cells::Json(array.as_string_opt()?, json_depth)
            }
            _ => return None,
        })
    }

    fn array(&self) -> Option<&dyn Array> {
        Some(match self {
            Cells::Boolean(array) => *array,
            Cells::Int16(array) => *array,
            Cells::Int32(array) => *array,
            Cells::Int64AsInteger(array) | Cells::Int64(array) => *array,
            Cells::Float32(array) => *array,
            Cells::Float64(array) => *array,
            Cells::Decimal128(array, _) => *array,
            Cells::Decimal256(array, _) => *array,
            Cells::DecimalText(array)
            | Cells::Text(array)
            | Cells::KeyText(array, _)
            | Cells::Json(array, _) => *array,
            Cells::Timestamp(array) => *array,
            Cells::FirstOf(_) => return None,
        })
    }

    fn is_set(&self, row: usize) -> bool {
        self.array().is_some_and(|array| !array.is_null(row))
    }

    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), BadValue> {
        if let Cells::FirstOf(fields) = self {
            return match fields.iter().find(|field| field.is_set(row)) {
                Some(field) => field.write(row, out),
                None => {
                    out.extend_from_slice(NULL);
                    Ok(())
                }
            };
        }
        macro_rules! value {
            ($array:expr) => {
                if $array.is_null(row) {
                    out.extend_from_slice(NULL);
                    return Ok(());
                } else {
                    $array.value(row)
                }
            };
        }
        match self {
            Cells::Boolean(array) => out.push(if value!(array) { b'1' } else { b'0' }),
            Cells::Int16(array) => put_integer(value!(array).into(), out),
            Cells::Int32(array) => put_integer(value!(array).into(), out),
            Cells::Int64AsInteger(array) => {
                let value = i32::try_from(value!(array)).map_err(|_| BadValue::Integer)?;
                put_integer(value.into(), out);
            }
            Cells::Int64(array) => put_integer(value!(array), out),
            Cells::Float32(array) => put_float(value!(array).into(), out),
            Cells::Float64(array) => put_float(value!(array), out),
            Cells::Decimal128(array, scale) => {
                let units = decimal::from_i128(value!(array), *scale).ok_or(BadValue::Decimal)?;
                decimal::put(units, out);
            }
            Cells::Decimal256(array, scale) => {
                let digits = value!(array).to_string();
                let units = decimal::from_digits(&digits, *scale).ok_or(BadValue::Decimal)?;
                decimal::put(units, out);
            }
            Cells::DecimalText(array) => {
                let units = decimal::from_text(value!(array)).ok_or(BadValue::Decimal)?;
                decimal::put(units, out);
            }
            Cells::Text(array) => put_text(value!(array), out),
            Cells::KeyText(array, characters) => {
                let text = value!(array);
                if text.len() > *characters && text.chars().count() > *characters {
                    return Err(BadValue::Malformed);
                }
                put_text(text, out);
            }
            Cells::Timestamp(array) => {
                put_datetime(value!(array), out).ok_or(BadValue::Timestamp)?;
            }
            Cells::Json(array, depth) => {
                let text = value!(array);
                if !json::is_valid(text, *depth) {
                    return Err(BadValue::Malformed);
                }
                put_text(text, out);
            }
            Cells::FirstOf(_) => {}
        }
        Ok(())
    }
}

/// The system columns of a batch. What all rows share is spelled once.
#[derive(Debug)]
struct SystemCells<'a> {
    system: &'a SystemValues,
    /// The cells before the sequence, if they are the same in all rows.
    shared: Option<Vec<u8>>,
    /// `_sdc_batched_at` and `_sdc_table_version`.
    batch: Vec<u8>,
    run_seed: Option<u64>,
}

impl<'a> SystemCells<'a> {
    fn new(system: &'a SystemValues, run_seed: Option<u64>) -> Self {
        let mut batch = Vec::new();
        put_instant(Some(system.batched_at.as_micros()), &mut batch);
        put_integer(system.table_version, &mut batch);
        batch.push(b'\t');
        let mut cells = Self {
            system,
            shared: None,
            batch,
            run_seed,
        };
        if let (Instants::Same(_), Instants::Same(_)) = (&system.extracted_at, &system.received_at)
        {
            let mut shared = Vec::new();
            cells.write_shared(0, &mut shared);
            cells.shared = Some(shared);
        }
        cells
    }

    fn write_shared(&self, row: usize, out: &mut Vec<u8>) {
        put_instant(self.system.extracted_at.at(row), out);
        put_instant(self.system.received_at.at(row), out);
        out.extend_from_slice(&self.batch);
    }

    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) {
        match &self.shared {
            Some(shared) => out.extend_from_slice(shared),
            None => self.write_shared(row, out),
        }
        let sequence = self.system.sequences.at(row);
        put_integer(sequence, out);
        if let Some(run_seed) = self.run_seed {
            out.push(b'\t');
            let identity = self.system.sequences.identity(row);
            out.extend_from_slice(&system::generated_primary_key(run_seed, identity));
        }
    }
}

/// An instant of the engine's, with its tab. One that the column cannot hold is left out rather than losing the record for
/// something that is not its own.
fn put_instant(micros: Option<i64>, out: &mut Vec<u8>) {
    if micros
        .and_then(|micros| put_datetime(micros, out))
        .is_none()
    {
        out.extend_from_slice(NULL);
    }
    out.push(b'\t');
}

#[cfg(test)]
mod tests;
