//! The whole catalogue: both lists of types, found by name.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::overlay::{self, Overlays};
use crate::{ConnectionKind, ConnectionType};

/// Every type that can be connected.
#[derive(Debug)]
pub struct Catalog {
    sources: TypeList,
    destinations: TypeList,
}

/// Why catalogue files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadCatalogError {
    #[error("{file} is not a valid catalogue file")]
    Json {
        file: &'static str,
        source: serde_json::Error,
    },
    /// An overlay entry that matches nothing, or a type that occurs twice.
    #[error("the catalogue contradicts itself: {0}")]
    Contradiction(String),
}

/// Types in the order they are listed in, with an index by name.
#[derive(Debug)]
struct TypeList {
    types: Vec<ConnectionType>,
    by_name: HashMap<String, usize>,
}

/// Why types could not be added to the catalogue of the process.
#[derive(Debug, thiserror::Error)]
pub enum InstallTypesError {
    #[error(transparent)]
    Types(#[from] LoadCatalogError),
    /// What was read before would not hold any more.
    #[error("the catalogue is in use already")]
    InUse,
}

static GLOBAL: OnceLock<Catalog> = OnceLock::new();

impl Catalog {
    /// The catalogue of the process: the embedded one, with what [`Catalog::install`] has added.
    pub fn global() -> &'static Self {
        GLOBAL.get_or_init(|| {
            Self::with(Vec::new()).expect(
                "the embedded catalogue is valid: it cannot change after the build, and the tests load it",
            )
        })
    }

    /// Adds the operator's source types to the catalogue of the process, before anybody reads it. Adding the same ones again
    /// changes nothing.
    ///
    /// # Errors
    /// A type occurs twice, or the catalogue has been read without these types.
    pub fn install(types: Vec<ConnectionType>) -> Result<(), InstallTypesError> {
        if let Some(catalog) = GLOBAL.get() {
            let known = |added: &ConnectionType| catalog.source_type(added.name()).is_some();
            return match types.iter().all(known) {
                true => Ok(()),
                false => Err(InstallTypesError::InUse),
            };
        }
        let catalog = Self::with(types)?;
        GLOBAL.set(catalog).map_err(|_| InstallTypesError::InUse)
    }

    /// The embedded catalogue with the operator's source types after all others.
    ///
    /// # Errors
    /// A type occurs twice.
    pub fn with(types: Vec<ConnectionType>) -> Result<Self, LoadCatalogError> {
        Self::load(
            include_str!("../data/source-types.json"),
            include_str!("../data/destination-types.json"),
            include_str!("../data/own-types.json"),
            types,
        )
    }

    /// Source types, stubs included: by name, the server's own last.
    pub fn source_types(&self) -> impl ExactSizeIterator<Item = &ConnectionType> {
        self.sources.types.iter()
    }

    /// Destination types: by name, the server's own last.
    pub fn destination_types(&self) -> impl ExactSizeIterator<Item = &ConnectionType> {
        self.destinations.types.iter()
    }

    /// The source type of that name, for example `platform.github`; a stub too.
    pub fn source_type(&self, name: &str) -> Option<&ConnectionType> {
        self.sources.find(name)
    }

    /// The destination type of that name, for example `postgres`.
    pub fn destination_type(&self, name: &str) -> Option<&ConnectionType> {
        self.destinations.find(name)
    }

    /// The server's own types: destinations, then sources.
    pub fn own_types(&self) -> impl Iterator<Item = &ConnectionType> {
        self.destination_types()
            .chain(self.source_types())
            .filter(|connection_type| connection_type.is_own())
    }

    fn load(
        sources: &str,
        destinations: &str,
        own: &str,
        of_operator: Vec<ConnectionType>,
    ) -> Result<Self, LoadCatalogError> {
        let types = |text, file| {
            serde_json::from_str::<Vec<ConnectionType>>(text)
                .map_err(|source| LoadCatalogError::Json { file, source })
        };
        let mut overlays: Overlays =
            serde_json::from_str(own).map_err(|source| LoadCatalogError::Json {
                file: "own-types.json",
                source,
            })?;
        overlays.sources.types.extend(of_operator);
        Ok(Self {
            sources: TypeList::new(overlay::apply(
                ConnectionKind::Source,
                types(sources, "source-types.json")?,
                overlays.sources,
            )?)?,
            destinations: TypeList::new(overlay::apply(
                ConnectionKind::Destination,
                types(destinations, "destination-types.json")?,
                overlays.destinations,
            )?)?,
        })
    }
}

impl TypeList {
    fn new(types: Vec<ConnectionType>) -> Result<Self, LoadCatalogError> {
        let mut by_name = HashMap::with_capacity(types.len());
        for (index, connection_type) in types.iter().enumerate() {
            let name = connection_type.name().to_owned();
            if by_name.insert(name, index).is_some() {
                return Err(LoadCatalogError::Contradiction(format!(
                    "the type {} occurs twice",
                    connection_type.name()
                )));
            }
        }
        Ok(Self { types, by_name })
    }

    fn find(&self, name: &str) -> Option<&ConnectionType> {
        self.by_name.get(name).map(|index| &self.types[*index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = r#"{"types": [], "fills": []}"#;

    fn load(sources: &str, source_overlay: &str) -> Result<Catalog, LoadCatalogError> {
        let own = format!(r#"{{"sources": {source_overlay}, "destinations": {EMPTY}}}"#);
        Catalog::load(sources, "[]", &own, Vec::new())
    }

    fn stub(name: &str) -> String {
        format!(
            r#"{{"type": "{name}", "display_name": "x", "category": "legacy", "status": "released", "details":
               {{"pricing_tier": "standard", "pipeline_state": "released", "protocol": "x", "access": true}}}}"#
        )
    }

    #[test]
    fn every_schema_compiles() {
        let catalog = Catalog::global();
        let mut compiled = 0;
        for connection_type in catalog.source_types().chain(catalog.destination_types()) {
            for property in connection_type.properties() {
                if let Err(error) = property.validator() {
                    panic!("{}.{}: {error}", connection_type.name(), property.name());
                }
                compiled += 1;
            }
        }
        assert!(
            compiled > 1_700,
            "only {compiled} properties were looked at"
        );
    }

    #[test]
    fn a_type_that_occurs_twice_is_refused() {
        let types = format!("[{0}, {0}]", stub("a"));
        assert!(matches!(
            load(&types, EMPTY),
            Err(LoadCatalogError::Contradiction(_))
        ));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let types = format!("[{}]", stub("a").replacen("display_name", "displayname", 1));
        assert!(matches!(
            load(&types, EMPTY),
            Err(LoadCatalogError::Json {
                file: "source-types.json",
                ..
            })
        ));
    }

    #[test]
    fn overlay_entries_that_match_nothing_are_refused() {
        for overlay in [
            r#"{"types": [], "fills": [], "offered": ["nope"]}"#,
            r#"{"types": [], "fills": [{"name": "nope", "value": "x"}]}"#,
            r#"{"types": [], "fills": [], "added_properties": [{"type": "nope", "step": "form", "property": {"name": "p"}}]}"#,
            r#"{"types": [], "fills": [], "added_properties": [{"type": "a", "step": "form", "property": {"name": "p"}}]}"#,
        ] {
            let types = format!("[{}]", stub("a"));
            assert!(
                matches!(
                    load(&types, overlay),
                    Err(LoadCatalogError::Contradiction(_))
                ),
                "{overlay} was accepted"
            );
        }
    }
}
