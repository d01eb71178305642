//! Locks of tested taps: everything that goes into an environment, with hashes. Format: `locks/README.md`.

use crate::Package;

/// What a tested tap consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    text: &'static str,
}

macro_rules! locks {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../locks/", $name, ".txt")))),*]
    };
}

const LOCKS: &[(&str, &str)] = locks![
    "meltanolabs-tap-postgres",
    "pipelinewise-tap-postgres",
    "tap-github",
    "tap-jsonl",
    "tap-mysql",
    "tap-rest-api",
];

impl Lock {
    /// The lock of a package, if it is tested in this version.
    pub fn of(package: &Package) -> Option<Self> {
        let (_, text) = LOCKS.iter().find(|(name, _)| *name == package.name())?;
        let lock = Self { text };
        lock.pins(package).then_some(lock)
    }

    /// The requirements with their hashes, as installers read them.
    pub fn text(&self) -> &'static str {
        self.text
    }

    fn pins(self, package: &Package) -> bool {
        let pin = package.to_string();
        self.text
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .any(|requirement| requirement == pin)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_lock_file_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locks");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let embedded: BTreeSet<String> = LOCKS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(files, embedded);
    }

    #[test]
    fn every_line_is_pinned_and_hashed() {
        for (name, text) in LOCKS {
            let requirements: Vec<&str> = text
                .lines()
                .filter(|line| line.starts_with(|first: char| first.is_ascii_alphanumeric()))
                .collect();
            assert!(!requirements.is_empty(), "{name} is empty");
            for requirement in requirements {
                assert!(requirement.contains("=="), "{name}: {requirement}");
                assert!(
                    requirement.ends_with('\\'),
                    "{name}: {requirement} has no hash"
                );
            }
        }
    }

    #[test]
    fn another_version_has_no_lock() {
        for (name, _) in LOCKS {
            let package = Package::new(name, "0.0.0.dev0").unwrap();
            assert_eq!(Lock::of(&package), None, "{name}");
        }
    }
}
