//! The way that a user has to a program: every directory to it, the program itself, and what reads it if it is a script.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::TapUser;

/// Links that are followed, and scripts that are read by others.
const MAX_LINKS: usize = 40;
const MAX_READERS: usize = 4;
/// Bytes of a script's first line that the kernel looks at.
const FIRST_LINE: u64 = 256;

/// Why a user cannot start a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
    #[error("cannot enter {}, which leads to {}", .closed.display(), .wanted.display())]
    Directory { closed: PathBuf, wanted: PathBuf },
    #[error("may not start {}", .0.display())]
    Program(PathBuf),
}

impl TapUser {
    /// What keeps the user from starting a program, as far as the rights of files tell. Looked at as this process's own user, who
    /// has to see the way.
    pub fn barred_from(&self, program: &Path) -> Option<Barred> {
        let mut program = program.to_owned();
        for _ in 0..MAX_READERS {
            let file = match self.way(&program) {
                Ok(file) => file?,
                Err(closed) => {
                    let wanted = program;
                    return Some(Barred::Directory { closed, wanted });
                }
            };
            let metadata = file.metadata().ok()?;
            if !self.has(&metadata, 0o1) {
                return Some(Barred::Program(program));
            }
            program = reader(&file)?;
        }
        None
    }

    /// The file that a path leads to, links followed; `None` if it is not there. Else the first directory that is closed to the user.
    fn way(&self, path: &Path) -> Result<Option<PathBuf>, PathBuf> {
        let names = |path: &Path| -> Vec<OsString> {
            path.components()
                .map(|part| part.as_os_str().to_owned())
                .collect()
        };
        let mut ahead: VecDeque<OsString> = names(path).into();
        let mut here = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            match Path::new(&name).components().next() {
                Some(Component::Normal(name)) => {
                    match here.metadata() {
                        Ok(metadata) if !self.has(&metadata, 0o1) => return Err(here),
                        Ok(_) => {}
                        Err(_) => return Ok(None),
                    }
                    match here.join(name).read_link() {
                        Ok(target) if links < MAX_LINKS => {
                            links += 1;
                            for name in names(&target).into_iter().rev() {
                                ahead.push_front(name);
                            }
                        }
                        Ok(_) => return Ok(None),
                        Err(_) => here.push(name),
                    }
                }
                Some(Component::ParentDir) => {
                    here.pop();
                }
                Some(Component::RootDir) => here = PathBuf::from("/"),
                _ => {}
            }
        }
        Ok(here.exists().then_some(here))
    }

    /// Whether the user has a right, given as that of all others (4 to read, 2 to write, 1 to enter or start).
    pub(super) fn has(&self, metadata: &Metadata, right: u32) -> bool {
        // As the kernel looks: only the first of the three that fits counts.
        let shift = match (metadata.uid() == self.uid, metadata.gid() == self.gid) {
            (true, _) => 6,
            (false, true) => 3,
            (false, false) => 0,
        };
        metadata.mode() & (right << shift) != 0
    }
}

/// The program that reads a script, as its first line says.
fn reader(script: &Path) -> Option<PathBuf> {
    let mut beginning = Vec::new();
    let file = File::open(script).ok()?;
    file.take(FIRST_LINE).read_to_end(&mut beginning).ok()?;
    let line = beginning.strip_prefix(b"#!")?.split(|byte| *byte == b'\n');
    let line = line.into_iter().next()?.trim_ascii();
    let program = line.split(|byte| matches!(byte, b' ' | b'\t')).next()?;
    (!program.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(program)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    const NOBODY_HERE: TapUser = TapUser {
        uid: 54_321,
        gid: 54_321,
    };

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_bars_the_way_is_found_behind_links_and_first_lines() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let [closed, open] = ["closed", "open"].map(|name| root.join(name));
        for directory in [&closed, &open] {
            fs::create_dir(directory).unwrap();
            mode(directory, 0o755);
        }
        mode(&root, 0o755);
        let python = closed.join("python3.11");
        fs::write(&python, "\u{7f}ELF").unwrap();
        mode(&python, 0o755);
        let link = open.join("python");
        symlink("../closed/python3.11", &link).unwrap();
        let tap = open.join("tap-tiny");
        fs::write(&tap, format!("#! {} -s\nimport tap\n", link.display())).unwrap();
        mode(&tap, 0o755);
        assert_eq!(NOBODY_HERE.barred_from(&tap), None);

        mode(&closed, 0o700);
        let barred = NOBODY_HERE.barred_from(&tap).unwrap();
        assert_eq!(
            barred.to_string(),
            format!(
                "cannot enter {}, which leads to {}",
                closed.display(),
                link.display()
            )
        );
        mode(&closed, 0o711);
        mode(&python, 0o750);
        assert_eq!(NOBODY_HERE.barred_from(&tap), Some(Barred::Program(link)));
        mode(&python, 0o755);
        mode(&tap, 0o644);
        assert_eq!(NOBODY_HERE.barred_from(&tap), Some(Barred::Program(tap)));
    }

    #[test]
    fn a_program_that_is_not_there_is_barred_by_nothing() {
        assert_eq!(NOBODY_HERE.barred_from(Path::new("/no/such/program")), None);
        let root = tempfile::tempdir().unwrap();
        let endless = root.path().join("endless");
        symlink(&endless, &endless).unwrap();
        mode(root.path(), 0o755);
        assert_eq!(NOBODY_HERE.barred_from(&endless), None);
    }
}
