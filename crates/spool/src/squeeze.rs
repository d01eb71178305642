//! Compression of what tenants send: LZ4, block by block.
//!
//! A block is as long as positions of two bytes reach: that is a fifth faster than one block of megabytes, and what is
//! written and read at a time stays in the processor's cache. Each is its stored length and as many bytes; the last may be shorter
//! than the others. A block that does not become shorter is stored as it is.

use bytes::Bytes;

use crate::squeezed::Squeezed;

/// Bytes in a block, before compression.
pub(crate) const BLOCK: usize = u16::MAX as usize;

/// Below this, compression saves less than it takes: its table alone is cleared for longer than a small record is encrypted.
const LEAST: usize = 1_024;

/// How bytes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As they were given.
    Plain,
    /// As one LZ4 block, as earlier versions did.
    Whole,
    Blocks,
    /// As blocks of which the first is shorter: its length, 0 when it is missing, and the blocks.
    Cut,
}

/// Appends the bytes, compressed when that saves a sixteenth. Returns how they are stored. What was compressed ahead is taken over.
pub(crate) fn squeeze(bytes: &[u8], ahead: Option<&Squeezed>, out: &mut Vec<u8>) -> Form {
    if bytes.len() >= LEAST {
        let start = out.len();
        let form = match ahead.and_then(|ahead| ahead.within(bytes)) {
            Some(within) => {
                out.reserve(within.stored.len() + BLOCK);
                let (before, rest) = bytes.split_at(within.before);
                out.extend_from_slice(&(before.len() as u16).to_le_bytes());
                let mut edges = Blocks::new(BLOCK);
                edges.append(before, out);
                out.extend_from_slice(within.stored);
                edges.append(&rest[within.length..], out);
                Form::Cut
            }
            None => {
                // What JSON becomes, most often. Room for the worst would be touched for nothing.
                out.reserve(bytes.len() / 4);
                Blocks::new(bytes.len()).append(bytes, out);
                Form::Blocks
            }
        };
        if out.len() - start < bytes.len() - bytes.len() / 16 {
            return form;
        }
        out.truncate(start);
    }
    out.extend_from_slice(bytes);
    Form::Plain
}

/// Compresses blocks, one after the other.
pub(crate) struct Blocks {
    scratch: Vec<u8>,
}

impl Blocks {
    /// For so many bytes.
    pub(crate) fn new(length: usize) -> Self {
        let longest = lz4_flex::block::get_maximum_output_size(length.min(BLOCK));
        Self {
            scratch: vec![0; longest],
        }
    }

    /// Appends the blocks that these bytes are.
    pub(crate) fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for block in bytes.chunks(BLOCK) {
            let stored = match lz4_flex::block::compress_into(block, &mut self.scratch) {
                Ok(length) if length < block.len() => &self.scratch[..length],
                _ => block,
            };
            out.extend_from_slice(&(stored.len() as u16).to_le_bytes());
            out.extend_from_slice(stored);
        }
    }
}

/// The `length` bytes that are stored like this; `None` when they are not. The caller has made sure that memory for them is there.
pub(crate) fn restore(stored: Bytes, form: Form, length: usize) -> Option<Bytes> {
    let bytes = match form {
        Form::Plain => stored,
        Form::Whole => lz4_flex::block::decompress(&stored, length).ok()?.into(),
        Form::Blocks => from_blocks(&stored, BLOCK, length)?.into(),
        Form::Cut => {
            let (first, blocks) = stored.split_first_chunk()?;
            match u16::from_le_bytes(*first).into() {
                0 => from_blocks(blocks, BLOCK, length)?.into(),
                first => from_blocks(blocks, first, length)?.into(),
            }
        }
    };
    (bytes.len() == length).then_some(bytes)
}

