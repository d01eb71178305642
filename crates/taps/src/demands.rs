//! What the packages of the catalogue's types insist on in their configuration: `data/demands.json`.
//!
//! An entry names the version that the catalogue has, the keys without which the tap does not start (or fails at its first
//! request), and of which kind each is where that is not a text. `read` is the repository and commit whose source told it,
//! where that is not the package itself.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::Package;

/// The keys that one package needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Demands {
    version: String,
    read: Option<String>,
    /// Needed, each a text.
    text: Vec<String>,
    /// Needed, and of another kind.
    other: BTreeMap<String, Kind>,
    /// Texts that are needed by sources of a type only.
    by_type: BTreeMap<String, Vec<String>>,
    /// Not needed, but of this kind where they are there.
    optional: BTreeMap<String, Kind>,
}

/// What a tap takes a value for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Boolean,
    Integer,
    List,
    Object,
    /// It makes of it what it needs.
    Any,
}

impl Demands {
    /// What is known of a package.
    pub(crate) fn of_package(package: &Package) -> Option<&'static Self> {
        static KNOWN: LazyLock<BTreeMap<String, Demands>> = LazyLock::new(|| {
            serde_json::from_str(include_str!("../data/demands.json")).expect(
                "the embedded demands cannot change after the build, and the tests load them",
            )
        });
        KNOWN.get(package.name())
    }

    /// The keys that must be there for a source of the type.
    pub(crate) fn keys(&self, type_name: &str) -> impl Iterator<Item = &str> {
        let of_type = self.by_type.get(type_name).into_iter().flatten();
        let texts = self.text.iter().chain(of_type);
        texts.chain(self.other.keys()).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use selvedge_catalog::{Catalog, ConnectionType, OauthClients, Property};
    use selvedge_connector::ConnectionConfig;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::Mapping;

    /// Each type of the catalogue that a package serves.
    fn served() -> impl Iterator<Item = (&'static ConnectionType, &'static Package)> {
        let types = Catalog::global().source_types();
        types.filter_map(|source| Some((source, Package::of_type(source.name())?)))
    }

    fn demands(package: &Package) -> &'static Demands {
        Demands::of_package(package).unwrap_or_else(|| panic!("{package} has not been read"))
    }

    #[test]
    fn every_package_of_the_catalogue_was_read_in_the_version_that_is_installed() {
        let mut read = BTreeSet::new();
        for (_, package) in served() {
            assert_eq!(demands(package).version, package.version(), "{package}");
            read.insert(package.name());
        }
        let written: BTreeMap<String, Value> =
            serde_json::from_str(include_str!("../data/demands.json")).unwrap();
        let written: BTreeSet<&str> = written.keys().map(String::as_str).collect();
        assert_eq!(written, read);
        for (_, package) in served() {
            let Some(place) = &demands(package).read else {
                continue;
            };
            let (repository, commit) = place.split_once(' ').unwrap();
            assert!(repository.contains('/') && commit.len() == 7, "{place}");
        }
    }

    /// Values as callers of the API send them: a text, and a number where the schema takes one too.
    fn samples(property: &Property, wanted: Option<Kind>) -> Vec<Value> {
        let schema = property.json_schema().cloned().unwrap_or_default();
        let branches = match schema.get("anyOf").and_then(Value::as_array) {
            Some(branches) => branches.clone(),
            None => vec![schema],
        };
        let sample = |branch: &Value| match branch.get("type").and_then(Value::as_str) {
            Some("integer") => json!(30),
            Some("array") => json!([]),
            _ if branch.get("enum").is_some() => branch["enum"][0].clone(),
            _ => match (branch.get("pattern").and_then(Value::as_str), wanted) {
                (Some(pattern), _) if pattern.contains("true") => json!("true"),
                (Some(pattern), _) if pattern.contains("T00:00:00Z") => {
                    json!("2024-01-01T00:00:00Z")
                }
                (Some(_), _) | (None, Some(Kind::Integer)) => json!("30"),
                (None, Some(Kind::Object)) => json!("{}"),
                (None, Some(Kind::List)) => json!("[]"),
                (None, _) => json!("x"),
            },
        };
        branches.iter().map(sample).collect()
    }

    /// The configuration that a source gets of these properties.
    fn config(
        source: &ConnectionType,
        package: &Package,
        values: Map<String, Value>,
    ) -> Map<String, Value> {
        let mapping = Mapping::of_package(package).clone();
        let values = ConnectionConfig::new(values);
        let made = mapping.apply(source, &values, &OauthClients::default());
        let mut config = made.unwrap().config;
        config.insert("user_agent".to_owned(), json!("Selvedge"));
        config
    }

    #[test]
    fn no_key_that_a_tap_needs_is_without_a_source() {
        let (mut nowhere, mut optional) = (BTreeSet::new(), BTreeSet::new());
        for (source, package) in served() {
            let of = |required_only: bool| {
                let properties = source.properties();
                let wanted = properties.filter(|property| !required_only || property.is_required());
                let wanted = wanted.filter_map(|property| {
                    let kind = kind(source, package, property.name());
                    let sample = samples(property, kind).into_iter().next_back()?;
                    Some((property.name().to_owned(), sample))
                });
                config(source, package, wanted.collect())
            };
            let (least, most) = (of(true), of(false));
            for key in demands(package).keys(source.name()) {
                let name = (source.name(), key);
                if !most.contains_key(key) {
                    nowhere.insert(name);
                } else if !least.contains_key(key) {
                    optional.insert(name);
                }
            }
        }
        // Sources of these types are told what to set where.
        let told = [
            ("platform.linkedin-ads", "client_id"),
            ("platform.linkedin-ads", "client_secret"),
            ("platform.linkedin-ads", "refresh_token"),
            ("platform.ms-teams", "refresh_token"),
            ("platform.responsys", "private_key_file"),
        ];
        assert_eq!(nowhere, BTreeSet::from(told));
        // The API takes a source without these, its tap does not.
        let asked = [
            ("platform.azure", "database"),
            ("platform.ga360", "service_account_json"),
            ("platform.mssql", "database"),
        ];
        assert_eq!(optional, BTreeSet::from(asked));
    }

    /// The kind that a tap wants a property as; `None` for a text, or for what is not known.
    fn kind(source: &ConnectionType, package: &Package, property: &str) -> Option<Kind> {
        let demands = demands(package);
        let key = Mapping::of_package(package).key(property);
        assert!(source.property(property).is_some());
        demands
            .other
            .get(key)
            .or(demands.optional.get(key))
            .copied()
    }

    #[test]
    fn every_value_is_of_the_kind_that_its_tap_takes() {
        for (source, package) in served() {
            let demands = demands(package);
            let texts: BTreeSet<&str> = demands.keys(source.name()).collect();
            for property in source.properties() {
                let key = Mapping::of_package(package).key(property.name());
                let wanted = kind(source, package, property.name());
                if wanted.is_none() && !texts.contains(key) {
                    continue;
                }
                for sample in samples(property, wanted) {
                    let values = [(property.name().to_owned(), sample.clone())];
                    let made = config(source, package, values.into_iter().collect());
                    let Some(value) = made.get(key) else {
                        panic!("{}: {key} of {sample}", source.name());
                    };
                    let fits = match wanted {
                        None => value.is_string(),
                        Some(Kind::Boolean) => value.is_boolean(),
                        Some(Kind::Integer) => value.is_i64(),
                        Some(Kind::List) => value.is_array(),
                        Some(Kind::Object) => value.is_object(),
                        Some(Kind::Any) => true,
                    };
                    assert!(fits, "{}: {key} is {value}", source.name());
                }
            }
            for (key, kind) in &demands.other {
                let made = config(source, package, Map::new());
                if let Some(value) = made.get(key) {
                    assert!(*kind != Kind::List || value.is_array(), "{package}: {key}");
                }
            }
        }
    }
}
