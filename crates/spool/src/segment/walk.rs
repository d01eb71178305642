//! Reads a segment's frames one after the other, past damage where that is possible.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use selvedge_types::{AccountId, SourceId};

use super::summary::{LanePositions, Position, Positions};
use crate::entry::Lane;
use crate::frame::{FrameHeader, FrameKind, HEADER_LEN, MAGIC};
use crate::key::Cipher;
use crate::pack::{DirectoryItem, read_directory};

/// Bytes that are read at once.
const WINDOW: usize = 128 << 10;

/// What stands at one place of a segment.
#[derive(Debug)]
pub(crate) enum Frame {
    Entry(EntryFrame),
    /// `lsn` is the last position that was given in the segment.
    Seal {
        at: u64,
        lsn: u64,
    },
    /// Bytes that are no frame, or a damaged one, up to where the next one begins or the end.
    Damaged {
        at: u64,
    },
}

#[derive(Debug)]
pub(crate) struct EntryFrame {
    pub(crate) at: u64,
    pub(crate) header: FrameHeader,
    pub(crate) items: Vec<DirectoryItem>,
    /// Bitmap of the parts that are there.
    pub(crate) present: Vec<u8>,
    /// False when the checksum of the body, which was asked for, is wrong: some of the parts are damaged, which reading them tells.
    pub(crate) sound: bool,
}

impl EntryFrame {
    /// Where each part is that was not left out by a rewrite.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (Lane, Position)> + '_ {
        place_parts(
            &self.header,
            &self.items,
            Some(self.present.as_slice()),
            self.at,
        )
    }

    /// Whether the parts' lengths are those that the frame has room for.
    fn fits(&self) -> bool {
        let parts: u64 = (0..)
            .zip(&self.items)
            .filter(|(part, _)| is_present(&self.present, *part))
            .map(|(_, item)| u64::from(item.stored_len))
            .sum();
        let before = self.header.bitmap_len() as u64 + u64::from(self.header.directory_len);
        before + parts == u64::from(self.header.body_len)
    }
}

fn is_present(bitmap: &[u8], part: usize) -> bool {
    bitmap
        .get(part / 8)
        .is_some_and(|byte| byte >> (part % 8) & 1 == 1)
}

/// Where the parts of an entry are whose frame begins at `at`: those that `present` says are there, or all.
pub(crate) fn place_parts<'a>(
    header: &FrameHeader,
    items: &'a [DirectoryItem],
    present: Option<&'a [u8]>,
    at: u64,
) -> impl Iterator<Item = (Lane, Position)> + use<'a> {
    let is_there = move |part: usize| present.is_none_or(|bitmap| is_present(bitmap, part));
    let header = *header;
    let before_parts = HEADER_LEN + header.bitmap_len() + header.directory_len as usize;
    let count = (0..items.len()).filter(|&part| is_there(part)).count();
    let overhead = (before_parts / count.max(1)) as u32;
    let mut part_at = at + before_parts as u64;
    (0u32..).zip(items).filter_map(move |(part, item)| {
        if !is_there(part as usize) {
            return None;
        }
        let position = Position {
            lsn: header.lsn,
            received_at: header.received_at,
            frame_at: at as u32,
            part_at: part_at as u32,
            stored_len: item.stored_len,
            overhead,
            part,
            record_count: item.record_count,
            byte_count: item.byte_count as u32,
            urgent: item.urgent,
        };
        part_at += u64::from(item.stored_len);
        let lane = Lane {
            source: SourceId(header.source),
            destination: item.destination,
            table_name: item.table_name.clone(),
        };
        Some((lane, position))
    })
}

/// Adds an entry's parts to those of a segment.
pub(crate) fn add_positions(
    positions: &mut Positions,
    account: AccountId,
    parts: impl Iterator<Item = (Lane, Position)>,
) {
    for (lane, position) in parts {
        positions
            .entry(lane)
            .or_insert_with(|| LanePositions {
                account,
                positions: Vec::new(),
            })
            .positions
            .push(position);
    }
}

pub(crate) struct Walker<'a> {
    file: &'a File,
    cipher: &'a Cipher,
    /// Whether bodies are held against their checksums. Without, parts are not read at all.
    verify: bool,
    at: u64,
    end: u64,
    /// Positions below it were passed, or are not of this segment.
    next_lsn: u64,
    window: Vec<u8>,
    window_at: u64,
}

impl<'a> Walker<'a> {
    /// From the first frame of the segment `base` to `end`, which is not after the end of the file.
    pub(crate) fn new(
        file: &'a File,
        cipher: &'a Cipher,
        base: u64,
        verify: bool,
        end: u64,
    ) -> Self {
        Self {
            next_lsn: base,
            file,
            cipher,
            verify,
            at: super::HEADER_LEN as u64,
            end,
            window: Vec::new(),
            window_at: 0,
        }
    }

