//! Opening a log: who it belongs to, what waits in it, and where it was cut off.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use selvedge_types::Clock;
use uuid::Uuid;

use crate::core::Core;
use crate::disk::Disk;
use crate::entry::{Lane, Lsn};
use crate::index::{Index, Segment};
use crate::key::{Cipher, SALT_LEN, SpoolKey};
use crate::segment::{
    self, FileKind, HEADER_LEN, HeaderError, Positions, Seal, SegmentHeader, Summary, Tail,
};
use crate::settings::{LARGEST_ENTRY, LARGEST_SEGMENT, Settings};
use crate::writer::{Writer, summaries};

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another process has the intake log {} open", .0.display())]
    Locked(PathBuf),
    #[error("the intake log was written with another key; give that one, or another directory")]
    WrongKey,
    #[error("{} has version {version} of the intake log's format, which this program does not know", .path.display())]
    UnknownVersion { path: PathBuf, version: u32 },
    #[error("{} belongs to another intake log than the segments before it", .0.display())]
    ForeignSegment(PathBuf),
    #[error("{} of the intake log is {value}, more than {limit}", .setting)]
    Setting {
        setting: &'static str,
        value: u64,
        limit: u64,
    },
    #[error("the intake log could not derive its keys")]
    Cipher,
    #[error("{} could not be used for the intake log", .path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// A segment that was found.
struct Found {
    base: u64,
    path: PathBuf,
    file: File,
    header: SegmentHeader,
    cipher: Arc<Cipher>,
}

/// What the lanes of a log end with, by what its caller knows: everything up to there is acknowledged.
pub(crate) type Acknowledged<'a> = &'a dyn Fn(Uuid, &Lane) -> Lsn;

pub(crate) struct Opening {
    pub(crate) directory: PathBuf,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) key: SpoolKey,
}

impl Opening {
    /// The directory is occupied by the caller.
    pub(crate) fn open(
        self,
        acknowledged: Acknowledged<'_>,
    ) -> Result<(Arc<Core>, Writer), OpenError> {
        self.check_settings()?;
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        let bases = self.bases().map_err(at(&self.directory))?;
        let mut recovery = Recovery {
            opening: &self,
            index: Index::default(),
            log_id: None,
            ciphers: HashMap::new(),
            next_lsn: 1,
        };
        let mut found = Vec::new();
        for base in bases {
            found.extend(recovery.find(base)?);
        }
        let log_id = recovery.log_id.unwrap_or_else(Uuid::new_v4);
        let limits: HashMap<u64, u64> = found
            .iter()
            .map(|found| (found.header.previous_base, found.header.previous_length))
            .collect();
        let mut previous = (0, 0);
        for found in &found {
            let end = recovery
                .take_in(found, limits.get(&found.base).copied(), &|lane| {
                    acknowledged(log_id, lane)
                })
                .map_err(at(&found.path))?;
            previous = (found.base, end);
        }
        let next_lsn = recovery.next_lsn;
        let mut index = recovery.index;
        // Nothing was written to it; the segment that begins now takes its name.
        index.segments.remove(&next_lsn);
        index.horizon = index.segments.keys().next().map_or(next_lsn, |base| *base) - 1;
        let cipher = Cipher::fresh(&self.key, log_id).map_err(|_| OpenError::Cipher)?;
        let core = Arc::new(Core::new(
            self,
            log_id,
            Arc::new(cipher),
            index,
            Lsn(next_lsn - 1),
        ));
        let mut writer = Writer::new(Arc::clone(&core), next_lsn, previous);
        writer.prepare();
        Ok((core, writer))
    }

    fn check_settings(&self) -> Result<(), OpenError> {
        for (setting, value, limit) in [
            (
                "segment_bytes",
                self.settings.segment_bytes,
                LARGEST_SEGMENT,
            ),
            ("entry_bytes", self.settings.entry_bytes, LARGEST_ENTRY),
            (
                "group_bytes",
                self.settings.group_bytes as u64,
                LARGEST_SEGMENT,
            ),
        ] {
            if value > limit {
                return Err(OpenError::Setting {
                    setting,
                    value,
                    limit,
                });
            }
        }
        Ok(())
    }

