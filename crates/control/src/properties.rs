//! Between the store's form of properties and the catalogue's.

use std::collections::BTreeSet;

use selvedge_catalog::{Properties, PropertyChange, StoredProperties};
use selvedge_store::Credentials;
use serde_json::{Map, Value};

/// What is stored of a connection, as the catalogue asks for it: values, and names of credentials.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) plain: Properties,
    credential_names: BTreeSet<String>,
}

impl Held {
    pub(crate) fn new(properties: &Map<String, Value>, credentials: &Credentials) -> Self {
        Self {
            plain: properties
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            credential_names: credentials.names().map(str::to_owned).collect(),
        }
    }

    pub(crate) fn stored(&self) -> StoredProperties<'_> {
        StoredProperties {
            plain: &self.plain,
            credential_names: &self.credential_names,
        }
    }
}

/// Merges a change into stored values, key by key.
pub(crate) fn apply(
    change: PropertyChange,
    properties: &mut Map<String, Value>,
    credentials: &mut Credentials,
) {
    for name in &change.removed {
        properties.shift_remove(name);
        credentials.remove(name);
    }
    properties.extend(change.plain);
    for (name, value) in change.credentials.into_exposed() {
        credentials.set(name, value);
    }
}

/// Everything a connector gets: values and credentials in one.
pub(crate) fn all(properties: Map<String, Value>, credentials: &Credentials) -> Properties {
    let secrets = credentials
        .expose_all()
        .map(|(name, value)| (name.to_owned(), value.clone()));
    properties.into_iter().chain(secrets).collect()
}
