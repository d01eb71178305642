//! The one thread that writes: takes what waits, writes it, syncs once, answers all.

use std::fs::File;
use std::io;
use std::sync::{Arc, PoisonError};

use selvedge_types::AccountId;

use crate::core::{Core, Durable, Failure, Pending, Work};
use crate::disk::DiskFile;
use crate::entry::{Lane, Lsn};
use crate::frame::HEADER_LEN;
use crate::index::{OpenSegment, Segment};
use crate::lock;
use crate::queue::FairQueue;
use crate::segment::{self, Positions, Seal, SegmentHeader, Summary, place_parts};

/// Frames are put together up to this size before they are written; larger ones are written from where they are.
const TOGETHER: usize = 256 << 10;

pub(crate) struct Writer {
    core: Arc<Core>,
    open: Option<OpenFile>,
    next_lsn: u64,
    /// The segment that was written before, and up to where it counts.
    previous: (u64, u64),
    together: Vec<u8>,
    /// As many as are written ahead.
    zeros: Vec<u8>,
}

/// The segment that is being written.
struct OpenFile {
    base: u64,
    file: Box<dyn DiskFile>,
    /// Everything before is durable.
    end: u64,
    /// Of the file. What stands behind `end` are zeros, which are no frame.
    length: u64,
}

/// Refuses what comes after the writer, also when that has panicked.
struct RefuseRest(Arc<Core>);

impl Drop for RefuseRest {
    fn drop(&mut self) {
        let mut work = lock(&self.0.work);
        work.closing = true;
        work.queue = FairQueue::new();
    }
}

enum Task {
    Commit(Vec<Pending>),
    Rotate,
    End,
}

impl Writer {
    pub(crate) fn new(core: Arc<Core>, next_lsn: u64, previous: (u64, u64)) -> Self {
        let zeros = vec![0; core.settings.ahead_bytes];
        Self {
            core,
            open: None,
            next_lsn,
            previous,
            together: Vec::new(),
            zeros,
        }
    }

    /// Begins the first segment of this start. When that fails, the next append tries again.
    pub(crate) fn prepare(&mut self) {
        let begun = self.begin();
        self.remember(begun.err());
    }

    /// Until the log is closed and nothing waits any more.
    pub(crate) fn run(mut self) {
        let _refuse = RefuseRest(Arc::clone(&self.core));
        loop {
            match self.task() {
                Task::Commit(group) => self.commit(group),
                Task::Rotate => self.rotate(),
                Task::End => break,
            }
        }
        self.seal();
    }

    fn task(&self) -> Task {
        let mut work = lock(&self.core.work);
        loop {
            if !work.queue.is_empty() {
                return Task::Commit(work.queue.take(self.core.settings.group_bytes));
            }
            let Work {
                rotate, closing, ..
            } = &mut *work;
            if std::mem::take(rotate) {
                return Task::Rotate;
            }
            if *closing {
                return Task::End;
            }
            work.asleep = true;
            work = self
                .core
                .work_came
                .wait(work)
                .unwrap_or_else(PoisonError::into_inner);
            work.asleep = false;
        }
    }

    fn commit(&mut self, mut group: Vec<Pending>) {
        // Whoever has stopped waiting has not been promised anything.
        group.retain(|pending| !pending.answer.is_closed());
        if group.is_empty() {
            return;
        }
        match self.write_group(&mut group) {
            Ok(()) => {
                self.remember(None);
                self.publish(group);
            }
            Err(failure) => {
                for pending in group {
                    // Nobody waits for an answer that cannot be given.
                    let _ = pending.answer.send(Err(failure.append_error()));
                }
                self.remember(Some(failure));
            }
        }
        let full = |open: &OpenFile| open.end >= self.core.settings.segment_bytes;
        if self.open.as_ref().is_some_and(full) {
            self.rotate();
        }
    }

    /// Whether entries can be written, for who asks; a line in the server's log when that changes, not for each that is refused.
    fn remember(&self, failure: Option<Failure>) {
        let mut known = lock(&self.core.failure);
        if *known != failure {
            match &failure {
                Some(reason) => {
                    tracing::error!(?reason, "intake log: entries cannot be written");
                }
                None => tracing::info!("intake log: entries can be written again"),
            }
            *known = failure;
        }
    }

