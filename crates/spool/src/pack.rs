//! Entries into frames and back: compression and encryption, done by who appends, so that the one thread that writes only copies.
//!
//! Directory: per part destination, records, bytes, stored bytes, urgency and table name; all that the index wants to know.
//! Part: flags, table version, three lengths, header and payload, each compressed when that makes it smaller (`squeeze`).

use std::sync::Arc;

use bytes::Bytes;
use selvedge_types::DestinationId;

use crate::bytes::Fields;
use crate::entry::{Entry, Part};
use crate::frame::{FrameHeader, FrameKind, HEADER_LEN, bitmap_len};
use crate::key::{Cipher, CipherError, NotAuthentic, TAG_LEN};
use crate::squeeze::{Form, restore, squeeze};
use crate::squeezed::Squeezed;

const URGENT: u8 = 1;
/// Fixed fields of a part in the directory: destination, records, bytes, stored bytes, flags, length of the table name.
const DIRECTORY_ITEM_LEN: usize = 8 + 4 + 8 + 4 + 1 + 4;

const HEADER_WHOLE: u8 = 1;
const PAYLOAD_WHOLE: u8 = 2;
const HAS_VERSION: u8 = 4;
const HEADER_BLOCKS: u8 = 8;
const PAYLOAD_BLOCKS: u8 = 16;
const PAYLOAD_CUT: u8 = 32;
const HEADER_FORMS: [(u8, Form); 2] = [(HEADER_BLOCKS, Form::Blocks), (HEADER_WHOLE, Form::Whole)];
const PAYLOAD_FORMS: [(u8, Form); 3] = [
    (PAYLOAD_CUT, Form::Cut),
    (PAYLOAD_BLOCKS, Form::Blocks),
    (PAYLOAD_WHOLE, Form::Whole),
];
/// Fixed fields of a part: flags, table version, lengths of the header, of the header as stored, and of the payload.
const PART_PREFIX_LEN: usize = 1 + 8 + 4 + 4 + 4;

/// What the directory says of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryItem {
    pub(crate) destination: Option<DestinationId>,
    pub(crate) table_name: Arc<str>,
    pub(crate) record_count: u32,
    pub(crate) urgent: bool,
    /// Header and payload as given.
    pub(crate) byte_count: u64,
    /// The encrypted part with its tag.
    pub(crate) stored_len: u32,
}

/// An entry that is ready to be written, but for its position.
pub(crate) struct PackedEntry {
    /// Room for the frame header, and the body.
    pub(crate) frame: Vec<u8>,
    /// `lsn` and `group_first` are still to be set.
    pub(crate) header: FrameHeader,
    pub(crate) items: Vec<DirectoryItem>,
}

/// Bytes a directory of these names takes, without its tag.
fn directory_len<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| DIRECTORY_ITEM_LEN + name.len()).sum()
}

/// Most bytes that the entry takes in memory and on the disk.
pub(crate) fn largest_frame_len(entry: &Entry) -> u64 {
    let parts: u64 = entry
        .parts
        .iter()
        .map(|part| part.byte_count() + (PART_PREFIX_LEN + TAG_LEN) as u64)
        .sum();
    let names = directory_len(entry.parts.iter().map(|part| &*part.table_name));
    parts + (HEADER_LEN + bitmap_len(entry.parts.len()) + names + TAG_LEN) as u64
}

/// Nonces that an entry takes from the counter.
pub(crate) fn nonce_count(entry: &Entry) -> u64 {
    1 + entry.parts.len() as u64
}

/// Compresses and encrypts. The caller has checked that [`largest_frame_len`] fits into 32 bits; `first_nonce` begins
/// [`nonce_count`] unused ones.
pub(crate) fn pack(
    entry: &Entry,
    cipher: &Cipher,
    first_nonce: u64,
) -> Result<PackedEntry, CipherError> {
    let part_count = entry.parts.len();
    let directory_len = directory_len(entry.parts.iter().map(|part| &*part.table_name)) + TAG_LEN;
    let directory_at = HEADER_LEN + bitmap_len(part_count);
    let mut header = FrameHeader {
        kind: FrameKind::Entry,
        lsn: 0,
        group_first: 0,
        body_len: 0,
        body_crc: 0,
        account: entry.account.0,
        source: entry.source.0,
        received_at: entry.received_at.as_micros(),
        nonce: first_nonce,
        part_count: part_count as u32,
        directory_len: directory_len as u32,
    };
    let bound = header.bound();
    let small = largest_frame_len(entry).min(64 << 10) as usize;
    let mut frame = Vec::with_capacity(small.max(directory_at + directory_len));
    frame.resize(directory_at + directory_len, 0);
    for part in 0..part_count {
        frame[HEADER_LEN + part / 8] |= 1 << (part % 8);
    }

    let mut items = Vec::with_capacity(part_count);
    for (part, nonce) in entry.parts.iter().zip(first_nonce + 1..) {
        let start = frame.len();
        write_part(&mut frame, part, entry.squeezed.as_ref());
        let tag = cipher.seal(nonce, &bound, &mut frame[start..])?;
        frame.extend_from_slice(&tag);
        items.push(DirectoryItem {
            destination: part.destination,
            table_name: part.table_name.clone(),
            record_count: part.record_count,
            urgent: part.urgent,
            byte_count: part.byte_count(),
            stored_len: (frame.len() - start) as u32,
        });
    }

    let mut directory = Vec::with_capacity(directory_len);
    for item in &items {
        write_item(&mut directory, item);
    }
    let tag = cipher.seal(first_nonce, &bound, &mut directory)?;
    directory.extend_from_slice(&tag);
    frame[directory_at..directory_at + directory_len].copy_from_slice(&directory);

    let body = &frame[HEADER_LEN..];
    header.body_len = body.len() as u32;
    header.body_crc = crc32fast::hash(body);
    Ok(PackedEntry {
        frame,
        header,
        items,
    })
}

