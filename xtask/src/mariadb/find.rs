//! Where MariaDB's server programs are.

use std::path::{Path, PathBuf};

/// The server, and what makes its data directory.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) server: PathBuf,
    pub(crate) install_db: PathBuf,
}

impl Programs {
    /// Looks in `PATH`, then where distributions put what only root is meant to start.
    pub(crate) fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.extend(["/usr/sbin", "/usr/libexec"].map(PathBuf::from));
        Some(Self {
            server: program(&folders, "mariadbd")?,
            install_db: program(&folders, "mariadb-install-db")?,
        })
    }
}

fn program(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    let candidates = folders.iter().map(|folder| Path::join(folder, name));
    candidates.into_iter().find(|program| program.is_file())
}
