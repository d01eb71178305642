//! Packages of the Python package index, and which of them serve types of the catalogue.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A package in one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Named", into = "Named")]
pub struct Package {
    name: String,
    version: String,
}

/// A name or version that no index would take, and that would be dangerous in a path or on a command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPackageError {
    #[error("{0:?} is not the name of a Python package")]
    Name(String),
    #[error("{0:?} is not a version of a Python package")]
    Version(String),
}

#[derive(Serialize, Deserialize)]
struct Named {
    package: String,
    version: String,
}

impl From<Package> for Named {
    fn from(package: Package) -> Self {
        Self {
            package: package.name,
            version: package.version,
        }
    }
}

impl TryFrom<Named> for Package {
    type Error = BadPackageError;

    fn try_from(named: Named) -> Result<Self, BadPackageError> {
        Self::new(&named.package, &named.version)
    }
}

impl Package {
    /// The name is normalised: lower case, with single dashes.
    ///
    /// # Errors
    /// A name or version that is none.
    pub fn new(name: &str, version: &str) -> Result<Self, BadPackageError> {
        let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.ends_with(|last: char| last.is_ascii_alphanumeric())
            && name
                .chars()
                .all(|part| part.is_ascii_alphanumeric() || "-_.".contains(part));
        if !is_name {
            return Err(BadPackageError::Name(name.to_owned()));
        }
        let is_version = version.starts_with(|first: char| first.is_ascii_digit())
            && version
                .chars()
                .all(|part| part.is_ascii_alphanumeric() || "-_.!+".contains(part));
        if !is_version {
            return Err(BadPackageError::Version(version.to_owned()));
        }
        let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
        Ok(Self {
            name: parts.collect::<Vec<_>>().join("-").to_ascii_lowercase(),
            version: version.to_owned(),
        })
    }

    /// As indexes compare it, for example `tap-github`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    /// The package behind a type of the catalogue; `None` where no public package is known.
    pub fn of_type(type_name: &str) -> Option<&'static Self> {
        static KNOWN: LazyLock<BTreeMap<String, Package>> = LazyLock::new(|| {
            serde_json::from_str(include_str!("../data/packages.json"))
                .expect("the embedded list of packages cannot change after the build, and the tests load it")
        });
        KNOWN.get(type_name)
    }
}

/// `name==version`, as installers take it.
impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}=={}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use selvedge_catalog::Catalog;

    use super::*;

    #[test]
    fn names_are_compared_as_indexes_do() {
        let package = Package::new("Tap_Some.Thing", "1.0.0b9").unwrap();
        assert_eq!(package.to_string(), "tap-some-thing==1.0.0b9");
    }

    #[test]
    fn what_would_leave_the_directory_or_be_an_option_is_refused() {
        for (name, version) in [
            ("../tap", "1"),
            ("-r", "1"),
            ("tap/x", "1"),
            ("tap", "../1"),
            ("tap", "--pre"),
            ("tap x", "1"),
            ("tap", "1 ; os_name"),
            ("", "1"),
            ("tap", ""),
        ] {
            assert!(Package::new(name, version).is_err(), "{name} {version}");
        }
    }

    #[test]
    fn packages_belong_to_source_types_that_can_be_connected() {
        let with_package = Catalog::global()
            .source_types()
            .filter(|source| Package::of_type(source.name()).is_some())
            .inspect(|source| assert!(!source.is_stub(), "{}", source.name()))
            .count();
        assert_eq!(with_package, 163);
    }
}
