//! Values of fixed width: integers, floats, dates, timestamps.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_buffer::{NullBufferBuilder, ScalarBuffer};
use selvedge_postgres::copy::fixed;

use super::DecodeError;

/// PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01.
const EPOCH_DAYS: i64 = 10_957;
const DAY_MICROS: i64 = 86_400_000_000;
const EPOCH_MICROS: i64 = EPOCH_DAYS * DAY_MICROS;
/// 0001-01-01 and 9999-12-31 as days since 1970-01-01.
const FIRST_DAY: i64 = -719_162;
const LAST_DAY: i64 = 2_932_896;

pub(crate) struct Primitives<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
    lost: u64,
}

impl<T: ArrowPrimitiveType> Default for Primitives<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            nulls: NullBufferBuilder::new(0),
            lost: 0,
        }
    }
}

impl<T: ArrowPrimitiveType> Primitives<T> {
    #[inline]
    fn push_value(&mut self, value: T::Native) {
        self.values.push(value);
        self.nulls.append_non_null();
    }

    pub(super) fn push_null(&mut self) {
        self.values.push(T::Native::default());
        self.nulls.append_null();
    }

    fn push_lost(&mut self) {
        self.lost += 1;
        self.push_null();
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    fn take(&mut self) -> PrimitiveArray<T> {
        // The next batch will be about as long.
        let next = Vec::with_capacity(self.values.len() + self.values.len() / 8);
        let values = std::mem::replace(&mut self.values, next);
        PrimitiveArray::new(ScalarBuffer::from(values), self.nulls.finish())
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        Arc::new(self.take())
    }
}

macro_rules! big_endian {
    ($method:ident: $($arrow:ty, $native:ty;)+) => {$(
        impl Primitives<$arrow> {
            #[inline]
            pub(super) fn $method(&mut self, field: &[u8]) -> Result<(), DecodeError> {
                let value = <$native>::from_be_bytes(fixed(field)?);
                big_endian!(@$method self value);
                Ok(())
            }
        }
    )+};
    (@push $self:ident $value:ident) => {
        $self.push_value($value);
    };
    (@push_finite $self:ident $value:ident) => {
        if $value.is_finite() {
            $self.push_value($value);
        } else {
            $self.push_lost();
        }
    };
}

big_endian! { push: Int16Type, i16; Int32Type, i32; Int64Type, i64; }
big_endian! { push_finite: Float32Type, f32; Float64Type, f64; }

/// Days since 1970-01-01, if the calendar has them; infinities are at the ends of the wire's range.
#[inline]
fn day(field: &[u8]) -> Result<Option<i64>, DecodeError> {
    let day = i64::from(i32::from_be_bytes(fixed(field)?)) + EPOCH_DAYS;
    Ok((FIRST_DAY..=LAST_DAY).contains(&day).then_some(day))
}

impl Primitives<Date32Type> {
    #[inline]
    pub(super) fn push_date(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        match day(field)?.map(i32::try_from) {
            Some(Ok(day)) => self.push_value(day),
            _ => self.push_lost(),
        }
        Ok(())
    }
}

/// Microseconds, with or without a zone in the type.
pub(crate) struct Timestamps {
    column: Primitives<TimestampMicrosecondType>,
    zone: Option<&'static str>,
}

impl Timestamps {
    pub(super) fn new(zone: Option<&'static str>) -> Self {
        Self {
            column: Primitives::default(),
            zone,
        }
    }

    #[inline]
    pub(super) fn push_timestamp(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        const FIRST: i64 = FIRST_DAY * DAY_MICROS - EPOCH_MICROS;
        const LAST: i64 = (LAST_DAY + 1) * DAY_MICROS - 1 - EPOCH_MICROS;
        let micros = i64::from_be_bytes(fixed(field)?);
        if (FIRST..=LAST).contains(&micros) {
            self.column.push_value(micros + EPOCH_MICROS);
        } else {
            self.column.push_lost();
        }
        Ok(())
    }

    #[inline]
    pub(super) fn push_date(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        match day(field)? {
            Some(day) => self.column.push_value(day * DAY_MICROS),
            None => self.column.push_lost(),
        }
        Ok(())
    }

    pub(super) fn push_null(&mut self) {
        self.column.push_null();
    }

    pub(super) fn lost(&self) -> u64 {
        self.column.lost()
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        Arc::new(self.column.take().with_timezone_opt(self.zone))
    }
}
