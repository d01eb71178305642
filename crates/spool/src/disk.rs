//! The one door through which durable bytes go, so that tests can break it at every step. Reading does not go through it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// Operations that change what is on the disk.
pub trait Disk: Send + Sync {
    /// An empty file in place of whatever had the name. Lasts after [`Disk::sync_directory`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// An existing file, to be changed.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Takes the place of `to` at once. Lasts after [`Disk::sync_directory`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Lasts after [`Disk::sync_directory`].
    fn remove(&self, path: &Path) -> io::Result<()>;

    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Bytes that may still be written in the file system of `path`.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
}

/// A file that is written.
pub trait DiskFile: Send {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Returns when content and size are durable.
    fn sync(&mut self) -> io::Result<()>;

    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalDisk;

impl LocalDisk {
    pub fn shared() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

impl Disk for LocalDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        Ok(Box::new(LocalFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(LocalFile(
            OpenOptions::new().write(true).open(path)?,
        )))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        let status = rustix::fs::statvfs(path)?;
        Ok(status.f_bavail.saturating_mul(status.f_frsize))
    }
}

struct LocalFile(File);

impl DiskFile for LocalFile {
    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
}