    /// Makes the group durable, or leaves nothing of it that would ever be read.
    fn write_group(&mut self, group: &mut [Pending]) -> Result<(), Failure> {
        let size: u64 = group
            .iter()
            .map(|pending| pending.packed.frame.len() as u64)
            .sum();
        self.check_room(size + self.zeros.len() as u64)?;
        if self.open.is_none() {
            self.begin()?;
        }
        let group_first = self.next_lsn;
        for (lsn, pending) in (group_first..).zip(group.iter_mut()) {
            let packed = &mut pending.packed;
            packed.header.lsn = lsn;
            packed.header.group_first = group_first;
            packed.frame[..HEADER_LEN].copy_from_slice(&packed.header.encode());
        }
        let Some(open) = &mut self.open else {
            return Err(Failure::Broken("no segment is open".to_owned()));
        };
        let written = write_frames(open, &mut self.together, group)
            .and_then(|()| write_ahead(open, size, &self.zeros));
        let count = group.len() as u64;
        if let Err(error) = written {
            let failure = Failure::of(&error);
            // Taken back durably, or a later start could find it.
            let taken_back = open.cut().and_then(|()| open.file.sync()).is_ok();
            if !taken_back {
                self.abandon(count);
            }
            return Err(failure);
        }
        if let Err(error) = open.file.sync() {
            // What the disk holds now is unknown, also after another sync that succeeds.
            self.abandon(count);
            return Err(Failure::of(&error));
        }
        open.end += size;
        self.next_lsn += count;
        Ok(())
    }

    fn check_room(&self, size: u64) -> Result<(), Failure> {
        let free = self
            .core
            .disk
            .free_bytes(&self.core.directory)
            .map_err(|error| Failure::of(&error))?;
        if free < self.core.settings.reserve_bytes.saturating_add(size) {
            return Err(Failure::Full);
        }
        Ok(())
    }

    /// Shows the group to readers, then answers.
    fn publish(&mut self, group: Vec<Pending>) {
        let Some(open) = &self.open else { return };
        let last = self.next_lsn - 1;
        let mut answers = Vec::with_capacity(group.len());
        {
            let size: usize = group.iter().map(|pending| pending.packed.frame.len()).sum();
            let mut at = open.end - size as u64;
            let mut index = lock(&self.core.index);
            if let Some(segment) = index.segments.get_mut(&open.base) {
                segment.end = open.end;
                segment.last_lsn = last;
            }
            for pending in group {
                let packed = &pending.packed;
                let account = AccountId(packed.header.account);
                index.add(
                    account,
                    place_parts(&packed.header, &packed.items, None, at),
                );
                at += packed.frame.len() as u64;
                let durable = Durable {
                    lsn: Lsn(packed.header.lsn),
                    _packed: pending.packed,
                    _room: pending.room,
                };
                answers.push((pending.answer, durable));
            }
        }
        self.core.durable.send_replace(Lsn(last));
        for (answer, durable) in answers {
            // Who stopped waiting has an entry more than it knows of.
            let _ = answer.send(Ok(durable));
        }
    }

    /// Goes on in a new segment, which says that the open one ends where it was durable.
    fn abandon(&mut self, used: u64) {
        // The positions that were given may be found on the disk again, so nobody else gets them.
        self.next_lsn += used;
        self.close(false);
    }

    /// Closes the segment unless it is empty, and begins another. That this works shows that the disk takes writes again.
    fn rotate(&mut self) {
        self.seal();
        let begun = match self.open {
            Some(_) => Ok(()),
            None => self.begin(),
        };
        self.remember(begun.err());
    }

    /// Begins a segment that is durable, though empty, when this returns.
    fn begin(&mut self) -> Result<(), Failure> {
        self.create().map_err(|error| Failure::of(&error))
    }