    /// The segments there are, oldest first. Files that were never finished are removed.
    fn bases(&self) -> io::Result<Vec<u64>> {
        let mut bases = Vec::new();
        for item in std::fs::read_dir(&self.directory)? {
            let item = item?;
            match item.file_name().to_str().map(segment::file_kind) {
                Some(FileKind::Segment(base)) => bases.push(base),
                Some(FileKind::Unfinished) => self.disk.remove(&item.path())?,
                Some(FileKind::Other) | None => {}
            }
        }
        bases.sort_unstable();
        Ok(bases)
    }
}

/// Makes the directory if there is none, and keeps others out of it as long as the returned file is open.
pub(crate) fn occupy(directory: &Path) -> Result<File, OpenError> {
    if !directory.is_dir() {
        make(directory).map_err(|source| OpenError::Io {
            path: directory.to_owned(),
            source,
        })?;
    }
    let path = directory.join("lock");
    let opened = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path);
    match opened.map(|file| (file.try_lock(), file)) {
        Ok((Ok(()), file)) => Ok(file),
        Ok((Err(TryLockError::WouldBlock), _)) => Err(OpenError::Locked(directory.to_owned())),
        Ok((Err(TryLockError::Error(source)), _)) | Err(source) => {
            Err(OpenError::Io { path, source })
        }
    }
}

/// Makes a directory that is still there after a loss of power.
fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    match directory.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

struct Recovery<'a> {
    opening: &'a Opening,
    index: Index,
    log_id: Option<Uuid>,
    ciphers: HashMap<[u8; SALT_LEN], Arc<Cipher>>,
    next_lsn: u64,
}

