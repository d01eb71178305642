//! Values of variable width: text, JSON, bytes; and UUIDs in both forms.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, FixedSizeBinaryArray, StringArray};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;
use selvedge_postgres::copy::fixed;

use super::DecodeError;

/// The only version of the binary form of `jsonb`.
const JSONB_VERSION: u8 = 1;

/// Bytes behind each other. That text is UTF-8 is checked once per batch, which costs a fraction of checking each value.
pub(crate) struct Bytes {
    values: Vec<u8>,
    /// End of each value, after a leading zero.
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Default for Bytes {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            offsets: vec![0],
            nulls: NullBufferBuilder::new(0),
        }
    }
}

impl Bytes {
    #[inline]
    pub(super) fn push(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        self.push_with(|values| values.extend_from_slice(field))
    }

    /// Takes whatever `write` appends.
    #[inline]
    pub(super) fn push_with(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DecodeError> {
        write(&mut self.values);
        let end = i32::try_from(self.values.len()).map_err(|_| DecodeError::Full)?;
        self.offsets.push(end);
        self.nulls.append_non_null();
        Ok(())
    }

    pub(super) fn push_jsonb(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        match field.split_first() {
            Some((&JSONB_VERSION, text)) => self.push(text),
            _ => Err(DecodeError::Form),
        }
    }

    /// `8-4-4-4-12` lower-case hexadecimal digits.
    pub(super) fn push_uuid_text(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let bytes: [u8; 16] = fixed(field)?;
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in bytes.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 15)];
            at += 2;
        }
        self.push(&text)
    }

    pub(super) fn push_null(&mut self) {
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.push(end);
        self.nulls.append_null();
    }

    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        // The next batch will be about as large, and should not grow its buffers for a few rows more.
        let values = Vec::with_capacity(self.values.len() + self.values.len() / 8);
        let mut offsets = Vec::with_capacity(self.offsets.len() + self.offsets.len() / 8);
        offsets.push(0);
        let values = std::mem::replace(&mut self.values, values);
        let offsets = std::mem::replace(&mut self.offsets, offsets);
        (
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Buffer::from_vec(values),
            self.nulls.finish(),
        )
    }

    pub(super) fn finish_text(&mut self) -> Result<ArrayRef, ArrowError> {
        let (offsets, values, nulls) = self.take();
        Ok(Arc::new(StringArray::try_new(offsets, values, nulls)?))
    }

    pub(super) fn finish_binary(&mut self) -> Result<ArrayRef, ArrowError> {
        let (offsets, values, nulls) = self.take();
        Ok(Arc::new(BinaryArray::try_new(offsets, values, nulls)?))
    }
}

/// UUIDs as they are.
pub(crate) struct Uuids {
    values: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl Default for Uuids {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            nulls: NullBufferBuilder::new(0),
        }
    }
}

impl Uuids {
    const WIDTH: usize = 16;

    pub(super) fn push(&mut self, field: &[u8]) -> Result<(), DecodeError> {
        let value: [u8; Self::WIDTH] = fixed(field)?;
        self.values.extend_from_slice(&value);
        self.nulls.append_non_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self) {
        self.values.extend_from_slice(&[0; Self::WIDTH]);
        self.nulls.append_null();
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let values = std::mem::take(&mut self.values);
        Ok(Arc::new(FixedSizeBinaryArray::try_new(
            Self::WIDTH as i32,
            Buffer::from_vec(values),
            self.nulls.finish(),
        )?))
    }
}
