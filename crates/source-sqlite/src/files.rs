//! Which files may be read at all.
//!
//! The path comes from a tenant and the process belongs to the operator, so the answer is decided on the canonical path,
//! with every symbolic link resolved, and says nothing about files outside the allowed directories, not even whether
//! they exist.

use std::path::{Component, Path, PathBuf};

use selvedge_connector::{ConnectorError, ErrorKind};

/// The operator's rule for SQLite files.
#[derive(Clone, Debug, Default)]
pub struct SourceFiles {
    /// Files in these directories, and in directories below them, may be read.
    pub allowed_directories: Vec<PathBuf>,
    /// Never read from here, even where an allowed directory contains it: the server's own data directory.
    pub forbidden: Vec<PathBuf>,
}

impl SourceFiles {
    /// The canonical path of `path`, if it is an existing file that may be read.
    pub(crate) fn resolve(&self, path: &Path) -> Result<PathBuf, ConnectorError> {
        if !path.is_absolute()
            || path
                .components()
                .any(|component| component == Component::ParentDir)
        {
            return Err(ConnectorError::configuration(
                "the property path must be an absolute path without ..",
            ));
        }
        let (canonical, complete) = canonical_prefix(path)?;
        let within = |directory: &PathBuf| {
            directory
                .canonicalize()
                .is_ok_and(|directory| canonical.starts_with(directory))
        };
        if !self.allowed_directories.iter().any(within) || self.forbidden.iter().any(within) {
            return Err(ConnectorError::new(
                ErrorKind::Permission,
                format!(
                    "{} is outside the directories that SQLite files may be read from: move the file into one of them, \
                     or ask the operator to allow its directory",
                    path.display()
                ),
            ));
        }
        if !complete {
            return Err(ConnectorError::configuration(format!(
                "there is no file {}: check the property path",
                path.display()
            )));
        }
        if !canonical.is_file() {
            return Err(ConnectorError::configuration(format!(
                "{} is not a file: the property path must name a SQLite database file",
                path.display()
            )));
        }
        Ok(canonical)
    }
}

/// The deepest part of `path` that exists, resolved, and whether that is all of it.
fn canonical_prefix(path: &Path) -> Result<(PathBuf, bool), ConnectorError> {
    for (depth, ancestor) in path.ancestors().enumerate() {
        if let Ok(canonical) = ancestor.canonicalize() {
            return Ok((canonical, depth == 0));
        }
    }
    Err(ConnectorError::configuration(
        "the property path must be an absolute path without ..",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allowed: &Path, forbidden: &Path) -> SourceFiles {
        SourceFiles {
            allowed_directories: vec![allowed.to_owned()],
            forbidden: vec![forbidden.to_owned()],
        }
    }

    #[test]
    fn only_files_inside_an_allowed_directory_are_read() {
        let root = tempfile::tempdir().unwrap();
        let allowed = root.path().join("allowed");
        let data = allowed.join("data");
        std::fs::create_dir_all(&data).unwrap();
        for file in ["outside.db", "allowed/in.db", "allowed/data/control.db"] {
            std::fs::write(root.path().join(file), b"").unwrap();
        }
        let files = guard(&allowed, &data);
        assert!(files.resolve(&allowed.join("in.db")).is_ok());
        for (path, kind) in [
            (root.path().join("outside.db"), ErrorKind::Permission),
            (data.join("control.db"), ErrorKind::Permission),
            (allowed.join("missing.db"), ErrorKind::Configuration),
            (allowed.join("../allowed/in.db"), ErrorKind::Configuration),
            (PathBuf::from("in.db"), ErrorKind::Configuration),
            (allowed.clone(), ErrorKind::Configuration),
        ] {
            assert_eq!(files.resolve(&path).unwrap_err().kind, kind, "{path:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_followed_before_the_rule_is_applied() {
        let root = tempfile::tempdir().unwrap();
        let (allowed, secret) = (root.path().join("allowed"), root.path().join("secret"));
        std::fs::create_dir_all(&allowed).unwrap();
        std::fs::create_dir_all(&secret).unwrap();
        std::fs::write(secret.join("there.db"), b"").unwrap();
        std::os::unix::fs::symlink(&secret, allowed.join("link")).unwrap();
        let files = guard(&allowed, &root.path().join("data"));
        let there = files.resolve(&allowed.join("link/there.db")).unwrap_err();
        let missing = files.resolve(&allowed.join("link/other.db")).unwrap_err();
        assert_eq!(there.kind, ErrorKind::Permission);
        assert_eq!(missing.kind, ErrorKind::Permission, "existence is told");
    }

    #[test]
    fn without_allowed_directories_nothing_is_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = SourceFiles::default().resolve(file.path()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Permission);
    }
}