impl Recovery<'_> {
    /// Reads the header of a segment; None when it is damaged.
    fn find(&mut self, base: u64) -> Result<Option<Found>, OpenError> {
        let path = segment::path(&self.opening.directory, base);
        let at_path = |source| OpenError::Io {
            path: path.clone(),
            source,
        };
        let file = File::open(&path).map_err(at_path)?;
        let length = file.metadata().map_err(at_path)?.len();
        let mut bytes = [0; HEADER_LEN];
        let decoded = match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => SegmentHeader::decode(&bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(HeaderError::Damaged),
            Err(error) => return Err(at_path(error)),
        };
        let header = match decoded {
            Ok(header) if header.base == base => header,
            Err(HeaderError::UnknownVersion(version)) => {
                return Err(OpenError::UnknownVersion { path, version });
            }
            Ok(_) | Err(HeaderError::Damaged) => {
                // Its key cannot be derived any more. The file stays for whoever wants to look at it; its positions are not given again.
                let most = length / crate::frame::HEADER_LEN as u64;
                self.next_lsn = self
                    .next_lsn
                    .max(base.saturating_add(most).saturating_add(1));
                self.index.damaged += 1;
                tracing::error!(
                    path = %path.display(),
                    "intake log: the header of a segment is damaged, nothing in it can be read"
                );
                return Ok(None);
            }
        };
        if *self.log_id.get_or_insert(header.log_id) != header.log_id {
            return Err(OpenError::ForeignSegment(path));
        }
        let cipher = match self.ciphers.get(&header.salt) {
            Some(cipher) => Arc::clone(cipher),
            None => {
                let derived = Cipher::derive(&self.opening.key, header.log_id, header.salt);
                let cipher = Arc::new(derived.map_err(|_| OpenError::Cipher)?);
                self.ciphers.insert(header.salt, Arc::clone(&cipher));
                cipher
            }
        };
        if *cipher.check() != header.key_check {
            return Err(OpenError::WrongKey);
        }
        Ok(Some(Found {
            base,
            path,
            file,
            header,
            cipher,
        }))
    }

    /// Puts what waits in a segment into the index. `limit` is where the segment ends by the word of the one after it. Returns where
    /// it ends.
    fn take_in(
        &mut self,
        found: &Found,
        limit: Option<u64>,
        acknowledged: &dyn Fn(&Lane) -> Lsn,
    ) -> io::Result<u64> {
        let length = found.file.metadata()?.len();
        if length > u64::from(u32::MAX) {
            return Err(io::Error::other("longer than a segment can be"));
        }
        let seal = segment::read_seal(&found.file, &self.opening.key, found.header.log_id)?;
        let sealed = seal.is_some();
        let (seal, end) = match seal {
            Some(seal) => {
                self.insert(found, length, seal.last_lsn);
                (seal, length)
            }
            None => self.verify(found, limit, length)?,
        };
        self.next_lsn = self.next_lsn.max(seal.last_lsn + 1).max(found.base);
        if let Some(segment) = self.index.segments.get_mut(&found.base) {
            segment.sealed |= sealed;
        }

        let mut scanned: Option<Positions> = None;
        for (lane, account, summary) in seal.lanes {
            let upto = acknowledged(&lane).0;
            let waiting = if upto < summary.first {
                Some(summary)
            } else if upto >= summary.last {
                None
            } else {
                let positions = match &mut scanned {
                    Some(positions) => positions,
                    None => {
                        let (positions, damage) =
                            segment::scan(&found.file, &found.cipher, found.base, end)?;
                        self.report(found.base, &damage);
                        scanned.insert(positions)
                    }
                };
                positions
                    .get(&lane)
                    .and_then(|lane| Summary::of(lane.after(upto)))
            };
            if waiting.is_some() {
                self.index.set(&lane, account, found.base, waiting);
            }
        }
        Ok(end)
    }

    fn insert(&mut self, found: &Found, end: u64, last_lsn: u64) {
        let cipher = Arc::clone(&found.cipher);
        let segment = Segment::new(cipher, end, last_lsn, found.header.rewrite_count);
        self.index.segments.insert(found.base, segment);
    }

    /// A segment that was not closed in order: looks at each frame, cuts off what was never confirmed, and closes it.
    fn verify(
        &mut self,
        found: &Found,
        limit: Option<u64>,
        length: u64,
    ) -> io::Result<(Seal, u64)> {
        // A segment that was written anew was complete before it took its name.
        let tail = match limit.filter(|limit| *limit <= length) {
            Some(limit) if found.header.rewrite_count == 0 => Tail::Confirmed(limit),
            _ if found.header.rewrite_count > 0 => Tail::Confirmed(length),
            _ => Tail::Unknown(length),
        };
        let verified = segment::verify(&found.file, &found.cipher, found.base, tail)?;
        self.insert(found, verified.end, verified.last_lsn);
        self.report(found.base, &verified.damage);
        let seal = Seal {
            last_lsn: verified.last_lsn,
            lanes: summaries(&verified.positions),
        };
        if let Some(at) = verified.torn {
            tracing::warn!(
                path = %found.path.display(),
                offset = at,
                bytes = length - at,
                "intake log: the end of a segment was not written to completion and is cut off"
            );
        }
        let damaged = verified.damage.first().copied();
        if let Some(at) = damaged.or(verified.torn) {
            // What stood there may have been durable, and its positions known elsewhere.
            let most = (length - at) / crate::frame::HEADER_LEN as u64;
            let above = verified.last_lsn.saturating_add(most).saturating_add(2);
            self.next_lsn = self.next_lsn.max(above);
        }
        if !seal.lanes.is_empty() {
            match self.close(found, &seal, verified.end, length) {
                Ok(()) => {
                    if let Some(segment) = self.index.segments.get_mut(&found.base) {
                        segment.sealed = true;
                    }
                }
                // The next segment says where this one ends.
                Err(error) => tracing::warn!(
                    path = %found.path.display(),
                    %error,
                    "intake log: a segment could not be sealed"
                ),
            }
        }
        Ok((seal, verified.end))
    }

    fn close(&self, found: &Found, seal: &Seal, end: u64, length: u64) -> io::Result<()> {
        let bytes = segment::encode_seal(seal, &self.opening.key, found.header.log_id, end)
            .map_err(io::Error::other)?;
        let mut file = self.opening.disk.open(&found.path)?;
        if end < length {
            file.truncate(end)?;
        }
        file.write_all_at(&bytes, end)?;
        file.sync()
    }

    fn report(&mut self, base: u64, damage: &[u64]) {
        if let Some(segment) = self.index.segments.get_mut(&base) {
            let mut newly = 0;
            for at in damage {
                if segment.reported.insert(*at) {
                    newly += 1;
                    tracing::error!(
                        segment = base,
                        offset = at,
                        "intake log: a damaged place of a segment is left out"
                    );
                }
            }
            self.index.damaged += newly;
        }
    }
}
