//! What only documentation knows, embedded as `data/reference.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::ConnectionKind;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Documented {
    /// The listed connections in their order.
    pub(super) connections: Vec<Row>,
    /// Objects that no listed connection points to.
    pub(super) unlisted: Vec<Row>,
    /// Facts that differ from the type's own, by type and property.
    documented: BTreeMap<String, BTreeMap<String, BTreeSet<Fact>>>,
    /// One sentence per property name, or per `type.name` where a type means something else.
    descriptions: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) connection_type: ConnectionKind,
    /// Absent: unsupported.
    #[serde(default)]
    pub(super) property: Option<String>,
    /// The type behind an unsupported connection.
    #[serde(default)]
    pub(super) known_as: Option<String>,
}

/// What documentation says of a property and its type does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fact {
    /// For internal use: nothing to send.
    Internal,
    /// Called required, although a connection is complete without it.
    Required,
}

static EMBEDDED: LazyLock<Documented> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/reference.json")).expect(
        "the embedded file is valid: it cannot change after the build, and the tests load it",
    )
});

impl Documented {
    pub(super) fn global() -> &'static Self {
        &EMBEDDED
    }

    pub(super) fn says(&self, type_name: &str, property: &str, fact: Fact) -> bool {
        self.documented
            .get(type_name)
            .and_then(|properties| properties.get(property))
            .is_some_and(|facts| facts.contains(&fact))
    }

    pub(super) fn description(&self, type_name: &str, property: &str) -> Option<&str> {
        self.descriptions
            .get(&format!("{type_name}.{property}"))
            .or_else(|| self.descriptions.get(property))
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalog;

    #[test]
    fn every_fact_and_description_is_about_a_property_that_exists() {
        let catalog = Catalog::global();
        let documented = Documented::global();
        for (type_name, properties) in &documented.documented {
            let connection_type = catalog
                .source_type(type_name)
                .or_else(|| catalog.destination_type(type_name))
                .unwrap_or_else(|| panic!("no type {type_name}"));
            for name in properties.keys() {
                assert!(
                    connection_type.property(name).is_some(),
                    "{type_name}.{name}"
                );
            }
        }
        let names: BTreeSet<String> = catalog
            .source_types()
            .chain(catalog.destination_types())
            .flat_map(|connection_type| {
                connection_type.properties().flat_map(|property| {
                    [
                        property.name().to_owned(),
                        format!("{}.{}", connection_type.name(), property.name()),
                    ]
                })
            })
            .collect();
        for name in documented.descriptions.keys() {
            assert!(names.contains(name), "{name}");
        }
    }
}