fn from_blocks(mut stored: &[u8], first: usize, length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    let mut longest = first;
    while bytes.len() < length {
        let start = bytes.len();
        let block_length = longest.min(length - start);
        longest = BLOCK;
        let (stored_length, rest) = stored.split_first_chunk()?;
        let (block, rest) = rest.split_at_checked(u16::from_le_bytes(*stored_length).into())?;
        stored = rest;
        if block.len() == block_length {
            bytes.extend_from_slice(block);
            continue;
        }
        bytes.resize(start + block_length, 0);
        let restored = lz4_flex::block::decompress_into(block, &mut bytes[start..]).ok()?;
        if restored != block_length {
            return None;
        }
    }
    stored.is_empty().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    fn text(length: usize) -> Vec<u8> {
        b"{\"id\":1}".iter().copied().cycle().take(length).collect()
    }

    fn stored(bytes: &[u8]) -> (Form, Bytes) {
        let mut out = b"before".to_vec();
        let form = squeeze(bytes, None, &mut out);
        (form, out.split_off(6).into())
    }

    #[test]
    fn bytes_come_back_whatever_their_length_and_content() {
        let mixed = [text(BLOCK), noise(BLOCK), text(99_999)].concat();
        for (bytes, form) in [
            (Vec::new(), Form::Plain),
            (text(LEAST - 1), Form::Plain),
            (text(LEAST), Form::Blocks),
            (text(BLOCK - 1), Form::Blocks),
            (text(BLOCK), Form::Blocks),
            (text(BLOCK + 1), Form::Blocks),
            (text(10 * BLOCK + 7), Form::Blocks),
            (noise(5 * BLOCK), Form::Plain),
            (mixed, Form::Blocks),
        ] {
            let (found, stored) = stored(&bytes);
            assert_eq!(found, form, "{} bytes", bytes.len());
            assert_eq!(restore(stored, form, bytes.len()).unwrap(), bytes);
        }
    }

    #[test]
    fn what_earlier_versions_stored_as_one_block_is_read() {
        let bytes = text(3 * BLOCK);
        let stored = Bytes::from(lz4_flex::block::compress(&bytes));
        assert_eq!(restore(stored, Form::Whole, bytes.len()).unwrap(), bytes);
    }

    /// All of them compressed ahead, and these of them stored.
    fn cut(bytes: &Bytes, part: Range<usize>) -> (Form, Bytes) {
        let ahead = Squeezed::ahead(bytes.clone(), &|| true).unwrap();
        let mut out = b"before".to_vec();
        let form = squeeze(&bytes[part], Some(&ahead), &mut out);
        (form, out.split_off(6).into())
    }

    #[test]
    fn what_was_compressed_ahead_comes_back_whatever_part_of_it_is_kept() {
        let bytes = Bytes::from([text(3 * BLOCK), noise(BLOCK), text(BLOCK + 9)].concat());
        let end = bytes.len();
        for (part, form) in [
            (0..end, Form::Cut),
            (1..end - 1, Form::Cut),
            (BLOCK - 1..end, Form::Cut),
            (BLOCK..2 * BLOCK, Form::Cut),
            (BLOCK - 1..2 * BLOCK + 1, Form::Cut),
            // No whole block.
            (1..2 * BLOCK - 1, Form::Blocks),
            (end - 9..end, Form::Plain),
            (7..7, Form::Plain),
        ] {
            let (found, stored) = cut(&bytes, part.clone());
            assert_eq!(found, form, "{part:?}");
            assert_eq!(restore(stored, form, part.len()).unwrap(), bytes[part]);
        }
    }

    #[test]
    fn other_bytes_than_those_compressed_ahead_are_compressed_by_themselves() {
        let bytes = text(3 * BLOCK);
        let ahead = Squeezed::ahead(Bytes::from(text(2 * BLOCK)), &|| true).unwrap();
        let mut out = Vec::new();
        assert_eq!(squeeze(&bytes, Some(&ahead), &mut out), Form::Blocks);
        assert_eq!(
            restore(out.into(), Form::Blocks, bytes.len()).unwrap(),
            bytes
        );
    }

    #[test]
    fn what_is_damaged_or_of_another_length_is_not_taken() {
        let bytes = Bytes::from(text(2 * BLOCK));
        damage(&bytes, stored(&bytes));
        damage(&bytes, cut(&bytes, 0..bytes.len()));
        damage(&bytes.slice(5..), cut(&bytes, 5..bytes.len()));
    }

    fn damage(bytes: &Bytes, (form, stored): (Form, Bytes)) {
        for length in [0, 1, bytes.len() - 1, bytes.len() + 1, 3 * BLOCK] {
            assert_eq!(restore(stored.clone(), form, length), None, "{length}");
        }
        for cut in 0..stored.len() {
            assert_eq!(restore(stored.slice(..cut), form, bytes.len()), None);
        }
        for at in 0..stored.len() {
            let mut damaged = stored.to_vec();
            damaged[at] ^= 0x55;
            // Other bytes or none, but never a panic.
            restore(damaged.into(), form, bytes.len());
        }
    }
}
