//! The seal at the end of a segment: what each lane has in it, so that opening a log reads no more than this.
//!
//! A seal frame's body is a salt of its own, under which the summaries are encrypted, and the summaries. After the frame come twelve
//! bytes that tell where it begins.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use selvedge_types::{AccountId, DestinationId, SourceId};
use uuid::Uuid;

use super::summary::Summary;
use crate::bytes::Fields;
use crate::entry::Lane;
use crate::frame::{FrameHeader, FrameKind, HEADER_LEN};
use crate::key::{Cipher, CipherError, SALT_LEN, SpoolKey};

/// Offset of the seal frame in 64 bits, and the CRC-32 of these.
const TRAILER_LEN: usize = 12;

/// What a sealed segment holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) last_lsn: u64,
    pub(crate) lanes: Vec<(Lane, AccountId, Summary)>,
}

/// The bytes to write at `offset`, where the frames end.
pub(crate) fn encode_seal(
    seal: &Seal,
    key: &SpoolKey,
    log_id: Uuid,
    offset: u64,
) -> Result<Vec<u8>, CipherError> {
    let cipher = Cipher::fresh(key, log_id)?;
    let mut text = Vec::with_capacity(seal.lanes.len() * 128);
    for (lane, account, summary) in &seal.lanes {
        write_lane(&mut text, lane, *account, summary);
    }
    let mut header = FrameHeader {
        kind: FrameKind::Seal,
        lsn: seal.last_lsn,
        group_first: seal.last_lsn,
        body_len: 0,
        body_crc: 0,
        account: 0,
        source: 0,
        received_at: 0,
        nonce: 0,
        part_count: seal.lanes.len() as u32,
        directory_len: 0,
    };
    let tag = cipher.seal(0, &header.bound(), &mut text)?;
    let mut bytes = vec![0; HEADER_LEN];
    bytes.extend_from_slice(cipher.salt());
    bytes.extend_from_slice(&text);
    bytes.extend_from_slice(&tag);
    let body = &bytes[HEADER_LEN..];
    header.body_len = body.len() as u32;
    header.body_crc = crc32fast::hash(body);
    bytes[..HEADER_LEN].copy_from_slice(&header.encode());
    let offset = offset.to_le_bytes();
    bytes.extend_from_slice(&offset);
    bytes.extend_from_slice(&crc32fast::hash(&offset).to_le_bytes());
    Ok(bytes)
}

/// None when the file has no seal, or a damaged one.
pub(crate) fn read_seal(file: &File, key: &SpoolKey, log_id: Uuid) -> io::Result<Option<Seal>> {
    let length = file.metadata()?.len();
    let Some(trailer_at) = length.checked_sub(TRAILER_LEN as u64) else {
        return Ok(None);
    };
    let mut trailer = [0; TRAILER_LEN];
    file.read_exact_at(&mut trailer, trailer_at)?;
    let mut fields = Fields(&trailer);
    let (Some(offset), Some(checksum)) = (fields.u64(), fields.u32()) else {
        return Ok(None);
    };
    if checksum != crc32fast::hash(&trailer[..8]) {
        return Ok(None);
    }
    let Some(frame_len) = trailer_at.checked_sub(offset) else {
        return Ok(None);
    };
    // A seal is as long as its lanes need; no longer one is read into memory than the file has.
    let mut frame = vec![0; frame_len as usize];
    file.read_exact_at(&mut frame, offset)?;
    Ok(decode(frame, key, log_id))
}

fn decode(mut frame: Vec<u8>, key: &SpoolKey, log_id: Uuid) -> Option<Seal> {
    let header = FrameHeader::decode(frame.first_chunk()?)?;
    if header.kind != FrameKind::Seal || header.frame_len() != frame.len() as u64 {
        return None;
    }
    let body = &mut frame[HEADER_LEN..];
    if crc32fast::hash(body) != header.body_crc {
        return None;
    }
    let (salt, sealed) = body.split_first_chunk_mut::<SALT_LEN>()?;
    let cipher = Cipher::derive(key, log_id, *salt).ok()?;
    let mut fields = Fields(cipher.open(0, &header.bound(), sealed).ok()?);
    let mut lanes = Vec::new();
    for _ in 0..header.part_count {
        lanes.push(read_lane(&mut fields)?);
    }
    fields.0.is_empty().then_some(Seal {
        last_lsn: header.lsn,
        lanes,
    })
}

fn write_lane(text: &mut Vec<u8>, lane: &Lane, account: AccountId, summary: &Summary) {
    let destination = lane.destination.map_or(0, |id| id.0);
    for signed in [
        account.0,
        lane.source.0,
        destination,
        summary.oldest_at,
        summary.newest_at,
    ] {
        text.extend_from_slice(&signed.to_le_bytes());
    }
    for unsigned in [
        summary.part_count,
        summary.record_count,
        summary.byte_count,
        summary.disk_bytes,
        summary.first,
        summary.last,
    ] {
        text.extend_from_slice(&unsigned.to_le_bytes());
    }
    text.push(u8::from(summary.urgent));
    text.extend_from_slice(&(lane.table_name.len() as u32).to_le_bytes());
    text.extend_from_slice(lane.table_name.as_bytes());
}

fn read_lane(fields: &mut Fields<'_>) -> Option<(Lane, AccountId, Summary)> {
    let account = AccountId(fields.i64()?);
    let source = SourceId(fields.i64()?);
    let destination = fields.i64()?;
    let summary = Summary {
        oldest_at: fields.i64()?,
        newest_at: fields.i64()?,
        part_count: fields.u64()?,
        record_count: fields.u64()?,
        byte_count: fields.u64()?,
        disk_bytes: fields.u64()?,
        first: fields.u64()?,
        last: fields.u64()?,
        urgent: fields.u8()? != 0,
    };
    let lane = Lane {
        source,
        destination: (destination != 0).then_some(DestinationId(destination)),
        table_name: fields.text()?.into(),
    };
    Some((lane, account, summary))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_seal_is_found_at_the_end_and_damage_makes_it_none() {
        let key = SpoolKey::new([1; 32]);
        let id = Uuid::from_u128(5);
        let seal = Seal {
            last_lsn: 99,
            lanes: vec![(
                Lane {
                    source: SourceId(1),
                    destination: None,
                    table_name: "t".into(),
                },
                AccountId(2),
                Summary {
                    part_count: 1,
                    record_count: 2,
                    byte_count: 3,
                    disk_bytes: 4,
                    oldest_at: -5,
                    newest_at: 6,
                    first: 7,
                    last: 8,
                    urgent: true,
                },
            )],
        };
        let frames = b"frames";
        let bytes = encode_seal(&seal, &key, id, frames.len() as u64).unwrap();
        let read = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(frames).unwrap();
            file.write_all(bytes).unwrap();
            read_seal(&file, &key, id).unwrap()
        };
        assert_eq!(read(&bytes), Some(seal));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_eq!(read(&damaged), None, "byte {at}");
            assert_eq!(read(&bytes[..at]), None, "length {at}");
        }
    }
}
