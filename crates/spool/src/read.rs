//! Reads one lane: positions from the index, a thousand at a time, and parts from the files, one at a time.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use selvedge_types::{AccountId, Timestamp};

use crate::core::{Chunk, Core};
use crate::entry::{Lane, Lsn, StoredPart};
use crate::frame::{FrameHeader, HEADER_LEN};
use crate::key::Cipher;
use crate::log::{PartReader, ReadError};
use crate::pack::read_part;
use crate::segment::Position;

pub(crate) struct LaneReader {
    core: Arc<Core>,
    lane: Lane,
    /// Everything at or before it was read.
    after: u64,
    chunk: Option<OpenChunk>,
}

/// What is left of a [`Chunk`].
struct OpenChunk {
    base: u64,
    file: Arc<File>,
    cipher: Arc<Cipher>,
    positions: VecDeque<Position>,
}

impl LaneReader {
    pub(crate) fn new(core: Arc<Core>, lane: Lane, after: Lsn) -> Self {
        Self {
            core,
            lane,
            after: after.0,
            chunk: None,
        }
    }
}

impl PartReader for LaneReader {
    fn next(&mut self) -> Result<Option<StoredPart>, ReadError> {
        loop {
            let Some(chunk) = &mut self.chunk else {
                let Some(chunk) = self.core.chunk(&self.lane, self.after)? else {
                    return Ok(None);
                };
                let Chunk {
                    base,
                    file,
                    cipher,
                    positions,
                } = chunk;
                self.chunk = Some(OpenChunk {
                    base,
                    file,
                    cipher,
                    positions: positions.into(),
                });
                continue;
            };
            // Taken away only when it was read: after an error the same part is tried again.
            let Some(position) = chunk.positions.front().copied() else {
                self.chunk = None;
                continue;
            };
            let part = stored_part(&chunk.file, &chunk.cipher, &position)?;
            chunk.positions.pop_front();
            // The other parts of the same entry are in this chunk as well.
            if chunk
                .positions
                .front()
                .is_none_or(|next| next.lsn != position.lsn)
            {
                self.after = position.lsn;
            }
            match part {
                Some(part) => return Ok(Some(part)),
                None => self
                    .core
                    .part_is_damaged(&self.lane, chunk.base, &position)?,
            }
        }
    }
}

/// None when the bytes are not what was written.
fn stored_part(
    file: &File,
    cipher: &Cipher,
    position: &Position,
) -> io::Result<Option<StoredPart>> {
    let read = |at: u32, bytes: &mut [u8]| match file.read_exact_at(bytes, u64::from(at)) {
        // A segment that has become shorter than it was.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        result => result.map(|()| true),
    };
    let mut header = [0; HEADER_LEN];
    let mut stored = vec![0; position.stored_len as usize];
    if !read(position.frame_at, &mut header)? || !read(position.part_at, &mut stored)? {
        return Ok(None);
    }
    let Some(header) = FrameHeader::decode(&header).filter(|header| header.lsn == position.lsn)
    else {
        return Ok(None);
    };
    let byte_count = u64::from(position.byte_count);
    Ok(
        read_part(&header, cipher, position.part, stored, byte_count)
            .ok()
            .map(|content| StoredPart {
                lsn: Lsn(position.lsn),
                account: AccountId(header.account),
                received_at: Timestamp::from_micros(header.received_at),
                record_count: position.record_count,
                urgent: position.urgent,
                table_version: content.table_version,
                header: content.header,
                payload: content.payload,
            }),
    )
}
