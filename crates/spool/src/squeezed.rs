//! Compression ahead: of bytes of which it is not known yet what part of them will be kept.

use std::fmt;

use bytes::Bytes;

use crate::squeeze::{BLOCK, Blocks};

/// Bytes, and what they become when they are compressed block by block.
///
/// A large body can be compressed while it is still being checked, on another processor. Of a payload that lies within it, only what
/// shares a block with other bytes is compressed again.
#[derive(Clone)]
pub struct Squeezed {
    bytes: Bytes,
    stored: Vec<u8>,
    /// Where each block begins in `stored`, and where the last one ends.
    starts: Vec<usize>,
}

/// Whole blocks within other bytes.
pub(crate) struct Within<'a> {
    /// Bytes in front of the first block.
    pub(crate) before: usize,
    /// Bytes in the blocks.
    pub(crate) length: usize,
    /// The blocks, compressed.
    pub(crate) stored: &'a [u8],
}

impl Squeezed {
    /// Compresses the bytes while they are `wanted`, which is asked every 64 KiB. None when they are not, or when they do not become
    /// half as long: then there is little to gain, and memory for the result would be needed that nobody has counted.
    pub fn ahead(bytes: Bytes, wanted: &dyn Fn() -> bool) -> Option<Self> {
        let most = Self::most(bytes.len());
        let mut stored = Vec::with_capacity(bytes.len() / 4);
        let mut starts = Vec::with_capacity(bytes.len() / BLOCK + 2);
        let mut blocks = Blocks::new(bytes.len());
        starts.push(0);
        for block in bytes.chunks(BLOCK) {
            if !wanted() || stored.len() + block.len() > most {
                return None;
            }
            blocks.append(block, &mut stored);
            starts.push(stored.len());
        }
        Some(Self {
            bytes,
            stored,
            starts,
        })
    }

    /// Most bytes that are held besides those given, when there are so many of these.
    pub const fn most(bytes: usize) -> usize {
        bytes / 2 + 2 * BLOCK
    }

    /// The whole blocks in these bytes, where they stand within those that were compressed; None when there are none.
    pub(crate) fn within(&self, part: &[u8]) -> Option<Within<'_>> {
        // Both are borrowed: what has the same address is the same.
        let offset = part
            .as_ptr()
            .addr()
            .checked_sub(self.bytes.as_ptr().addr())?;
        let end = offset.checked_add(part.len())?;
        if end > self.bytes.len() {
            return None;
        }
        let (first, last) = (offset.div_ceil(BLOCK), end / BLOCK);
        (first < last).then(|| Within {
            before: first * BLOCK - offset,
            length: (last - first) * BLOCK,
            stored: &self.stored[self.starts[first]..self.starts[last]],
        })
    }
}

impl fmt::Debug for Squeezed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Squeezed")
            .field("bytes", &self.bytes.len())
            .field("stored", &self.stored.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_is_not_wanted_any_more_is_left() {
        let left = Cell::new(2);
        let wanted = || {
            left.set(left.get() - 1);
            left.get() >= 0
        };
        let bytes = Bytes::from(vec![b' '; 9 * BLOCK]);
        assert!(Squeezed::ahead(bytes, &wanted).is_none());
        assert_eq!(left.get(), -1, "at the third block it was over");
    }

    #[test]
    fn what_does_not_become_half_as_long_is_given_up() {
        let mut state = 1_u64;
        let noise = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        });
        let noise: Bytes = noise.take(9 * BLOCK).collect();
        assert!(Squeezed::ahead(noise.clone(), &|| true).is_none());
        let short = Squeezed::ahead(noise.slice(..BLOCK), &|| true).unwrap();
        assert!(short.stored.len() <= Squeezed::most(BLOCK));
    }
}
