//! Frames, of which a segment is made: a plain header of fixed size, and a body.
//!
//! An entry's body is a bitmap of the parts that are present, the encrypted directory, and the encrypted parts. The header's fields from
//! account to directory length are bound to the encryption; position and checksums are not, since the one thread that writes gives them.

use crate::bytes::Fields;

pub(crate) const MAGIC: [u8; 4] = *b"SVFR";
pub(crate) const HEADER_LEN: usize = 76;

const LSN_AT: usize = 8;
const BODY_LEN_AT: usize = 24;
const BOUND_AT: usize = 32;
const CHECKSUM_AT: usize = 72;
/// Length of the fields that the encryption is bound to.
pub(crate) const BOUND_LEN: usize = CHECKSUM_AT - BOUND_AT;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    Entry,
    /// The last frame of a segment: what is in it.
    Seal,
}

/// The plain header. In a seal frame, `lsn` is that of the last entry and `part_count` the number of lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub(crate) kind: FrameKind,
    pub(crate) lsn: u64,
    /// Position of the first entry that became durable together with this one: whatever stands before it was durable already.
    pub(crate) group_first: u64,
    pub(crate) body_len: u32,
    /// CRC-32 of the body.
    pub(crate) body_crc: u32,
    pub(crate) account: i64,
    pub(crate) source: i64,
    /// Microseconds since 1970.
    pub(crate) received_at: i64,
    /// The directory's; the parts have the following ones.
    pub(crate) nonce: u64,
    pub(crate) part_count: u32,
    pub(crate) directory_len: u32,
}

impl FrameHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = match self.kind {
            FrameKind::Entry => 1,
            FrameKind::Seal => 2,
        };
        bytes[LSN_AT..16].copy_from_slice(&self.lsn.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.group_first.to_le_bytes());
        bytes[BODY_LEN_AT..28].copy_from_slice(&self.body_len.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.body_crc.to_le_bytes());
        bytes[BOUND_AT..CHECKSUM_AT].copy_from_slice(&self.bound());
        let checksum = crc32fast::hash(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The fields that the encryption is bound to.
    pub(crate) fn bound(&self) -> [u8; BOUND_LEN] {
        let mut bytes = [0; BOUND_LEN];
        bytes[..8].copy_from_slice(&self.account.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.source.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.received_at.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.nonce.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.part_count.to_le_bytes());
        bytes[36..].copy_from_slice(&self.directory_len.to_le_bytes());
        bytes
    }

    /// None when these bytes are no header, or a damaged one.
    pub(crate) fn decode(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        if bytes[..4] != MAGIC {
            return None;
        }
        let (fields, checksum) = bytes.split_at(CHECKSUM_AT);
        if Fields(checksum).u32()? != crc32fast::hash(fields) {
            return None;
        }
        let kind = match bytes[4..LSN_AT] {
            [1, 0, 0, 0] => FrameKind::Entry,
            [2, 0, 0, 0] => FrameKind::Seal,
            _ => return None,
        };
        let mut fields = Fields(&fields[LSN_AT..]);
        let header = Self {
            kind,
            lsn: fields.u64()?,
            group_first: fields.u64()?,
            body_len: fields.u32()?,
            body_crc: fields.u32()?,
            account: fields.i64()?,
            source: fields.i64()?,
            received_at: fields.i64()?,
            nonce: fields.u64()?,
            part_count: fields.u32()?,
            directory_len: fields.u32()?,
        };
        let before_parts = header.bitmap_len() as u64 + u64::from(header.directory_len);
        (before_parts <= u64::from(header.body_len)).then_some(header)
    }

    /// Bytes of the bitmap of present parts, with which an entry's body begins.
    pub(crate) fn bitmap_len(&self) -> usize {
        match self.kind {
            FrameKind::Entry => bitmap_len(self.part_count as usize),
            FrameKind::Seal => 0,
        }
    }

    /// Header and body.
    pub(crate) fn frame_len(&self) -> u64 {
        HEADER_LEN as u64 + u64::from(self.body_len)
    }
}

pub(crate) fn bitmap_len(part_count: usize) -> usize {
    part_count.div_ceil(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_and_a_flipped_bit_is_seen() {
        let header = FrameHeader {
            kind: FrameKind::Entry,
            lsn: 1,
            group_first: 2,
            body_len: 1_000,
            body_crc: 4,
            account: -5,
            source: 6,
            received_at: -7,
            nonce: u64::MAX,
            part_count: 9,
            directory_len: 10,
        };
        let bytes = header.encode();
        assert_eq!(FrameHeader::decode(&bytes), Some(header));
        for bit in 0..HEADER_LEN * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FrameHeader::decode(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_header_whose_directory_leaves_its_body_is_none() {
        let header = FrameHeader {
            kind: FrameKind::Entry,
            lsn: 1,
            group_first: 1,
            body_len: 10,
            body_crc: 0,
            account: 1,
            source: 1,
            received_at: 1,
            nonce: 0,
            part_count: 1,
            directory_len: 10,
        };
        assert_eq!(FrameHeader::decode(&header.encode()), None);
    }
}