fn write_item(directory: &mut Vec<u8>, item: &DirectoryItem) {
    let destination = item.destination.map_or(0, |id| id.0);
    directory.extend_from_slice(&destination.to_le_bytes());
    directory.extend_from_slice(&item.record_count.to_le_bytes());
    directory.extend_from_slice(&item.byte_count.to_le_bytes());
    directory.extend_from_slice(&item.stored_len.to_le_bytes());
    directory.push(if item.urgent { URGENT } else { 0 });
    directory.extend_from_slice(&(item.table_name.len() as u32).to_le_bytes());
    directory.extend_from_slice(item.table_name.as_bytes());
}

/// Decrypts a directory in place; None when it is damaged.
pub(crate) fn read_directory(
    header: &FrameHeader,
    cipher: &Cipher,
    directory: &mut [u8],
) -> Option<Vec<DirectoryItem>> {
    let text = cipher.open(header.nonce, &header.bound(), directory).ok()?;
    let mut fields = Fields(text);
    // The count is authentic by now, the length bounds it all the same.
    let mut items = Vec::with_capacity((header.part_count as usize).min(text.len()));
    for _ in 0..header.part_count {
        let destination = fields.i64()?;
        items.push(DirectoryItem {
            destination: (destination != 0).then_some(DestinationId(destination)),
            record_count: fields.u32()?,
            byte_count: fields.u64()?,
            stored_len: fields.u32()?,
            urgent: fields.u8()? & URGENT != 0,
            table_name: fields.text()?.into(),
        });
    }
    fields.0.is_empty().then_some(items)
}

fn write_part(frame: &mut Vec<u8>, part: &Part, ahead: Option<&Squeezed>) {
    let prefix_at = frame.len();
    frame.resize(prefix_at + PART_PREFIX_LEN, 0);
    let header_at = frame.len();
    let mut flags = 0;
    if squeeze(&part.header, None, frame) == Form::Blocks {
        flags |= HEADER_BLOCKS;
    }
    let header_stored = (frame.len() - header_at) as u32;
    flags |= match squeeze(&part.payload, ahead, frame) {
        Form::Plain => 0,
        Form::Whole => PAYLOAD_WHOLE,
        Form::Blocks => PAYLOAD_BLOCKS,
        Form::Cut => PAYLOAD_CUT,
    };
    if part.table_version.is_some() {
        flags |= HAS_VERSION;
    }
    let prefix = &mut frame[prefix_at..header_at];
    prefix[0] = flags;
    prefix[1..9].copy_from_slice(&part.table_version.unwrap_or(0).to_le_bytes());
    prefix[9..13].copy_from_slice(&(part.header.len() as u32).to_le_bytes());
    prefix[13..17].copy_from_slice(&header_stored.to_le_bytes());
    prefix[17..].copy_from_slice(&(part.payload.len() as u32).to_le_bytes());
}

/// How something is stored, by the flags of its part: the first of these that is set.
fn form(flags: u8, forms: &[(u8, Form)]) -> Form {
    let mut set = forms.iter().filter(|(flag, _)| flags & flag != 0);
    set.next().map_or(Form::Plain, |(_, form)| *form)
}

/// What a part holds besides what the directory says.
pub(crate) struct PartContent {
    pub(crate) table_version: Option<i64>,
    pub(crate) header: Bytes,
    pub(crate) payload: Bytes,
}

/// Decrypts and decompresses the part with this index. `byte_count` is what the directory says, so that a length that is wrong
/// makes no allocation.
pub(crate) fn read_part(
    header: &FrameHeader,
    cipher: &Cipher,
    index: u32,
    mut stored: Vec<u8>,
    byte_count: u64,
) -> Result<PartContent, NotAuthentic> {
    let nonce = header.nonce.wrapping_add(1 + u64::from(index));
    let text_len = cipher.open(nonce, &header.bound(), &mut stored)?.len();
    stored.truncate(text_len);
    unpack(Bytes::from(stored), byte_count).ok_or(NotAuthentic)
}

