//! Where PostgreSQL's server programs are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with `postgres`, `initdb` and usually `psql`.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Looks in `PATH`, then where Debian puts versions side by side (the newest), then asks `pg_config`.
    pub(crate) fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain(versions(Path::new("/usr/lib/postgresql")))
            .chain(asked())
            .find(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file())
            .map(|folder| Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program of this installation.
    pub(crate) fn command(&self, name: &str) -> Command {
        let beside = self.folder.join(name);
        // Clients may be packaged elsewhere.
        Command::new(if beside.is_file() {
            beside
        } else {
            name.into()
        })
    }
}

/// `<root>/<major version>/bin`, newest first.
fn versions(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<u32> = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    versions.sort_unstable_by(|left, right| right.cmp(left));
    versions
        .into_iter()
        .map(|version| root.join(version.to_string()).join("bin"))
        .collect()
}

fn asked() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(folder.trim())).filter(|folder| folder.is_absolute())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::versions;

    #[test]
    fn the_newest_version_comes_first_by_number() {
        let root = tempfile::tempdir().unwrap();
        for name in ["9", "15", "16", "common"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        let found: Vec<_> = versions(root.path())
            .into_iter()
            .map(|folder| folder.strip_prefix(root.path()).unwrap().to_owned())
            .collect();
        assert_eq!(found, ["16/bin", "15/bin", "9/bin"].map(PathBuf::from));
    }
}
