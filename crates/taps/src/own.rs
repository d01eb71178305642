//! Source types that the operator adds: files with types in the shape of the catalogue, each with the program behind it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use selvedge_catalog::{BadTypeError, ConnectionType};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Command, Mapping, MappingError, Package};

/// Types of the operator, and what serves them.
#[derive(Clone, Debug, Default)]
pub struct OwnTypes {
    taps: BTreeMap<String, OwnTap>,
}

#[derive(Clone, Debug)]
pub(crate) struct OwnTap {
    pub(crate) program: OwnProgram,
    pub(crate) mapping: Mapping,
}

/// `tap` of a type: a package of the index, or a command.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OwnProgram {
    Command(Command),
    Package(Package),
}

/// Why a file of types cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OwnTypesError {
    #[error("{} could not be read", .path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is no list of source types in JSON", .path.display())]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("{}", .path.display())]
    Type { path: PathBuf, source: BadTypeError },
    #[error("{}", .path.display())]
    Mapping { path: PathBuf, source: MappingError },
    #[error(
        "{}: the tap of {type_name} must be {{\"package\": …, \"version\": …}} or {{\"command\": [\"/path\", …]}}",
        .path.display()
    )]
    Tap { path: PathBuf, type_name: String },
    #[error("{}: the mapping of {type_name} is not as it must be: {problem}", .path.display())]
    BadMapping {
        path: PathBuf,
        type_name: String,
        problem: String,
    },
}

impl OwnTypes {
    /// Reads files; gives the types for the catalogue, and what serves them.
    ///
    /// # Errors
    /// A file cannot be read, or a type in it cannot be used.
    pub fn read(files: &[PathBuf]) -> Result<(Vec<ConnectionType>, Self), OwnTypesError> {
        let mut types = Vec::new();
        let mut own = Self::default();
        for path in files {
            let text = std::fs::read_to_string(path).map_err(|source| OwnTypesError::Read {
                path: path.clone(),
                source,
            })?;
            let written: Vec<Map<String, Value>> =
                serde_json::from_str(&text).map_err(|source| OwnTypesError::Json {
                    path: path.clone(),
                    source,
                })?;
            for entry in written {
                types.push(own.add(path, entry)?);
            }
        }
        Ok((types, own))
    }

    pub(crate) fn tap(&self, type_name: &str) -> Option<&OwnTap> {
        self.taps.get(type_name)
    }

    /// Names of the types.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.taps.keys().map(String::as_str)
    }

    fn add(
        &mut self,
        path: &Path,
        mut entry: Map<String, Value>,
    ) -> Result<ConnectionType, OwnTypesError> {
        let path = path.to_owned();
        let tap = entry.remove("tap").unwrap_or_default();
        let mapping = entry.remove("mapping");
        let source = ConnectionType::of_operator(Value::Object(entry)).map_err(|source| {
            OwnTypesError::Type {
                path: path.clone(),
                source,
            }
        })?;
        let type_name = source.name().to_owned();
        let Ok(program) = serde_json::from_value::<OwnProgram>(tap) else {
            return Err(OwnTypesError::Tap { path, type_name });
        };
        let mapping: Option<Mapping> =
            mapping
                .map(serde_json::from_value)
                .transpose()
                .map_err(|error| OwnTypesError::BadMapping {
                    path: path.clone(),
                    type_name: type_name.clone(),
                    problem: error.to_string(),
                })?;
        let mapping = mapping.unwrap_or_default();
        mapping
            .check(&source)
            .map_err(|source| OwnTypesError::Mapping { path, source })?;
        self.taps.insert(type_name, OwnTap { program, mapping });
        Ok(source)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(types: &Value) -> Result<(Vec<ConnectionType>, OwnTypes), OwnTypesError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("types.json");
        std::fs::write(&path, types.to_string()).unwrap();
        OwnTypes::read(&[path])
    }

    fn crm(tap: &Value, mapping: &Value) -> Value {
        json!([{
            "type": "platform.our-crm", "display_name": "Our CRM",
            "properties": [{"name": "token", "is_credential": true}],
            "tap": tap, "mapping": mapping
        }])
    }

    /// The error with everything behind it.
    fn refused(types: &Value) -> String {
        let mut error: &dyn std::error::Error = &read(types).unwrap_err();
        let mut said = error.to_string();
        while let Some(source) = error.source() {
            error = source;
            said = format!("{said}: {error}");
        }
        said
    }

    #[test]
    fn a_type_is_served_by_a_package_or_a_command() {
        let (types, own) = read(&crm(
            &json!({"package": "tap-crm", "version": "1.2"}),
            &json!({}),
        ))
        .unwrap();
        assert_eq!(types[0].name(), "platform.our-crm");
        let tap = own.tap("platform.our-crm").unwrap();
        assert!(
            matches!(&tap.program, OwnProgram::Package(package) if package.to_string() == "tap-crm==1.2")
        );
        let (_, own) = read(&crm(
            &json!({"command": ["/opt/tap-crm", "--verbose"], "properties": true}),
            &json!({"rename": {"token": "key"}}),
        ))
        .unwrap();
        let tap = own.tap("platform.our-crm").unwrap();
        assert!(matches!(&tap.program, OwnProgram::Command(command) if command.takes_properties()));
    }

    #[test]
    fn a_type_that_cannot_be_served_is_refused_with_file_and_name() {
        for (tap, mapping, named) in [
            (json!(null), json!({}), "must be {\"package\""),
            (json!({"command": []}), json!({}), "must be {\"package\""),
            (
                json!({"package": "../x", "version": "1"}),
                json!({}),
                "must be {\"package\"",
            ),
            (
                json!({"command": ["/x"]}),
                json!({"rename": {"key": "k"}}),
                "names the property \"key\"",
            ),
            (
                json!({"command": ["/x"]}),
                json!({"renamed": {}}),
                "renamed",
            ),
        ] {
            let said = refused(&crm(&tap, &mapping));
            assert!(
                said.contains("types.json")
                    && said.contains("platform.our-crm")
                    && said.contains(named),
                "{said}"
            );
        }
        let said = refused(&json!({"type": "platform.x"}));
        assert!(said.contains("no list"), "{said}");
    }
}