fn unpack(text: Bytes, byte_count: u64) -> Option<PartContent> {
    let mut fields = Fields(&text);
    let flags = fields.u8()?;
    let version = fields.i64()?;
    let header_len = fields.u32()? as usize;
    let header_stored = fields.u32()? as usize;
    let payload_len = fields.u32()? as usize;
    if header_len as u64 + payload_len as u64 != byte_count {
        return None;
    }
    let payload_at = PART_PREFIX_LEN.checked_add(header_stored)?;
    if payload_at > text.len() {
        return None;
    }
    Some(PartContent {
        table_version: (flags & HAS_VERSION != 0).then_some(version),
        header: restore(
            text.slice(PART_PREFIX_LEN..payload_at),
            form(flags, &HEADER_FORMS),
            header_len,
        )?,
        payload: restore(
            text.slice(payload_at..),
            form(flags, &PAYLOAD_FORMS),
            payload_len,
        )?,
    })
}

#[cfg(test)]
mod tests {
    use selvedge_types::{AccountId, SourceId, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::key::SpoolKey;

    fn cipher() -> Cipher {
        Cipher::derive(&SpoolKey::new([3; 32]), Uuid::nil(), [4; 32]).unwrap()
    }

    fn entry() -> Entry {
        let part = |name: &str, payload: Vec<u8>| Part {
            destination: None,
            table_name: name.into(),
            record_count: 3,
            urgent: false,
            table_version: None,
            header: Bytes::from_static(b"{}"),
            payload: payload.into(),
        };
        Entry {
            account: AccountId(100_001),
            source: SourceId(100_002),
            received_at: Timestamp::from_micros(5),
            parts: vec![
                part("parcels", b"abcdefgh".repeat(10_000)),
                Part {
                    destination: Some(DestinationId(100_003)),
                    urgent: true,
                    table_version: Some(-1),
                    ..part("", Vec::new())
                },
                part("größe", (0..=255).collect()),
            ],
            squeezed: None,
        }
    }

    #[test]
    fn parts_come_back_as_they_were_given() {
        comes_back(&entry());
        let mut entry = entry();
        let body = Bytes::from(b"abcdefgh".repeat(30_000));
        entry.squeezed = Squeezed::ahead(body.clone(), &|| true);
        entry.parts[0].payload = body.slice(99..body.len() - 1);
        assert!(entry.squeezed.is_some());
        comes_back(&entry);
    }

    fn comes_back(entry: &Entry) {
        let cipher = cipher();
        let packed = pack(entry, &cipher, 40).unwrap();
        assert!(packed.frame.len() < 4_000, "the first part compresses");
        assert!(packed.frame.len() as u64 <= largest_frame_len(entry));

        let directory_at = HEADER_LEN + packed.header.bitmap_len();
        let mut parts_at = directory_at + packed.header.directory_len as usize;
        let mut directory = packed.frame[directory_at..parts_at].to_vec();
        let items = read_directory(&packed.header, &cipher, &mut directory).unwrap();
        assert_eq!(items, packed.items);
        for (index, (item, part)) in (0..).zip(items.iter().zip(&entry.parts)) {
            let end = parts_at + item.stored_len as usize;
            let stored = packed.frame[parts_at..end].to_vec();
            let content =
                read_part(&packed.header, &cipher, index, stored, item.byte_count).unwrap();
            assert_eq!(content.table_version, part.table_version);
            assert_eq!(content.header, part.header);
            assert_eq!(content.payload, part.payload);
            parts_at = end;
        }
        assert_eq!(parts_at, packed.frame.len());
    }

    #[test]
    fn a_part_is_not_taken_for_its_neighbour() {
        let (entry, cipher) = (entry(), cipher());
        let packed = pack(&entry, &cipher, 0).unwrap();
        let stored_len = packed.items[2].stored_len as usize;
        let stored = packed.frame[packed.frame.len() - stored_len..].to_vec();
        let byte_count = packed.items[2].byte_count;
        assert!(read_part(&packed.header, &cipher, 1, stored.clone(), byte_count).is_err());
        assert!(read_part(&packed.header, &cipher, 2, stored, byte_count).is_ok());
    }

    #[test]
    fn nothing_of_a_tenant_is_readable_in_a_frame() {
        let packed = pack(&entry(), &cipher(), 0).unwrap();
        for secret in [&b"parcels"[..], b"abcdefgh", b"{}"] {
            assert!(
                !packed
                    .frame
                    .windows(secret.len())
                    .any(|window| window == secret && secret.len() > 2)
            );
        }
    }
}
