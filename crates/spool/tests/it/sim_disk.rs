//! A disk that remembers what was synced, fails where it is told, and can lose power.
//!
//! Files are real, since readers open them, but nothing is really synced. Beside them is kept what a disk would still have after a
//! loss of power: contents as of the last sync of each file, names as of the last sync of the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use selvedge_spool::{Disk, DiskFile, LocalDisk};

use crate::support::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    NoSpace,
    Broken,
    /// Half of a write arrives before there is no space. Other operations have no space at once.
    Short,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Create,
    Open,
    Rename,
    Remove,
    SyncDirectory,
    Write,
    Sync,
    Truncate,
}

#[derive(Clone, Default)]
struct Contents {
    current: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Default)]
struct State {
    steps: Vec<Step>,
    fault: Option<(u64, Fault)>,
    /// Every operation from this one on fails, and nothing of it happens.
    crash_at: Option<u64>,
    free_bytes: Option<u64>,
    syncs_held: bool,
    files: Vec<Contents>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
}

#[derive(Clone, Default)]
pub(crate) struct SimDisk(Arc<(Mutex<State>, Condvar)>);

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap()
    }

    /// What was asked for so far, also what failed.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.state().steps.clone()
    }

    /// Number of steps so far.
    pub(crate) fn operations(&self) -> u64 {
        self.state().steps.len() as u64
    }

    /// Syncs of files so far.
    pub(crate) fn syncs(&self) -> usize {
        let state = self.state();
        state
            .steps
            .iter()
            .filter(|step| **step == Step::Sync)
            .count()
    }

    /// Fails the operation with this number, counted from 0, and only that one.
    pub(crate) fn fail_at(&self, operation: u64, fault: Fault) {
        self.state().fault = Some((operation, fault));
    }

    pub(crate) fn crash_at(&self, operation: u64) {
        self.state().crash_at = Some(operation);
    }

    pub(crate) fn set_free_bytes(&self, bytes: u64) {
        self.state().free_bytes = Some(bytes);
    }

    /// From now on syncs wait until they are let go.
    pub(crate) fn hold_syncs(&self) {
        self.state().syncs_held = true;
    }

    pub(crate) fn let_syncs_go(&self) {
        self.state().syncs_held = false;
        self.0.1.notify_all();
    }

    /// The file of this name; one that was there before counts as synced.
    fn file(&self, path: &Path) -> io::Result<usize> {
        let mut state = self.state();
        if let Some(file) = state.names.get(path) {
            return Ok(*file);
        }
        let bytes = std::fs::read(path)?;
        let file = state.files.len();
        state.files.push(Contents {
            current: bytes.clone(),
            synced: bytes,
        });
        state.names.insert(path.to_owned(), file);
        state.durable_names.insert(path.to_owned(), file);
        Ok(file)
    }

    /// Counts an operation and says whether it fails.
    fn step(&self, step: Step) -> io::Result<Option<Fault>> {
        let mut state = self.state();
        let number = state.steps.len() as u64;
        state.steps.push(step);
        if state.crash_at.is_some_and(|at| number >= at) {
            return Err(io::Error::other("the machine is off"));
        }
        match state.fault {
            Some((at, Fault::Short)) if at == number && step == Step::Write => {
                Ok(Some(Fault::Short))
            }
            Some((at, Fault::NoSpace | Fault::Short)) if at == number => {
                Err(ErrorKind::StorageFull.into())
            }
            Some((at, Fault::Broken)) if at == number => Err(io::Error::other("broken")),
            _ => Ok(None),
        }
    }

    /// Puts into `directory` what a disk might hold after a loss of power: of everything that was not synced, any of it.
    pub(crate) fn after_power_loss(&self, directory: &Path, random: &mut Random) {
        let state = self.state();
        let names: BTreeSet<_> = state
            .names
            .keys()
            .chain(state.durable_names.keys())
            .collect();
        for path in names {
            let (durable, current) = (state.durable_names.get(path), state.names.get(path));
            let survivor = if random.below(2) == 0 {
                durable
            } else {
                current
            };
            if let Some(file) = survivor {
                let bytes = state.files[*file].after_power_loss(random);
                let name = path.file_name().unwrap();
                std::fs::write(directory.join(name), bytes).unwrap();
            }
        }
    }
}

impl Contents {
    fn after_power_loss(&self, random: &mut Random) -> Vec<u8> {
        let (synced, current) = (&self.synced, &self.current);
        match random.below(4) {
            0 => synced.clone(),
            1 => current.clone(),
            kind => {
                // The file has grown, but not all of the new blocks have arrived.
                let mut bytes = current.clone();
                let grown = current.len().saturating_sub(synced.len());
                if grown > 0 {
                    let at = synced.len() + random.below(grown);
                    if kind == 2 {
                        bytes.truncate(at);
                    } else {
                        let end = (at + 512).min(bytes.len());
                        bytes[at..end].fill(0);
                    }
                }
                bytes
            }
        }
    }
}

struct SimFile {
    disk: SimDisk,
    file: usize,
    real: Box<dyn DiskFile>,
}

impl Disk for SimDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.step(Step::Create)?;
        let real = LocalDisk.create(path)?;
        let mut state = self.state();
        let file = state.files.len();
        state.files.push(Contents::default());
        state.names.insert(path.to_owned(), file);
        Ok(Box::new(SimFile {
            disk: self.clone(),
            file,
            real,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.step(Step::Open)?;
        let real = LocalDisk.open(path)?;
        let file = self.file(path)?;
        Ok(Box::new(SimFile {
            disk: self.clone(),
            file,
            real,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(Step::Rename)?;
        let file = self.file(from)?;
        LocalDisk.rename(from, to)?;
        let mut state = self.state();
        state.names.remove(from);
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(Step::Remove)?;
        LocalDisk.remove(path)?;
        self.state().names.remove(path);
        Ok(())
    }

    fn sync_directory(&self, _path: &Path) -> io::Result<()> {
        self.step(Step::SyncDirectory)?;
        let mut state = self.state();
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.state().free_bytes.unwrap_or(u64::MAX))
    }
}

impl DiskFile for SimFile {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let fault = self.disk.step(Step::Write)?;
        let bytes = match fault {
            Some(_) => &bytes[..bytes.len() / 2],
            None => bytes,
        };
        self.real.write_all_at(bytes, offset)?;
        let mut state = self.disk.state();
        let contents = &mut state.files[self.file].current;
        let (start, end) = (offset as usize, offset as usize + bytes.len());
        if contents.len() < end {
            contents.resize(end, 0);
        }
        contents[start..end].copy_from_slice(bytes);
        match fault {
            Some(_) => Err(ErrorKind::StorageFull.into()),
            None => Ok(()),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.step(Step::Sync)?;
        let (state, released) = &*self.disk.0;
        let mut state = released
            .wait_while(state.lock().unwrap(), |state| state.syncs_held)
            .unwrap();
        let contents = &mut state.files[self.file];
        contents.synced = contents.current.clone();
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.disk.step(Step::Truncate)?;
        self.real.truncate(length)?;
        let mut state = self.disk.state();
        state.files[self.file].current.truncate(length as usize);
        Ok(())
    }
}
