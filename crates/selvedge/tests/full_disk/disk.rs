//! A small file system that `cargo xtask soak --full-disk` has mounted.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Names the folder that the file systems are mounted in.
const VARIABLE: &str = "SELVEDGE_FULL_DISK";
const FILLER: &str = "filler";

pub(crate) struct Disk {
    root: PathBuf,
    data: PathBuf,
}

impl Disk {
    /// # Panics
    /// When the file systems are not there.
    pub(crate) fn mounted(name: &str) -> Self {
        let folder = std::env::var_os(VARIABLE).unwrap_or_else(|| {
            panic!("{VARIABLE} is not set: run this with `cargo xtask soak --full-disk`")
        });
        let root = Path::new(&folder).join(name);
        let data = root.join("data");
        std::fs::create_dir(&data).expect("the file system is fresh");
        Self { root, data }
    }

    /// A folder on the disk, for whatever is tested.
    pub(crate) fn path(&self) -> &Path {
        &self.data
    }

    /// Takes all room but `left` bytes.
    pub(crate) fn fill(&self, left: u64) {
        let mut filler = File::create(self.root.join(FILLER)).unwrap();
        for piece in [1 << 16, 1 << 12, 1] {
            let zeros = vec![0; piece];
            loop {
                match filler.write_all(&zeros) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("the disk could not be filled: {error}"),
                }
            }
        }
        let length = filler.metadata().unwrap().len();
        filler.set_len(length.saturating_sub(left)).unwrap();
    }

    /// Gives the room back.
    pub(crate) fn free(&self) {
        let options = OpenOptions::new().write(true).truncate(true).clone();
        options.open(self.root.join(FILLER)).unwrap();
    }
}
