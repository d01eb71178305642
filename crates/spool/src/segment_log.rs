//! An intake log in the segment files of one directory.

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use selvedge_types::{AccountId, Clock, Timestamp};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::core::{Core, Failure, Pending};
use crate::disk::{Disk, LocalDisk};
use crate::entry::{Entry, Lane, Lsn, WaitingLane};
use crate::key::SpoolKey;
use crate::lock;
use crate::log::{AppendError, Condition, IntakeLog, LogStatus, PartReader, ReadError};
use crate::pack::{PackedEntry, largest_frame_len, nonce_count, pack};
use crate::read::LaneReader;
use crate::recover::{OpenError, Opening, occupy};
use crate::settings::Settings;

/// Larger entries are compressed and encrypted on a thread where blocking is allowed.
const INLINE: u64 = 32 << 10;

/// [`IntakeLog`] in segment files.
///
/// Dropping it writes what waits, which blocks for that long; [`IntakeLog::close`] does the same without blocking.
pub struct SegmentLog {
    core: Arc<Core>,
    budget: Arc<crate::budget::Budget>,
    writer: Mutex<Option<JoinHandle<()>>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    closing: Arc<Closing>,
    /// Keeps other processes out of the directory.
    _occupied: File,
}

#[derive(Default)]
struct Closing {
    closed: Mutex<bool>,
    came: Condvar,
}

impl SegmentLog {
    /// Opens the log in `directory`, or begins one. Blocks on the disk.
    ///
    /// `acknowledged` is what the caller remembers durably: up to where a lane of the log with this id is done, [`Lsn::ZERO`] when it
    /// knows of none.
    pub fn open(
        directory: &Path,
        key: SpoolKey,
        settings: Settings,
        clock: Arc<dyn Clock>,
        acknowledged: &dyn Fn(Uuid, &Lane) -> Lsn,
    ) -> Result<Self, OpenError> {
        Self::open_on(
            LocalDisk::shared(),
            directory,
            key,
            settings,
            clock,
            acknowledged,
        )
    }

    /// As [`SegmentLog::open`], through another door to the disk.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        directory: &Path,
        key: SpoolKey,
        settings: Settings,
        clock: Arc<dyn Clock>,
        acknowledged: &dyn Fn(Uuid, &Lane) -> Lsn,
    ) -> Result<Self, OpenError> {
        let budget =
            crate::budget::Budget::new(settings.budget_bytes, settings.account_budget_bytes);
        let tidy_interval = settings.tidy_interval;
        let opening = Opening {
            directory: directory.to_owned(),
            disk,
            clock,
            settings,
            key,
        };
        let occupied = occupy(directory)?;
        let (core, writer) = opening.open(acknowledged)?;
        let thread = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let no_thread = |source| OpenError::Io {
            path: directory.to_owned(),
            source,
        };
        let closing = Arc::new(Closing::default());
        let log = Self {
            core: Arc::clone(&core),
            budget,
            writer: Mutex::new(None),
            keeper: Mutex::new(None),
            closing: Arc::clone(&closing),
            _occupied: occupied,
        };
        let running = thread("spool-writer")
            .spawn(move || writer.run())
            .map_err(no_thread)?;
        *lock(&log.writer) = Some(running);
        if let Some(interval) = tidy_interval {
            let running = thread("spool-keeper")
                .spawn(move || keep_tidy(&core, &closing, interval))
                .map_err(no_thread)?;
            *lock(&log.keeper) = Some(running);
        }
        Ok(log)
    }

    /// Removes segments that nobody waits for and rewrites those of which little is left. Blocks on the disk; the log does it by itself
    /// every [`Settings::tidy_interval`].
    pub fn tidy(&self) -> std::io::Result<()> {
        self.core.tidy()
    }

    fn stop(&self) {
        self.budget.close();
        lock(&self.core.work).closing = true;
        self.core.work_came.notify_one();
        *lock(&self.closing.closed) = true;
        self.closing.came.notify_one();
    }

    /// Ends both threads; safe to repeat.
    fn join(&self) {
        for handle in [&self.keeper, &self.writer] {
            let running = lock(handle).take();
            if let Some(running) = running
                && running.join().is_err()
            {
                tracing::error!("intake log: a thread of the log panicked");
            }
        }
    }

    fn admit(&self, account: AccountId, bytes: u64) -> Result<Option<Admission>, AppendError> {
        let Some(quota) = self.core.settings.quota_bytes else {
            return Ok(None);
        };
        lock(&self.core.index)
            .admit(account, bytes, quota)
            .map_err(|waiting| AppendError::QuotaExceeded {
                account,
                waiting,
                quota,
            })?;
        Ok(Some(Admission {
            core: Arc::clone(&self.core),
            account,
            bytes,
        }))
    }

    async fn pack(&self, entry: Entry, size: u64) -> Result<PackedEntry, AppendError> {
        let core = Arc::clone(&self.core);
        let packed = move || {
            let first_nonce = core.take_nonces(nonce_count(&entry));
            pack(&entry, &core.cipher, first_nonce)
        };
        let packed = if size <= INLINE {
            packed()
        } else {
            tokio::task::spawn_blocking(packed)
                .await
                .map_err(|_| AppendError::Closed)?
        };
        packed.map_err(|error| AppendError::Unavailable {
            reason: error.to_string(),
        })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let core = Arc::clone(&self.core);
        tokio::task::spawn_blocking(move || work(&core))
            .await
            .map_err(|_| ReadError::ShuttingDown)?
            .map_err(ReadError::Io)
    }
}

