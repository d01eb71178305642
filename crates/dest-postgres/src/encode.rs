//! The hot path: rows of Arrow arrays into binary COPY rows.
//!
//! One [`Cells`] per destination column is chosen once per batch; writing a row then is one `match` per cell and no
//! allocation. System columns are a block of bytes prepared once per batch, in which only the sequence changes.
//!
//! Formats: the `*_send` functions of the server's `src/backend/utils/adt`; everything is big-endian, and every value
//! stands behind its length in 32 bits.

mod arrays;
mod json;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use selvedge_connector::{ConnectorError, Instants, LogicalType, StreamSchema, SystemValues};
use selvedge_postgres::numeric;
use selvedge_shape::{ColumnType, Rejection, system};

const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// The server counts from 2000-01-01.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;
/// First and last instant that a timestamp can hold (4713 BC to 294276 AD), counted from 2000-01-01.
const TIMESTAMP_RANGE: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;
const DESTINATION: &str = "PostgreSQL";

/// A value that its column cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadValue {
    Integer,
    Decimal,
    Timestamp,
    Malformed,
}

impl BadValue {
    fn rejection(self, column: &str) -> Rejection {
        let (column, destination) = (column.to_owned(), DESTINATION);
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

/// One field's values and how they are written into their column.
#[derive(Debug)]
enum Cells<'a> {
    Boolean(&'a BooleanArray),
    Int16AsInteger(&'a Int16Array),
    Int16AsBigInt(&'a Int16Array),
    Int32AsInteger(&'a Int32Array),
    Int32AsBigInt(&'a Int32Array),
    Int64AsInteger(&'a Int64Array),
    Int64AsBigInt(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal128(&'a Decimal128Array, u8),
    Decimal256(&'a Decimal256Array, u8),
    /// A scale below zero: so many zeros are to be appended.
    WideDecimal128(&'a Decimal128Array, usize),
    WideDecimal256(&'a Decimal256Array, usize),
    DecimalText(&'a StringArray),
    Text(&'a StringArray),
    Timestamp(&'a TimestampMicrosecondArray),
    Date(&'a Date32Array),
    Uuid(&'a FixedSizeBinaryArray),
    Bytes(&'a BinaryArray),
    Json(&'a StringArray),
    Array(&'a StringArray, &'a ColumnType),
    /// Several fields of one column, of which at most one is set.
    FirstOf(Vec<Cells<'a>>),
}

/// Writes the rows of one batch.
#[derive(Debug)]
pub(crate) struct RowEncoder<'a> {
    columns: Vec<(&'a str, Cells<'a>)>,
    field_count: [u8; 2],
    system: SystemBlock<'a>,
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
    /// `columns` are destination columns with their types and the fields that go there; `arrivals`, where given, is one more
    /// column behind them. `run_seed` is given for keyless tables.
    pub(crate) fn new(
        columns: impl IntoIterator<Item = (&'a str, &'a ColumnType, &'a [usize])>,
        schema: &'a StreamSchema,
        records: &'a RecordBatch,
        system: &'a SystemValues,
        arrivals: Option<&'a Int64Array>,
        run_seed: Option<u64>,
    ) -> Result<Self, ConnectorError> {
        let mut columns = columns
            .into_iter()
            .map(|(name, column_type, fields)| {
                let cells = |field: &usize| {
                    let logical_type = &schema.fields[*field].logical_type;
                    let array = records.column(*field).as_ref();
                    Cells::new(logical_type, column_type, array).ok_or_else(|| {
                        ConnectorError::internal(format!(
                            "the field {} came as {} where {logical_type:?} was announced",
                            schema.fields[*field].name,
                            array.data_type()
                        ))
                    })
                };
                let cells = match fields {
                    [field] => cells(field)?,
                    _ => Cells::FirstOf(fields.iter().map(cells).collect::<Result<_, _>>()?),
                };
                Ok((name, cells))
            })
            .collect::<Result<Vec<_>, ConnectorError>>()?;
        columns.extend(arrivals.map(|arrivals| ("arrival", Cells::Int64AsBigInt(arrivals))));
        let system = SystemBlock::new(system, run_seed);
        let field_count = i16::try_from(columns.len() + system.columns()).map_err(|_| {
            ConnectorError::internal("a table has more columns than COPY can count")
        })?;
        Ok(Self {
            columns,
            field_count: field_count.to_be_bytes(),
            system,
        })
    }

    /// Appends row `row`. On a value that its column cannot hold nothing is appended.
    #[inline]
    pub(crate) fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), Rejection> {
        let start = out.len();
        out.extend_from_slice(&self.field_count);
        for (name, cells) in &self.columns {
            if let Err(bad) = cells.write(row, out) {
                out.truncate(start);
                return Err(bad.rejection(name));
            }
        }
        self.system.write(row, out);
        Ok(())
    }
}

impl<'a> Cells<'a> {
    /// `None` when the array is not what the logical type promises, or the column is not one for it.
    fn new(
        logical_type: &LogicalType,
        column_type: &'a ColumnType,
        array: &'a dyn Array,
    ) -> Option<Self> {
        use ColumnType as Column;
        Some(match (logical_type, column_type) {
            (LogicalType::Boolean, Column::Boolean) => Cells::Boolean(array.as_boolean_opt()?),
            (LogicalType::Int16, Column::Integer) => {
                Cells::Int16AsInteger(array.as_primitive_opt::<Int16Type>()?)
            }
            (LogicalType::Int16, Column::BigInt) => {
                Cells::Int16AsBigInt(array.as_primitive_opt::<Int16Type>()?)
            }
            (LogicalType::Int32, Column::Integer) => {
                Cells::Int32AsInteger(array.as_primitive_opt::<Int32Type>()?)
            }
            (LogicalType::Int32, Column::BigInt) => {
                Cells::Int32AsBigInt(array.as_primitive_opt::<Int32Type>()?)
            }
            (LogicalType::Int64, Column::Integer) => {
                Cells::Int64AsInteger(array.as_primitive_opt::<Int64Type>()?)
            }
            (LogicalType::Int64, Column::BigInt) => {
                Cells::Int64AsBigInt(array.as_primitive_opt::<Int64Type>()?)
            }
            (LogicalType::Float32, Column::Double) => {
                Cells::Float32(array.as_primitive_opt::<Float32Type>()?)
            }
            (LogicalType::Float64, Column::Double) => {
                Cells::Float64(array.as_primitive_opt::<Float64Type>()?)
            }
            (LogicalType::Decimal { precision, scale }, Column::Decimal) => {
                let zeros = usize::from(scale.unsigned_abs());
                match (*precision <= 38, u8::try_from(*scale)) {
                    (true, Ok(scale)) => {
                        Cells::Decimal128(array.as_primitive_opt::<Decimal128Type>()?, scale)
                    }
                    (true, Err(_)) => {
                        Cells::WideDecimal128(array.as_primitive_opt::<Decimal128Type>()?, zeros)
                    }
                    (false, Ok(scale)) => {
                        Cells::Decimal256(array.as_primitive_opt::<Decimal256Type>()?, scale)
                    }
                    (false, Err(_)) => {
                        Cells::WideDecimal256(array.as_primitive_opt::<Decimal256Type>()?, zeros)
                    }
                }
            }
            (LogicalType::DecimalText, Column::Decimal) => {
                Cells::DecimalText(array.as_string_opt()?)
            }
            (LogicalType::Text, Column::Text) => Cells::Text(array.as_string_opt()?),
            (LogicalType::Timestamp, Column::Timestamp)
            | (LogicalType::TimestampTz, Column::TimestampTz) => {
                Cells::Timestamp(array.as_primitive_opt::<TimestampMicrosecondType>()?)
            }
            (LogicalType::Date, Column::Date) => {
                Cells::Date(array.as_primitive_opt::<Date32Type>()?)
            }
            (LogicalType::Uuid, Column::Uuid) => {
                let array = array.as_fixed_size_binary_opt()?;
                if array.value_length() != 16 {
                    return None;
                }
                Cells::Uuid(array)
            }
            (LogicalType::Bytes, Column::Bytes) => Cells::Bytes(array.as_binary_opt()?),
            (LogicalType::Json | LogicalType::JsonArray { .. }, Column::Json) => {
                Cells::Json(array.as_string_opt()?)
            }
            (LogicalType::Array { .. }, Column::Array(item)) => {
                Cells::Array(array.as_string_opt()?, item)
            }
            _ => return None,
        })
    }

    fn array(&self) -> Option<&dyn Array> {
        Some(match self {
            Cells::Boolean(array) => *array,
            Cells::Int16AsInteger(array) | Cells::Int16AsBigInt(array) => *array,
            Cells::Int32AsInteger(array) | Cells::Int32AsBigInt(array) => *array,
            Cells::Int64AsInteger(array) | Cells::Int64AsBigInt(array) => *array,
            Cells::Float32(array) => *array,
            Cells::Float64(array) => *array,
            Cells::Decimal128(array, _) | Cells::WideDecimal128(array, _) => *array,
            Cells::Decimal256(array, _) | Cells::WideDecimal256(array, _) => *array,
            Cells::DecimalText(array)
            | Cells::Text(array)
            | Cells::Json(array)
            | Cells::Array(array, _) => *array,
            Cells::Timestamp(array) => *array,
            Cells::Date(array) => *array,
            Cells::Uuid(array) => *array,
            Cells::Bytes(array) => *array,
            Cells::FirstOf(_) => return None,
        })
    }

    fn is_set(&self, row: usize) -> bool {
        self.array().is_some_and(|array| !array.is_null(row))
    }

    #[inline]
    fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), BadValue> {
        macro_rules! unless_null {
            ($array:expr) => {
                if $array.is_null(row) {
                    out.extend_from_slice(&NULL);
                    return Ok(());
                }
            };
        }
        match self {
            Cells::Boolean(array) => {
                unless_null!(array);
                out.extend_from_slice(&[0, 0, 0, 1, u8::from(array.value(row))]);
            }
            Cells::Int16AsInteger(array) => {
                unless_null!(array);
                put4(out, i32::from(array.value(row)).to_be_bytes());
            }
            Cells::Int16AsBigInt(array) => {
                unless_null!(array);
                put8(out, i64::from(array.value(row)).to_be_bytes());
            }
            Cells::Int32AsInteger(array) => {
                unless_null!(array);
                put4(out, array.value(row).to_be_bytes());
            }
            Cells::Int32AsBigInt(array) => {
                unless_null!(array);
                put8(out, i64::from(array.value(row)).to_be_bytes());
            }
            Cells::Int64AsInteger(array) => {
                unless_null!(array);
                let value = i32::try_from(array.value(row)).map_err(|_| BadValue::Integer)?;
                put4(out, value.to_be_bytes());
            }
            Cells::Int64AsBigInt(array) => {
                unless_null!(array);
                put8(out, array.value(row).to_be_bytes());
            }
            Cells::Float32(array) => {
                unless_null!(array);
                put8(out, f64::from(array.value(row)).to_be_bytes());
            }
            Cells::Float64(array) => {
                unless_null!(array);
                put8(out, array.value(row).to_be_bytes());
            }
            Cells::Decimal128(array, scale) => {
                unless_null!(array);
                let encoded = numeric::encode_i128(array.value(row), *scale)
                    .map_err(|_| BadValue::Decimal)?;
                put(out, encoded.as_bytes());
            }
            Cells::Decimal256(array, scale) => {
                unless_null!(array);
                let encoded = numeric::encode_i256(array.value(row), *scale)
                    .map_err(|_| BadValue::Decimal)?;
                put(out, encoded.as_bytes());
            }
            Cells::WideDecimal128(array, zeros) => {
                unless_null!(array);
                let digits = array.value(row).to_string();
                put_decimal(out, &format!("{digits}{}", "0".repeat(*zeros)))?;
            }
            Cells::WideDecimal256(array, zeros) => {
                unless_null!(array);
                let digits = array.value(row).to_string();
                put_decimal(out, &format!("{digits}{}", "0".repeat(*zeros)))?;
            }
            Cells::DecimalText(array) => {
                unless_null!(array);
                put_decimal(out, array.value(row))?;
            }
            Cells::Text(array) => {
                unless_null!(array);
                put_text(out, array.value(row).as_bytes());
            }
            Cells::Timestamp(array) => {
                unless_null!(array);
                put_timestamp(out, array.value(row))?;
            }
            Cells::Date(array) => {
                unless_null!(array);
                let days = array
                    .value(row)
                    .checked_sub(EPOCH_DAYS)
                    .ok_or(BadValue::Timestamp)?;
                put4(out, days.to_be_bytes());
            }
            Cells::Uuid(array) => {
                unless_null!(array);
                put(out, array.value(row));
            }
            Cells::Bytes(array) => {
                unless_null!(array);
                put(out, array.value(row));
            }
            Cells::Json(array) => {
                unless_null!(array);
                put_measured(out, |out| json::write(array.value(row), out))?;
            }
            Cells::Array(array, item) => {
                unless_null!(array);
                put_measured(out, |out| arrays::write(array.value(row), item, out))?;
            }
            Cells::FirstOf(fields) => {
                let Some(field) = fields.iter().find(|field| field.is_set(row)) else {
                    out.extend_from_slice(&NULL);
                    return Ok(());
                };
                return field.write(row, out);
            }
        }
        Ok(())
    }
}

#[inline]
fn put4(out: &mut Vec<u8>, value: [u8; 4]) {
    let mut cell = [0, 0, 0, 4, 0, 0, 0, 0];
    cell[4..].copy_from_slice(&value);
    out.extend_from_slice(&cell);
}

#[inline]
fn put8(out: &mut Vec<u8>, value: [u8; 8]) {
    let mut cell = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    cell[4..].copy_from_slice(&value);
    out.extend_from_slice(&cell);
}

/// A value behind its length. Arrow's offsets have 32 bits, so lengths fit.
#[inline]
fn put(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(&(value.len() as i32).to_be_bytes());
    out.extend_from_slice(value);
}

/// Text without NUL characters, which the server cannot hold.
#[inline]
fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    if !text.contains(&0) {
        return put(out, text);
    }
    let length = text.iter().filter(|byte| **byte != 0).count();
    out.extend_from_slice(&(length as i32).to_be_bytes());
    out.extend(text.iter().filter(|byte| **byte != 0));
}

/// A value of which the length is known only when it is written.
#[inline]
fn put_measured(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), BadValue>,
) -> Result<(), BadValue> {
    let start = out.len();
    out.extend_from_slice(&NULL);
    write(out)?;
    let length = i32::try_from(out.len() - start - 4).map_err(|_| BadValue::Malformed)?;
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn put_decimal(out: &mut Vec<u8>, text: &str) -> Result<(), BadValue> {
    put_measured(out, |out| {
        numeric::encode_text(text, out).map_err(|_| BadValue::Decimal)
    })
}

/// `micros` counted from 1970.
#[inline]
fn put_timestamp(out: &mut Vec<u8>, micros: i64) -> Result<(), BadValue> {
    let value = micros
        .checked_sub(EPOCH_MICROS)
        .filter(|value| TIMESTAMP_RANGE.contains(value))
        .ok_or(BadValue::Timestamp)?;
    put8(out, value.to_be_bytes());
    Ok(())
}

/// Bytes of the system columns of a keyless table: five numbers and a UUID in text form, each behind its length.
const SYSTEM_BYTES: usize = 5 * 12 + 4 + 36;

/// The system columns of a row as they go over the wire.
#[derive(Debug)]
struct SystemBlock<'a> {
    bytes: [u8; SYSTEM_BYTES],
    system: &'a SystemValues,
    /// Whether all rows share their instants, which then stand in `bytes`.
    shared: bool,
    run_seed: Option<u64>,
}

impl<'a> SystemBlock<'a> {
    const SEQUENCE: usize = 4 * 12 + 4;
    const KEYED: usize = 5 * 12;

    fn new(system: &'a SystemValues, run_seed: Option<u64>) -> Self {
        let mut bytes = [0; SYSTEM_BYTES];
        let instants = [&system.extracted_at, &system.received_at];
        let shared = instants
            .iter()
            .all(|instants| matches!(instants, Instants::Same(Some(_))));
        if shared {
            let mut block = Vec::with_capacity(SYSTEM_BYTES);
            for instants in instants {
                put_instant(&mut block, instants.at(0));
            }
            put_instant(&mut block, Some(system.batched_at.as_micros()));
            put8(&mut block, system.table_version.to_be_bytes());
            put8(&mut block, [0; 8]);
            put(&mut block, &[0; 36]);
            bytes.copy_from_slice(&block);
        }
        Self {
            bytes,
            system,
            shared,
            run_seed,
        }
    }

    fn columns(&self) -> usize {
        system_columns(self.run_seed.is_some()).len()
    }

    #[inline]
    fn write(&mut self, row: usize, out: &mut Vec<u8>) {
        let sequence = self.system.sequences.at(row);
        if !self.shared {
            return self.write_separately(row, sequence, out);
        }
        self.bytes[Self::SEQUENCE..Self::KEYED].copy_from_slice(&sequence.to_be_bytes());
        match self.run_seed {
            None => out.extend_from_slice(&self.bytes[..Self::KEYED]),
            Some(run_seed) => {
                let identity = self.system.sequences.identity(row);
                let key = system::generated_primary_key(run_seed, identity);
                self.bytes[Self::KEYED + 4..].copy_from_slice(&key);
                out.extend_from_slice(&self.bytes);
            }
        }
    }

    fn write_separately(&self, row: usize, sequence: i64, out: &mut Vec<u8>) {
        put_instant(out, self.system.extracted_at.at(row));
        put_instant(out, self.system.received_at.at(row));
        put_instant(out, Some(self.system.batched_at.as_micros()));
        put8(out, self.system.table_version.to_be_bytes());
        put8(out, sequence.to_be_bytes());
        if let Some(run_seed) = self.run_seed {
            let identity = self.system.sequences.identity(row);
            put(out, &system::generated_primary_key(run_seed, identity));
        }
    }
}

/// An instant of ours, in microseconds since 1970; never out of range.
#[inline]
fn put_instant(out: &mut Vec<u8>, micros: Option<i64>) {
    match micros {
        Some(micros) => put8(out, micros.saturating_sub(EPOCH_MICROS).to_be_bytes()),
        None => out.extend_from_slice(&NULL),
    }
}

#[cfg(test)]
mod tests;
