//! What the threads of a log share.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use selvedge_types::Clock;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::budget::Room;
use crate::cache::Cache;
use crate::disk::Disk;
use crate::entry::{Lane, Lsn};
use crate::index::{Index, Next};
use crate::key::{Cipher, SpoolKey};
use crate::lock;
use crate::log::AppendError;
use crate::pack::PackedEntry;
use crate::queue::FairQueue;
use crate::recover::Opening;
use crate::segment::{self, LanePositions, Position, Positions};
use crate::settings::Settings;

/// An entry on its way to the thread that writes.
pub(crate) struct Pending {
    pub(crate) packed: PackedEntry,
    pub(crate) answer: oneshot::Sender<Result<Durable, AppendError>>,
    /// Held until the entry is written or refused.
    pub(crate) room: Room,
}

/// An entry that is durable, on its way back. Its memory is freed by who took it: the one thread that writes would wait again and again
/// for the heaps of others.
pub(crate) struct Durable {
    pub(crate) lsn: Lsn,
    pub(crate) _packed: PackedEntry,
    pub(crate) _room: Room,
}

/// What the thread that writes has to do.
pub(crate) struct Work {
    pub(crate) queue: FairQueue<Pending>,
    /// Close the open segment and begin another; or begin one, where that failed before.
    pub(crate) rotate: bool,
    pub(crate) closing: bool,
    /// Who writes sleeps. Whoever brings something wakes it; a writer that is busy looks by itself.
    pub(crate) asleep: bool,
}

/// Why entries cannot be kept at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Full,
    Broken(String),
}

impl Failure {
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Broken(error.to_string()),
        }
    }

    pub(crate) fn append_error(&self) -> AppendError {
        match self {
            Self::Full => AppendError::Full,
            Self::Broken(reason) => AppendError::Unavailable {
                reason: reason.clone(),
            },
        }
    }
}

/// Where the parts of one closed segment are. The file stays readable when the segment is rewritten or removed.
pub(crate) struct SegmentMap {
    pub(crate) file: Arc<File>,
    pub(crate) cipher: Arc<Cipher>,
    pub(crate) positions: Positions,
}

/// Positions of a lane, and what it takes to read the parts there.
pub(crate) struct Chunk {
    /// The segment's.
    pub(crate) base: u64,
    pub(crate) file: Arc<File>,
    pub(crate) cipher: Arc<Cipher>,
    pub(crate) positions: Vec<Position>,
}

/// Positions that a reader takes at once.
const CHUNK: usize = 1_024;

pub(crate) struct Core {
    pub(crate) directory: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) key: SpoolKey,
    pub(crate) log_id: Uuid,
    /// Of this process start.
    pub(crate) cipher: Arc<Cipher>,
    next_nonce: AtomicU64,
    pub(crate) index: Mutex<Index>,
    pub(crate) cache: Cache,
    pub(crate) work: Mutex<Work>,
    pub(crate) work_came: Condvar,
    pub(crate) durable: watch::Sender<Lsn>,
    pub(crate) failure: Mutex<Option<Failure>>,
    /// Held by whoever removes or rewrites segments.
    pub(crate) tidying: Mutex<()>,
}

impl Core {
    pub(crate) fn new(
        opening: Opening,
        log_id: Uuid,
        cipher: Arc<Cipher>,
        index: Index,
        durable: Lsn,
    ) -> Self {
        let Opening {
            directory,
            disk,
            clock,
            settings,
            key,
        } = opening;
        let cache = Cache::new(settings.cached_segments);
        Self {
            directory,
            disk,
            clock,
            settings,
            key,
            log_id,
            cipher,
            next_nonce: AtomicU64::new(0),
            index: Mutex::new(index),
            cache,
            work: Mutex::new(Work {
                queue: FairQueue::new(),
                rotate: false,
                closing: false,
                asleep: false,
            }),
            work_came: Condvar::new(),
            durable: watch::Sender::new(durable),
            failure: Mutex::new(None),
            tidying: Mutex::new(()),
        }
    }

    /// The first of `count` nonces that nobody else gets.
    pub(crate) fn take_nonces(&self, count: u64) -> u64 {
        self.next_nonce.fetch_add(count, Ordering::Relaxed)
    }

