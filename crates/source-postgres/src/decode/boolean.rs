//! `boolean` and `bit(1)`.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray};
use arrow_buffer::{BooleanBufferBuilder, NullBufferBuilder};
use selvedge_postgres::copy::fixed;

use super::DecodeError;

pub(crate) struct Booleans {
    values: BooleanBufferBuilder,
    nulls: NullBufferBuilder,
}

impl Default for Booleans {
    fn default() -> Self {
        Self {
            values: BooleanBufferBuilder::new(0),
            nulls: NullBufferBuilder::new(0),
        }
    }
}

impl Booleans {
    #[inline]
    pub(super) fn push_bool(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        match fixed(field)? {
            [0] => self.push(false),
            [1] => self.push(true),
            _ => return Err(DecodeError::Form),
        }
        Ok(())
    }

    /// The number of bits, and the bits from the highest downwards.
    #[inline]
    pub(super) fn push_bit(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        match fixed(field)? {
            [0, 0, 0, 1, bits] => self.push(bits & 0x80 != 0),
            _ => return Err(DecodeError::Form),
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, value: bool) {
        self.values.append(value);
        self.nulls.append_non_null();
    }

    pub(super) fn push_null(&mut self) {
        self.values.append(false);
        self.nulls.append_null();
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        Arc::new(BooleanArray::new(self.values.finish(), self.nulls.finish()))
    }
}
