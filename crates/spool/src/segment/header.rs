//! What a segment file begins with. A file has its name only after its header is durable.

use uuid::Uuid;

use crate::bytes::Fields;
use crate::key::{CHECK_LEN, SALT_LEN};

const MAGIC: [u8; 8] = *b"SELVSPOL";
/// Changed when a reader of the old form would misread the new one.
const VERSION: u32 = 1;
pub(crate) const HEADER_LEN: usize = 8 + 4 + 4 + 16 + 8 + 8 + 8 + 8 + SALT_LEN + CHECK_LEN + 4;
const CHECKSUM_AT: usize = HEADER_LEN - 4;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) log_id: Uuid,
    /// Every position in the segment is at or after it, every position in older segments before it.
    pub(crate) base: u64,
    /// How often the segment was written anew with what was left of it.
    pub(crate) rewrite_count: u32,
    /// The segment that was written before, 0 for none, and the length up to which it counts if it has no seal: what stands after it
    /// was never confirmed.
    pub(crate) previous_base: u64,
    pub(crate) previous_length: u64,
    /// Microseconds since 1970.
    pub(crate) created_at: i64,
    pub(crate) salt: [u8; SALT_LEN],
    pub(crate) key_check: [u8; CHECK_LEN],
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    Damaged,
    UnknownVersion(u32),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.rewrite_count.to_le_bytes());
        bytes.extend_from_slice(self.log_id.as_bytes());
        bytes.extend_from_slice(&self.base.to_le_bytes());
        bytes.extend_from_slice(&self.previous_base.to_le_bytes());
        bytes.extend_from_slice(&self.previous_length.to_le_bytes());
        bytes.extend_from_slice(&self.created_at.to_le_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.key_check);
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        let mut header = [0; HEADER_LEN];
        header.copy_from_slice(&bytes);
        header
    }

    pub(crate) fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, HeaderError> {
        let mut fields = Fields(bytes);
        let magic: Option<[u8; 8]> = fields.array();
        let version = fields.u32();
        if magic != Some(MAGIC) {
            return Err(HeaderError::Damaged);
        }
        // Another version may have its checksum elsewhere.
        match version {
            Some(VERSION) => {}
            Some(other) => return Err(HeaderError::UnknownVersion(other)),
            None => return Err(HeaderError::Damaged),
        }
        if Fields(&bytes[CHECKSUM_AT..]).u32() != Some(crc32fast::hash(&bytes[..CHECKSUM_AT])) {
            return Err(HeaderError::Damaged);
        }
        Self::fields(fields).ok_or(HeaderError::Damaged)
    }

    fn fields(mut fields: Fields<'_>) -> Option<Self> {
        Some(Self {
            rewrite_count: fields.u32()?,
            log_id: Uuid::from_bytes(fields.array()?),
            base: fields.u64()?,
            previous_base: fields.u64()?,
            previous_length: fields.u64()?,
            created_at: fields.i64()?,
            salt: fields.array()?,
            key_check: fields.array()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_and_damage_is_told_from_another_version() {
        let header = SegmentHeader {
            log_id: Uuid::from_u128(1),
            base: 2,
            rewrite_count: 3,
            previous_base: 4,
            previous_length: 5,
            created_at: -6,
            salt: [7; SALT_LEN],
            key_check: [8; CHECK_LEN],
        };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header));

        let mut damaged = bytes;
        damaged[40] ^= 1;
        assert_eq!(SegmentHeader::decode(&damaged), Err(HeaderError::Damaged));
        let mut newer = bytes;
        newer[8] = 9;
        assert_eq!(
            SegmentHeader::decode(&newer),
            Err(HeaderError::UnknownVersion(9))
        );
    }
}