    /// The positions of a closed segment; None when it is gone. Scans the file unless that was done lately.
    pub(crate) fn map(&self, base: u64) -> io::Result<Option<Arc<SegmentMap>>> {
        if let Some(map) = self.cache.get(base) {
            return Ok(Some(map));
        }
        // One scan at a time: many readers that come to a segment together read it once.
        let _loading = self.cache.loading();
        if let Some(map) = self.cache.get(base) {
            return Ok(Some(map));
        }
        let (cipher, end, rewrite_count) = {
            let index = lock(&self.index);
            let Some(segment) = index.segments.get(&base) else {
                return Ok(None);
            };
            (
                Arc::clone(&segment.cipher),
                segment.end,
                segment.rewrite_count,
            )
        };
        let file = match File::open(segment::path(&self.directory, base)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let gone = !lock(&self.index).segments.contains_key(&base);
                return if gone { Ok(None) } else { Err(error) };
            }
            Err(error) => return Err(error),
        };
        // A rewrite since then made the file shorter; its frames end with the seal.
        let end = end.min(file.metadata()?.len());
        let (positions, damage) = segment::scan(&file, &cipher, base, end)?;
        let map = self.publish(base, file, cipher, rewrite_count, positions, &damage);
        Ok(Some(map))
    }

    fn publish(
        &self,
        base: u64,
        file: File,
        cipher: Arc<Cipher>,
        rewrite_count: u32,
        mut positions: Positions,
        damage: &[u64],
    ) -> Arc<SegmentMap> {
        let mut index = lock(&self.index);
        let mut newly_damaged = 0;
        let mut current = false;
        let mut known_damage = false;
        if let Some(segment) = index.segments.get_mut(&base) {
            current = segment.rewrite_count == rewrite_count;
            for at in damage {
                if segment.reported.insert(*at) {
                    newly_damaged += 1;
                    tracing::error!(
                        segment = base,
                        offset = at,
                        "intake log: a damaged place of a segment is left out"
                    );
                }
            }
            known_damage = !segment.damaged.is_empty();
            if known_damage {
                for lane in positions.values_mut() {
                    lane.positions.retain(|position| {
                        !segment.damaged.contains(&(position.lsn, position.part))
                    });
                }
            }
        }
        index.damaged += newly_damaged;
        if current && (known_damage || !damage.is_empty()) {
            index.reconcile(base, &positions);
        }
        let map = Arc::new(SegmentMap {
            file: Arc::new(file),
            cipher,
            positions,
        });
        // Under the lock of the index: whoever removes or rewrites the segment clears the cache after having changed the index.
        if current {
            self.cache.insert(base, Arc::clone(&map));
        }
        map
    }

    /// The open segment becomes a closed one, whose positions are at hand.
    pub(crate) fn close_segment(&self) -> Option<Arc<SegmentMap>> {
        let mut index = lock(&self.index);
        let closed = index.open.take()?;
        let segment = index.segments.get(&closed.base)?;
        let map = Arc::new(SegmentMap {
            file: closed.file,
            cipher: Arc::clone(&segment.cipher),
            positions: closed.positions,
        });
        self.cache.insert(closed.base, Arc::clone(&map));
        Some(map)
    }

    /// The next positions of a lane after `after`; None when nothing more waits.
    pub(crate) fn chunk(&self, lane: &Lane, after: u64) -> io::Result<Option<Chunk>> {
        loop {
            let next = lock(&self.index).next(lane, after, CHUNK);
            let (base, from) = match next {
                Next::Nothing => return Ok(None),
                Next::Open(base, file, cipher, positions) => {
                    return Ok((!positions.is_empty()).then(|| Chunk {
                        base,
                        file,
                        cipher,
                        positions,
                    }));
                }
                Next::Closed(base, from) => (base, from),
            };
            // Without a map, or with nothing in it, the index has changed since.
            let Some(map) = self.map(base)? else {
                continue;
            };
            let positions = map
                .positions
                .get(lane)
                .map(|lane| crate::index::first_whole(lane.after(from - 1), CHUNK))
                .unwrap_or_default();
            if positions.is_empty() {
                self.disagree(base, lane, from, &map);
                continue;
            }
            return Ok(Some(Chunk {
                base,
                file: Arc::clone(&map.file),
                cipher: Arc::clone(&map.cipher),
                positions: positions.to_vec(),
            }));
        }
    }

    /// The summary of a segment speaks of parts that its frames have not. Whatever the reason, they cannot be read.
    fn disagree(&self, base: u64, lane: &Lane, from: u64, map: &SegmentMap) {
        let mut index = lock(&self.index);
        if index.waits(lane, base, from) {
            index.damaged += 1;
            tracing::error!(
                segment = base,
                position = from,
                "intake log: a segment does not hold what it was said to hold"
            );
            index.reconcile(base, &map.positions);
        }
    }

    /// Leaves out a part whose bytes are not what was written.
    pub(crate) fn part_is_damaged(
        &self,
        lane: &Lane,
        base: u64,
        position: &Position,
    ) -> io::Result<()> {
        {
            let mut index = lock(&self.index);
            let Some(segment) = index.segments.get_mut(&base) else {
                return Ok(());
            };
            if !segment.damaged.insert((position.lsn, position.part)) {
                return Ok(());
            }
            index.damaged += 1;
            let open = index.open.take_if(|open| open.base == base);
            if let Some(mut open) = open {
                if let Some(lane) = open.positions.get_mut(lane) {
                    lane.positions
                        .retain(|other| (other.lsn, other.part) != (position.lsn, position.part));
                }
                index.reconcile(base, &open.positions);
                index.open = Some(open);
            }
        }
        tracing::error!(
            segment = base,
            position = position.lsn,
            part = position.part,
            "intake log: a damaged part is left out"
        );
        // Scanned again, which takes the part out of the sums.
        self.cache.remove(base);
        let open = lock(&self.index)
            .open
            .as_ref()
            .is_some_and(|open| open.base == base);
        if !open {
            self.map(base)?;
        }
        Ok(())
    }

    /// A lane's positions in a segment, open or closed.
    pub(crate) fn lane_positions(
        &self,
        base: u64,
        lane: &Lane,
    ) -> io::Result<Option<LanePositions>> {
        {
            let index = lock(&self.index);
            if let Some(open) = index.open.as_ref().filter(|open| open.base == base) {
                return Ok(open.positions.get(lane).cloned());
            }
        }
        Ok(self
            .map(base)?
            .and_then(|map| map.positions.get(lane).cloned()))
    }
}
