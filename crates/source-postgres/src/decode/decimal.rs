//! `numeric` as a decimal of declared bounds, or as canonical text.

use std::sync::Arc;

use arrow_array::types::{Decimal128Type, Decimal256Type, DecimalType};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_buffer::{NullBufferBuilder, ScalarBuffer, i256};
use arrow_schema::ArrowError;
use selvedge_postgres::copy::CopyError;
use selvedge_postgres::numeric::Numeric;

use super::DecodeError;
use super::bytes::Bytes;

/// Integers at a common scale.
pub(crate) struct Decimals<T: DecimalType> {
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
    lost: u64,
    precision: u8,
    scale: u8,
}

impl<T: DecimalType> Decimals<T> {
    pub(super) fn new(precision: u8, scale: u8) -> Self {
        Self {
            values: Vec::new(),
            nulls: NullBufferBuilder::new(0),
            lost: 0,
            precision,
            scale,
        }
    }

    pub(super) fn push_null(&mut self) {
        self.values.push(T::Native::default());
        self.nulls.append_null();
    }

    /// `convert` takes a finite value at the column's scale.
    #[inline]
    fn push_with(
        &mut self,
        field: &[u8],
        convert: impl FnOnce(&Numeric<'_>, u8) -> Option<T::Native>,
    ) -> Result<(), DecodeError> {
        match parse(field)? {
            Some(numeric) => {
                let value = convert(&numeric, self.scale).ok_or(DecodeError::Digits)?;
                self.values.push(value);
                self.nulls.append_non_null();
            }
            None => {
                self.lost += 1;
                self.push_null();
            }
        }
        Ok(())
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let next = Vec::with_capacity(self.values.len() + self.values.len() / 8);
        let values = std::mem::replace(&mut self.values, next);
        let scale = i8::try_from(self.scale)
            .map_err(|_| ArrowError::InvalidArgumentError("scale".to_owned()))?;
        let array = PrimitiveArray::<T>::new(ScalarBuffer::from(values), self.nulls.finish())
            .with_precision_and_scale(self.precision, scale)?;
        Ok(Arc::new(array))
    }
}

impl Decimals<Decimal128Type> {
    #[inline]
    pub(super) fn push(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        self.push_with(field, |numeric, scale| -> Option<i128> {
            numeric.to_i128(scale)
        })
    }
}

impl Decimals<Decimal256Type> {
    pub(super) fn push(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        self.push_with(field, |numeric, scale| -> Option<i256> {
            numeric.to_i256(scale)
        })
    }
}

/// Digits as they are.
#[derive(Default)]
pub(crate) struct DecimalText {
    text: Bytes,
    lost: u64,
}

impl DecimalText {
    pub(super) fn push(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        match parse(field)? {
            Some(numeric) => self.text.push_with(|out| numeric.write_text(out)),
            None => {
                self.lost += 1;
                self.push_null();
                Ok(())
            }
        }
    }

    pub(super) fn push_null(&mut self) {
        self.text.push_null();
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.text.finish_text()
    }
}

#[inline]
fn parse(field: &[u8]) -> Result<Option<Numeric<'_>>, DecodeError> {
    Numeric::parse(field).map_err(|error| DecodeError::Malformed(CopyError::from(error)))
}
