//! The private directory of one run of a tap: its files, its home, its temporary files. Nothing of it outlives the run,
//! and what a crash of the server left behind goes when the next one starts.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, lchown,
};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::process::sweep;
use crate::user::TapUser;

const PREFIX: &str = "run-";
const LOCK: &str = ".lock";

/// A directory that only the server's user enters (0700). It is locked as long as the run is alive, so that nobody takes
/// it for a dead one's; the lock lies beside it, because the tap may do in the directory what it wants.
#[derive(Debug)]
pub(crate) struct RunDirectory {
    path: PathBuf,
    lock: PathBuf,
    removed: bool,
    _held: File,
}

impl RunDirectory {
    /// Makes `parent` too if it is missing. For taps of another user, that can be passed through, and not listed.
    pub(crate) fn make(parent: &Path, user: Option<TapUser>) -> io::Result<Self> {
        private().recursive(true).create(parent)?;
        if user.is_some() {
            fs::set_permissions(parent, Permissions::from_mode(0o711))?;
        }
        let parent = parent.canonicalize()?;
        loop {
            let name = format!("{PREFIX}{}", uuid::Uuid::new_v4().simple());
            let lock = parent.join(format!("{name}{LOCK}"));
            let Some(held) = take_lock(&lock)? else {
                continue;
            };
            let run = Self {
                path: parent.join(name),
                lock,
                removed: false,
                _held: held,
            };
            private().create(&run.path)?;
            private().create(run.home())?;
            private().create(run.temporary())?;
            return Ok(run);
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Writes a file that only the server's user reads (0600), and returns where it is.
    pub(crate) fn write(&self, name: &str, content: &impl Serialize) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(&serde_json::to_vec(content)?)?;
        Ok(path)
    }

    /// Gives what is there to a user. The directory comes last: until then nobody of that user can put anything in it.
    pub(crate) fn give_to(&self, user: TapUser) -> io::Result<()> {
        let give = |path: &Path| lchown(path, Some(user.uid), Some(user.gid));
        for entry in fs::read_dir(&self.path)? {
            give(&entry?.path())?;
        }
        give(&self.path)
    }

    /// Removes it with all that the tap left in it.
    pub(crate) fn remove(mut self) -> io::Result<()> {
        self.removed = true;
        remove(&self.path, &self.lock)
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        if !self.removed
            && let Err(error) = remove(&self.path, &self.lock)
        {
            tracing::error!(%error, directory = %self.path.display(), "the directory of a tap could not be removed");
        }
    }
}

/// Ends what is left of runs whose server has died without a word, and removes their directories with the credentials
/// in them. Returns how many there were. To be called when a server starts; runs of others that are alive are left alone.
///
/// # Errors
/// A directory that cannot be read or removed. The others are gone nevertheless.
pub fn sweep_runs(parent: &Path) -> io::Result<usize> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let parent = parent.canonicalize()?;
    let mut swept = 0;
    let mut outcome = Ok(());
    for entry in entries {
        let name = entry?.file_name();
        // A directory without a lock is left from a removal that was interrupted; its lock would be made here.
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        let name = name.strip_suffix(LOCK).unwrap_or(name);
        let (path, lock) = (parent.join(name), parent.join(format!("{name}{LOCK}")));
        if !path.exists() && !lock.exists() {
            // Swept with the other one of the two.
            continue;
        }
        let one = take_lock(&lock).and_then(|held| {
            if held.is_some() {
                sweep::kill_marked(path.as_os_str());
                remove(&path, &lock)?;
                swept += 1;
            }
            Ok(())
        });
        outcome = outcome.and(one);
    }
    outcome.map(|()| swept)
}

/// `None` when somebody else holds the lock, or removed it just now.
fn take_lock(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    // It may have been removed between opening and locking: then it locks nothing.
    let same = fs::metadata(path)
        .is_ok_and(|there| file.metadata().is_ok_and(|held| held.ino() == there.ino()));
    Ok(same.then_some(file))
}

/// The directory first: whoever finds a lock without one has nothing to lose.
fn remove(path: &Path, lock: &Path) -> io::Result<()> {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        // A tap may leave directories that not even their owner may write in.
        open_up(path)?;
        fs::remove_dir_all(path)?;
    }
    fs::remove_file(lock)
}

fn open_up(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // Does not follow links.
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

fn private() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// What marks the processes of a run, among their environment variables.
pub(crate) const MARKER: &str = "SELVEDGE_TAP_RUN";

/// `MARKER=path`.
pub(crate) fn marker(path: &OsStr) -> Vec<u8> {
    let mut marker = format!("{MARKER}=").into_bytes();
    marker.extend_from_slice(path.as_encoded_bytes());
    marker
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_private_and_go_with_the_run() {
        let parent = tempfile::tempdir().unwrap();
        let run = RunDirectory::make(parent.path(), None).unwrap();
        let config = run.write("config.json", &json!({"a": 1})).unwrap();
        assert_eq!(mode(&config), 0o600);
        for directory in [run.path(), &run.home(), &run.temporary()] {
            assert_eq!(mode(directory), 0o700);
        }
        assert_eq!(fs::read_to_string(&config).unwrap(), r#"{"a":1}"#);
        let nested = run.home().join("a/b");
        fs::create_dir_all(&nested).unwrap();
        fs::set_permissions(&nested, Permissions::from_mode(0o000)).unwrap();
        run.remove().unwrap();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_runs_of_the_dead_are_swept() {
        let parent = tempfile::tempdir().unwrap();
        let alive = RunDirectory::make(parent.path(), None).unwrap();
        let dead = parent.path().join("run-0");
        fs::create_dir_all(dead.join("home")).unwrap();
        fs::write(parent.path().join("run-0.lock"), "").unwrap();
        fs::write(parent.path().join("run-1.lock"), "").unwrap();
        fs::create_dir_all(parent.path().join("run-2")).unwrap();
        fs::write(parent.path().join("other"), "").unwrap();
        assert_eq!(sweep_runs(parent.path()).unwrap(), 3);
        assert!(alive.path().exists() && !dead.exists());
        // The run that is alive, its lock, and what is not ours.
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 3);
        assert_eq!(sweep_runs(&parent.path().join("missing")).unwrap(), 0);
    }
}