    fn create(&mut self) -> io::Result<()> {
        let core = &self.core;
        let base = self.next_lsn;
        let header = SegmentHeader {
            log_id: core.log_id,
            base,
            rewrite_count: 0,
            previous_base: self.previous.0,
            previous_length: self.previous.1,
            created_at: core.clock.now().as_micros(),
            salt: *core.cipher.salt(),
            key_check: *core.cipher.check(),
        };
        let unfinished = segment::unfinished_path(&core.directory, base);
        let path = segment::path(&core.directory, base);
        let mut file = core.disk.create(&unfinished)?;
        file.write_all_at(&header.encode(), 0)?;
        file.sync()?;
        core.disk.rename(&unfinished, &path)?;
        core.disk.sync_directory(&core.directory)?;
        let readable = Arc::new(File::open(&path)?);
        let end = segment::HEADER_LEN as u64;
        let mut index = lock(&core.index);
        let cipher = Arc::clone(&core.cipher);
        index
            .segments
            .insert(base, Segment::new(cipher, end, base - 1, 0));
        index.open = Some(OpenSegment {
            base,
            file: readable,
            positions: Positions::new(),
            begun_at: header.created_at,
        });
        self.open = Some(OpenFile {
            base,
            file,
            end,
            length: end,
        });
        Ok(())
    }

    /// Writes the seal, if there is anything to seal.
    fn seal(&mut self) {
        let empty = |open: &OpenFile| open.end == segment::HEADER_LEN as u64;
        if !self.open.as_ref().is_some_and(empty) {
            self.close(true);
        }
    }

    /// The open segment is written no more.
    fn close(&mut self, seal: bool) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        self.previous = (open.base, open.end);
        let Some(map) = self.core.close_segment() else {
            return;
        };
        if !seal {
            return;
        }
        match write_seal(&self.core, &mut open, self.next_lsn - 1, &map.positions) {
            Ok(()) => {
                if let Some(segment) = lock(&self.core.index).segments.get_mut(&open.base) {
                    segment.sealed = true;
                }
            }
            // Without a seal the next start looks at each frame; nothing else depends on it.
            Err(error) => {
                tracing::warn!(segment = open.base, %error, "intake log: a segment could not be sealed");
            }
        }
    }
}

impl OpenFile {
    /// Ends the file where what is durable ends.
    fn cut(&mut self) -> io::Result<()> {
        self.file.truncate(self.end)?;
        self.length = self.end;
        Ok(())
    }
}

/// Writes zeros behind a small group of `size` bytes where the file ends, so that the next ones need not make it longer.
fn write_ahead(open: &mut OpenFile, size: u64, zeros: &[u8]) -> io::Result<()> {
    let end = open.end + size;
    if end <= open.length {
        return Ok(());
    }
    open.length = end;
    if size < zeros.len() as u64 {
        open.file.write_all_at(zeros, end)?;
        open.length += zeros.len() as u64;
    }
    Ok(())
}

fn write_frames(open: &mut OpenFile, together: &mut Vec<u8>, group: &[Pending]) -> io::Result<()> {
    let mut at = open.end;
    together.clear();
    for pending in group {
        let frame = &pending.packed.frame;
        if together.len() + frame.len() > TOGETHER {
            open.file.write_all_at(together, at)?;
            at += together.len() as u64;
            together.clear();
        }
        if frame.len() > TOGETHER {
            open.file.write_all_at(frame, at)?;
            at += frame.len() as u64;
        } else {
            together.extend_from_slice(frame);
        }
    }
    if !together.is_empty() {
        open.file.write_all_at(together, at)?;
    }
    Ok(())
}

fn write_seal(
    core: &Core,
    open: &mut OpenFile,
    last_lsn: u64,
    positions: &Positions,
) -> io::Result<()> {
    let bytes = segment::encode_seal(
        &Seal {
            last_lsn,
            lanes: summaries(positions),
        },
        &core.key,
        core.log_id,
        open.end,
    )
    .map_err(io::Error::other)?;
    if open.length > open.end {
        open.cut()?;
    }
    open.file.write_all_at(&bytes, open.end)?;
    open.file.sync()
}

/// What each lane has in a segment, for its seal.
pub(crate) fn summaries(positions: &Positions) -> Vec<(Lane, AccountId, Summary)> {
    positions
        .iter()
        .filter_map(|(lane, held)| {
            let summary = Summary::of(&held.positions)?;
            Some((lane.clone(), held.account, summary))
        })
        .collect()
}