    /// None at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Frame>> {
        let at = self.at;
        if at >= self.end {
            return Ok(None);
        }
        let Some(header) = self.header_at(at)? else {
            self.at = self.find_header(at + 1)?;
            return Ok(Some(Frame::Damaged { at }));
        };
        self.at = at + header.frame_len();
        let sound = !self.verify || self.body_is_sound(at, &header)?;
        Ok(Some(match header.kind {
            FrameKind::Seal => Frame::Seal {
                at,
                lsn: header.lsn,
            },
            // A frame in the wrong place is no better than a damaged one: whoever reads relies on the order.
            FrameKind::Entry if header.lsn < self.next_lsn => Frame::Damaged { at },
            FrameKind::Entry => match self.entry(at, header, sound)? {
                Some(entry) => {
                    self.next_lsn = header.lsn.saturating_add(1);
                    Frame::Entry(entry)
                }
                None => Frame::Damaged { at },
            },
        }))
    }

    /// A sound header whose frame is within the segment.
    fn header_at(&mut self, at: u64) -> io::Result<Option<FrameHeader>> {
        let end = self.end;
        let Some(bytes) = self.bytes(at, HEADER_LEN)? else {
            return Ok(None);
        };
        let header = bytes.first_chunk().and_then(FrameHeader::decode);
        Ok(header.filter(|header| header.frame_len() <= end - at))
    }

    /// Whether there are only zeros from here on: room that was made for frames that were not written any more.
    pub(crate) fn only_zeros(&mut self, from: u64) -> io::Result<bool> {
        let mut at = from;
        while at < self.end {
            let length = (self.end - at).min(WINDOW as u64) as usize;
            let Some(bytes) = self.bytes(at, length)? else {
                break;
            };
            if bytes.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            at += length as u64;
        }
        Ok(true)
    }

    fn entry(
        &mut self,
        at: u64,
        header: FrameHeader,
        sound: bool,
    ) -> io::Result<Option<EntryFrame>> {
        let bitmap_len = header.bitmap_len();
        let length = bitmap_len + header.directory_len as usize;
        let Some(bytes) = self.bytes(at + HEADER_LEN as u64, length)? else {
            return Ok(None);
        };
        let (present, directory) = bytes.split_at(bitmap_len);
        let (present, mut directory) = (present.to_vec(), directory.to_vec());
        let Some(items) = read_directory(&header, self.cipher, &mut directory) else {
            return Ok(None);
        };
        let entry = EntryFrame {
            at,
            header,
            items,
            present,
            sound,
        };
        Ok(entry.fits().then_some(entry))
    }

    fn body_is_sound(&mut self, at: u64, header: &FrameHeader) -> io::Result<bool> {
        let mut checksum = crc32fast::Hasher::new();
        let mut offset = at + HEADER_LEN as u64;
        let end = at + header.frame_len();
        while offset < end {
            let length = (end - offset).min(WINDOW as u64) as usize;
            let Some(bytes) = self.bytes(offset, length)? else {
                return Ok(false);
            };
            checksum.update(bytes);
            offset += length as u64;
        }
        Ok(checksum.finalize() == header.body_crc)
    }

    /// Where the next sound header begins, or the end.
    fn find_header(&mut self, from: u64) -> io::Result<u64> {
        let mut at = from;
        while at + HEADER_LEN as u64 <= self.end {
            let length = (self.end - at).min(WINDOW as u64) as usize;
            let Some(bytes) = self.bytes(at, length)? else {
                break;
            };
            match bytes
                .windows(MAGIC.len())
                .position(|window| window == MAGIC)
            {
                Some(offset) => {
                    at += offset as u64;
                    if self.header_at(at)?.is_some() {
                        return Ok(at);
                    }
                    at += 1;
                }
                // The magic may begin in the last bytes.
                None => at += (length - (MAGIC.len() - 1)) as u64,
            }
        }
        Ok(self.end)
    }

    /// Bytes of the file; None when the segment ends before. Length is at most that of the segment.
    fn bytes(&mut self, at: u64, length: usize) -> io::Result<Option<&[u8]>> {
        if length as u64 > self.end.saturating_sub(at) {
            return Ok(None);
        }
        let window_end = self.window_at + self.window.len() as u64;
        if at < self.window_at || at + length as u64 > window_end {
            let wanted = (self.end - at).min(length.max(WINDOW) as u64) as usize;
            // Emptied first: after an error there is no window.
            let mut window = std::mem::take(&mut self.window);
            window.resize(wanted, 0);
            self.file.read_exact_at(&mut window, at)?;
            self.window = window;
            self.window_at = at;
        }
        let start = (at - self.window_at) as usize;
        Ok(Some(&self.window[start..start + length]))
    }
}
