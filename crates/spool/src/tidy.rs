//! Gives disk space back: removes segments that nobody waits for, and rewrites those of which little is left.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::core::Core;
use crate::disk::DiskFile;
use crate::frame::{FrameHeader, HEADER_LEN};
use crate::index::Segment;
use crate::lock;
use crate::segment::{
    self, EntryFrame, Frame, Position, Positions, Seal, SegmentHeader, Walker, add_positions,
    place_parts,
};
use crate::writer::summaries;

/// Frames are put together up to this size before they are written.
const TOGETHER: usize = 256 << 10;

impl Core {
    /// One round. Whoever comes while one is going on waits for it.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        let _alone = lock(&self.tidying);
        self.ask_for_rotation();
        self.remove_dead()?;
        for base in self.mostly_dead() {
            if let Err(error) = self.rewrite(base) {
                // What was begun is removed at the latest by the next start.
                let _ = self
                    .disk
                    .remove(&segment::unfinished_path(&self.directory, base));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Lets the writer close a segment that is old and mostly loaded, and try again where it could not write.
    fn ask_for_rotation(&self) {
        let now = self.clock.now().as_micros();
        let age = i64::try_from(self.settings.segment_age.as_micros()).unwrap_or(i64::MAX);
        let wanted = {
            let index = lock(&self.index);
            match &index.open {
                None => true,
                Some(open) => index.segments.get(&open.base).is_some_and(|segment| {
                    now.saturating_sub(open.begun_at) >= age
                        && !open.positions.is_empty()
                        && mostly_dead(segment)
                }),
            }
        };
        let failing = lock(&self.failure).is_some();
        if wanted || failing {
            lock(&self.work).rotate = true;
            self.work_came.notify_one();
        }
    }

    /// Removes closed segments without waiting parts. The newest file stays: its name keeps positions from being given again. So does
    /// one that says where the unsealed segment before it ends.
    fn remove_dead(&self) -> io::Result<()> {
        let mut removed = false;
        loop {
            let dead = {
                let mut index = lock(&self.index);
                let Some(base) = first_removable(&index.segments) else {
                    break;
                };
                let segment = index.segments.remove(&base);
                self.cache.remove(base);
                segment.map(|segment| (base, segment))
            };
            let Some((base, segment)) = dead else { break };
            match self.disk.remove(&segment::path(&self.directory, base)) {
                Ok(()) => removed = true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => removed = true,
                Err(error) => {
                    lock(&self.index).segments.insert(base, segment);
                    return Err(error);
                }
            }
        }
        if removed {
            self.disk.sync_directory(&self.directory)?;
            let mut index = lock(&self.index);
            if let Some(base) = index.segments.keys().next().copied() {
                index.horizon = index.horizon.max(base - 1);
            }
        }
        Ok(())
    }

    fn mostly_dead(&self) -> Vec<u64> {
        let index = lock(&self.index);
        let newest = index.segments.keys().next_back().copied();
        index
            .segments
            .iter()
            .filter(|(base, segment)| {
                Some(**base) != newest
                    && segment.live_lanes > 0
                    && segment.end >= self.settings.rewrite_bytes
                    && mostly_dead(segment)
            })
            .map(|(base, _)| *base)
            .collect()
    }

    /// Writes what is left of a closed segment into a new file, which then takes its place.
    fn rewrite(&self, base: u64) -> io::Result<()> {
        let Some((cipher, end, last_lsn)) = lock(&self.index)
            .segments
            .get(&base)
            .map(|segment| (segment.cipher.clone(), segment.end, segment.last_lsn))
        else {
            return Ok(());
        };
        let path = segment::path(&self.directory, base);
        let unfinished = segment::unfinished_path(&self.directory, base);
        let file = File::open(&path)?;
        let mut rewrite = Rewrite {
            file: self.disk.create(&unfinished)?,
            at: segment::HEADER_LEN as u64,
            together: Vec::new(),
            positions: Positions::new(),
        };
        let mut header = read_header(&file)?;
        header.rewrite_count = header.rewrite_count.saturating_add(1);
        rewrite.file.write_all_at(&header.encode(), 0)?;

        let end = end.min(file.metadata()?.len());
        let mut damage = Vec::new();
        let mut walker = Walker::new(&file, &cipher, base, true, end);
        while let Some(frame) = walker.next()? {
            match frame {
                Frame::Entry(entry) => {
                    let living = self.living(base, &entry);
                    if !living.is_empty() {
                        rewrite.keep(&file, &entry, &living)?;
                    }
                }
                Frame::Damaged { at } => damage.push(at),
                Frame::Seal { .. } => break,
            }
        }
        rewrite.flush()?;
        let seal = Seal {
            last_lsn,
            lanes: summaries(&rewrite.positions),
        };
        let seal = segment::encode_seal(&seal, &self.key, self.log_id, rewrite.at)
            .map_err(io::Error::other)?;
        rewrite.file.write_all_at(&seal, rewrite.at)?;
        rewrite.file.sync()?;
        self.disk.rename(&unfinished, &path)?;
        self.took_place(base, &rewrite, header.rewrite_count, &damage);
        self.disk.sync_directory(&self.directory)
    }

    fn took_place(&self, base: u64, rewrite: &Rewrite, rewrite_count: u32, damage: &[u64]) {
        let mut index = lock(&self.index);
        let mut newly_damaged = 0;
        if let Some(segment) = index.segments.get_mut(&base) {
            for at in damage {
                if !segment.reported.contains(at) {
                    newly_damaged += 1;
                    tracing::error!(
                        segment = base,
                        offset = at,
                        "intake log: a damaged place of a segment is left out"
                    );
                }
            }
            segment.end = rewrite.at;
            segment.rewrite_count = rewrite_count;
            segment.sealed = true;
            // The damaged places are gone.
            segment.reported.clear();
        }
        index.damaged += newly_damaged;
        index.reconcile(base, &rewrite.positions);
        self.cache.remove(base);
    }

    /// The parts of an entry that still wait.
    fn living(&self, base: u64, entry: &EntryFrame) -> Vec<Position> {
        let index = lock(&self.index);
        let damaged = index.segments.get(&base).map(|segment| &segment.damaged);
        entry
            .positions()
            .filter(|(lane, position)| {
                index.waits(lane, base, position.lsn)
                    && damaged
                        .is_none_or(|damaged| !damaged.contains(&(position.lsn, position.part)))
            })
            .map(|(_, position)| position)
            .collect()
    }
}

fn mostly_dead(segment: &Segment) -> bool {
    segment.live_bytes < segment.end / 2
}

fn first_removable(segments: &std::collections::BTreeMap<u64, Segment>) -> Option<u64> {
    let newest = *segments.keys().next_back()?;
    let mut before_is_sealed = true;
    for (base, segment) in segments {
        if *base == newest {
            return None;
        }
        if segment.live_lanes == 0 && before_is_sealed {
            return Some(*base);
        }
        before_is_sealed = segment.sealed;
    }
    None
}

fn read_header(file: &File) -> io::Result<SegmentHeader> {
    let mut bytes = [0; segment::HEADER_LEN];
    file.read_exact_at(&mut bytes, 0)?;
    SegmentHeader::decode(&bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{error:?}")))
}

/// A segment that is being written anew.
struct Rewrite {
    file: Box<dyn DiskFile>,
    /// Where the next frame begins.
    at: u64,
    /// Bytes before `at` that are not written yet.
    together: Vec<u8>,
    positions: Positions,
}

impl Rewrite {
    /// Copies an entry without the parts that are not in `living`.
    fn keep(&mut self, file: &File, entry: &EntryFrame, living: &[Position]) -> io::Result<()> {
        let bitmap_len = entry.header.bitmap_len();
        let directory_len = entry.header.directory_len as usize;
        let directory_at = HEADER_LEN + bitmap_len;
        let mut frame = vec![0; directory_at + directory_len];
        file.read_exact_at(&mut frame[directory_at..], entry.at + directory_at as u64)?;
        for position in living {
            let part = position.part as usize;
            frame[HEADER_LEN + part / 8] |= 1 << (part % 8);
            let start = frame.len();
            frame.resize(start + position.stored_len as usize, 0);
            file.read_exact_at(&mut frame[start..], u64::from(position.part_at))?;
        }
        let body = &frame[HEADER_LEN..];
        let header = FrameHeader {
            body_len: body.len() as u32,
            body_crc: crc32fast::hash(body),
            ..entry.header
        };
        frame[..HEADER_LEN].copy_from_slice(&header.encode());

        let present = &frame[HEADER_LEN..directory_at];
        let parts = place_parts(&header, &entry.items, Some(present), self.at);
        let account = selvedge_types::AccountId(header.account);
        add_positions(&mut self.positions, account, parts);
        self.at += frame.len() as u64;
        self.together.extend_from_slice(&frame);
        if self.together.len() >= TOGETHER {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let start = self.at - self.together.len() as u64;
        self.file.write_all_at(&self.together, start)?;
        self.together.clear();
        Ok(())
    }
}