/// An entry counted in its account's quota until it is in the index.
struct Admission {
    core: Arc<Core>,
    account: AccountId,
    bytes: u64,
}

impl Drop for Admission {
    fn drop(&mut self) {
        lock(&self.core.index).landed(self.account, self.bytes);
    }
}

fn keep_tidy(core: &Core, closing: &Closing, interval: Duration) {
    let mut closed = lock(&closing.closed);
    while !*closed {
        drop(closed);
        if let Err(error) = core.tidy() {
            tracing::error!(%error, "intake log: segments could not be removed or rewritten");
        }
        closed = lock(&closing.closed);
        if !*closed {
            (closed, _) = closing
                .came
                .wait_timeout(closed, interval)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[async_trait]
impl IntakeLog for SegmentLog {
    fn id(&self) -> Uuid {
        self.core.log_id
    }

    async fn append(&self, entry: Entry) -> Result<Lsn, AppendError> {
        let size = largest_frame_len(&entry);
        let limit = self.core.settings.entry_bytes;
        if size > limit {
            return Err(AppendError::TooLarge { bytes: size, limit });
        }
        let account = entry.account;
        let _admission = self.admit(account, size)?;
        let room = self
            .budget
            .reserve(account, size)
            .await
            .map_err(|_| AppendError::Closed)?;
        let packed = self.pack(entry, size).await?;
        let (answer, answered) = oneshot::channel();
        let asleep = {
            let mut work = lock(&self.core.work);
            if work.closing {
                return Err(AppendError::Closed);
            }
            let frame_len = packed.frame.len();
            let pending = Pending {
                packed,
                answer,
                room,
            };
            work.queue.push(account, frame_len, pending);
            std::mem::take(&mut work.asleep)
        };
        if asleep {
            self.core.work_came.notify_one();
        }
        let durable = answered.await.unwrap_or(Err(AppendError::Closed))?;
        Ok(durable.lsn)
    }

    fn lanes(&self) -> Vec<WaitingLane> {
        lock(&self.core.index).lanes()
    }

    fn waiting(&self, lane: &Lane) -> Option<WaitingLane> {
        lock(&self.core.index).waiting(lane)
    }

    fn read(&self, lane: &Lane, after: Lsn) -> Box<dyn PartReader> {
        Box::new(LaneReader::new(Arc::clone(&self.core), lane.clone(), after))
    }

    fn durable(&self) -> watch::Receiver<Lsn> {
        self.core.durable.subscribe()
    }

    async fn acknowledge(&self, lane: &Lane, upto: Lsn) -> Result<(), ReadError> {
        self.discard(lane, upto).await.map(drop)
    }

    async fn discard(&self, lane: &Lane, upto: Lsn) -> Result<Option<WaitingLane>, ReadError> {
        let lane = lane.clone();
        self.blocking(move |core| core.release(&lane, upto.0)).await
    }

    async fn discard_expired(&self) -> Result<Vec<WaitingLane>, ReadError> {
        let retention = self.core.settings.retention.as_micros();
        let now = self.core.clock.now().as_micros();
        let cutoff = now.saturating_sub(i64::try_from(retention).unwrap_or(i64::MAX));
        self.blocking(move |core| core.release_before(Timestamp::from_micros(cutoff)))
            .await
    }

    fn status(&self) -> LogStatus {
        let condition = self.condition();
        let index = lock(&self.core.index);
        let totals = index.totals();
        LogStatus {
            condition,
            durable: *self.core.durable.borrow(),
            horizon: Lsn(index.horizon),
            segment_count: index.segments.len() as u64,
            disk_bytes: index.segments.values().map(|segment| segment.end).sum(),
            waiting_lanes: index.lane_count(),
            waiting_parts: totals.part_count,
            waiting_records: totals.record_count,
            waiting_bytes: totals.byte_count,
            damaged: index.damaged,
        }
    }

    async fn close(&self) {
        self.stop();
        let handles = [lock(&self.keeper).take(), lock(&self.writer).take()];
        let joined = tokio::task::spawn_blocking(move || {
            handles
                .into_iter()
                .flatten()
                .all(|running| running.join().is_ok())
        });
        if !matches!(joined.await, Ok(true)) {
            tracing::error!("intake log: a thread of the log panicked");
        }
    }
}

impl SegmentLog {
    fn condition(&self) -> Condition {
        if lock(&self.core.work).closing {
            return Condition::Closed;
        }
        let failure = lock(&self.core.failure).clone();
        if let Some(Failure::Broken(reason)) = failure {
            return Condition::Failing { reason };
        }
        match self.core.disk.free_bytes(&self.core.directory) {
            Err(error) => Condition::Failing {
                reason: error.to_string(),
            },
            Ok(free) if free < self.core.settings.reserve_bytes => Condition::Full,
            Ok(_) if failure == Some(Failure::Full) => Condition::Full,
            Ok(_) => Condition::Ready,
        }
    }
}

impl Drop for SegmentLog {
    fn drop(&mut self) {
        self.stop();
        self.join();
    }
}
