//! Logs in throw-away directories, entries, and what is read back.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use selvedge_spool::{
    Disk, Entry, IntakeLog, Lane, LocalDisk, Lsn, OpenError, Part, SegmentLog, Settings, SpoolKey,
    StoredPart,
};
use selvedge_types::{AccountId, Clock, DestinationId, SourceId, Timestamp};
use tempfile::TempDir;

use crate::sim_disk::SimDisk;

pub(crate) const KEY: [u8; 32] = [7; 32];

/// Stands still until it is moved.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A directory for logs, and what their caller remembers.
pub(crate) struct Home {
    directory: TempDir,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) acknowledged: Mutex<HashMap<Lane, Lsn>>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) settings: Settings,
}

/// Small, and quiet unless told.
pub(crate) fn settings() -> Settings {
    Settings {
        segment_bytes: 16 << 10,
        rewrite_bytes: 4 << 10,
        reserve_bytes: 0,
        // Files of exactly what was written, unless a test is about more.
        ahead_bytes: 0,
        tidy_interval: None,
        ..Settings::default()
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::on(LocalDisk::shared())
    }

    /// Does not wait for real syncs.
    pub(crate) fn quick() -> Self {
        Self::on(Arc::new(SimDisk::default()))
    }

    pub(crate) fn on(disk: Arc<dyn Disk>) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
            acknowledged: Mutex::default(),
            disk,
            settings: settings(),
        }
    }

    /// Whose log writes zeros ahead.
    pub(crate) fn ahead(mut self, bytes: usize) -> Self {
        self.settings.ahead_bytes = bytes;
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        segments(self.path())
    }

    pub(crate) fn try_open(&self) -> Result<SegmentLog, OpenError> {
        self.try_open_with(KEY)
    }

    pub(crate) fn try_open_with(&self, key: [u8; 32]) -> Result<SegmentLog, OpenError> {
        SegmentLog::open_on(
            Arc::clone(&self.disk),
            self.path(),
            SpoolKey::new(key),
            self.settings.clone(),
            self.clock.clone(),
            &|_, lane| {
                let acknowledged = self.acknowledged.lock().unwrap();
                acknowledged.get(lane).copied().unwrap_or(Lsn::ZERO)
            },
        )
    }

    pub(crate) fn open(&self) -> SegmentLog {
        self.try_open().unwrap()
    }

    /// Remembers, then tells the log, as a loader does.
    pub(crate) async fn acknowledge(&self, log: &SegmentLog, lane: &Lane, upto: Lsn) {
        self.acknowledged.lock().unwrap().insert(lane.clone(), upto);
        log.acknowledge(lane, upto).await.unwrap();
    }
}

pub(crate) fn segments(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "seg"))
        .collect();
    paths.sort();
    paths
}

/// A lane of source 100000 + `number`, whose account has the same number.
pub(crate) fn lane(number: i64, table_name: &str) -> Lane {
    Lane {
        source: SourceId(100_000 + number),
        destination: Some(DestinationId(200_000)),
        table_name: table_name.into(),
    }
}

pub(crate) fn part(table_name: &str, payload: impl Into<Bytes>) -> Part {
    Part {
        destination: Some(DestinationId(200_000)),
        table_name: table_name.into(),
        record_count: 1,
        urgent: false,
        table_version: None,
        header: Bytes::from_static(b"header"),
        payload: payload.into(),
    }
}

/// An entry of account and source `number`.
pub(crate) fn entry(number: i64, parts: Vec<Part>) -> Entry {
    Entry {
        account: AccountId(number),
        source: SourceId(100_000 + number),
        received_at: Timestamp::from_micros(1_000 + number),
        parts,
        squeezed: None,
    }
}

pub(crate) fn read_all(log: &dyn IntakeLog, lane: &Lane, after: Lsn) -> Vec<StoredPart> {
    let mut reader = log.read(lane, after);
    let mut parts = Vec::new();
    while let Some(part) = reader.next().unwrap() {
        parts.push(part);
    }
    parts
}

pub(crate) fn payloads(log: &dyn IntakeLog, lane: &Lane, after: Lsn) -> Vec<Bytes> {
    read_all(log, lane, after)
        .into_iter()
        .map(|part| part.payload)
        .collect()
}

/// Bytes that do not compress, the same for the same seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The same numbers for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}
