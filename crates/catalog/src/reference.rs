//! The connection property reference: every connection, and the properties that its requests take.
//!
//! It is computed from the types that judge requests, so it cannot say anything else than they do. What only
//! documentation knows (names and versions of connections, which properties are for internal use) comes from
//! `data/reference.json` beside them. The model is plain data for pages, files and programs; its serialised form is
//! the array that [`Reference::entries`] gives.

mod accepted;
mod documented;
mod example;
mod object;
mod property;
mod sample;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::{Catalog, ConnectionKind, ConnectionType, Runs};
use documented::{Documented, Row};
pub use object::{Availability, ConnectionObject};
pub use property::{NestedProperty, ReferenceProperty};
pub use sample::SampleRequest;

/// Everything that can be said about connections, for one server.
#[derive(Debug)]
pub struct Reference {
    connections: Vec<Connection>,
    objects: Vec<ConnectionObject>,
    by_property: HashMap<&'static str, usize>,
}

/// One row: a product that people look for, and the object that connects to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Connection {
    pub display_name: &'static str,
    /// Version of the connection, for example `2` or `15-10-2015`.
    pub version: &'static str,
    pub connection_type: ConnectionKind,
    /// The connection property: the name of its object, and the `type` in requests. `None`: unsupported.
    pub property: Option<&'static str>,
    /// What runs it on this server.
    pub runs: Runs,
    /// One of the documented connections; the others are what this server knows beyond them.
    pub listed: bool,
}

/// A row with its object, as programs get it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry<'a> {
    #[serde(flatten)]
    pub connection: &'a Connection,
    /// Null where the connection is unsupported.
    pub object: Option<&'a ConnectionObject>,
}

impl Reference {
    /// The reference of a server; `runs` says what runs a type on it.
    pub fn new(catalog: &'static Catalog, runs: impl Fn(&ConnectionType) -> Runs) -> Self {
        let documented = Documented::global();
        let find = |kind, name: &str| match kind {
            ConnectionKind::Source => catalog.source_type(name),
            ConnectionKind::Destination => catalog.destination_type(name),
        };
        let row = |row: &'static Row, listed| {
            let behind = row.property.as_deref().or(row.known_as.as_deref());
            let behind = behind.and_then(|name| find(row.connection_type, name));
            Connection {
                display_name: &row.name,
                version: &row.version,
                connection_type: row.connection_type,
                property: row.property.as_deref(),
                runs: behind.map_or(Runs::NotYet, &runs),
                listed,
            }
        };
        let own = |connection_type: &'static ConnectionType| Connection {
            display_name: connection_type.display_name(),
            version: "1",
            connection_type: connection_type.kind(),
            property: Some(connection_type.name()),
            runs: runs(connection_type),
            listed: false,
        };
        let mut connections: Vec<Connection> = documented
            .connections
            .iter()
            .map(|connection| row(connection, true))
            .chain(
                documented
                    .unlisted
                    .iter()
                    .map(|connection| row(connection, false)),
            )
            .collect();
        connections.extend(catalog.own_types().map(own));

        let wanted: BTreeSet<_> = connections
            .iter()
            .filter_map(|connection| Some((connection.property?, connection.connection_type)))
            .collect();
        let objects: Vec<ConnectionObject> = catalog
            .destination_types()
            .chain(catalog.source_types())
            .filter(|connection_type| {
                wanted.contains(&(connection_type.name(), connection_type.kind()))
            })
            .map(|connection_type| {
                ConnectionObject::new(connection_type, runs(connection_type), documented)
            })
            .collect();
        let by_property = objects
            .iter()
            .enumerate()
            .map(|(index, object)| (object.property, index))
            .collect();
        Self {
            connections,
            objects,
            by_property,
        }
    }

    /// The documented connections by name, then what this server knows beyond them.
    pub fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// Every object that a connection points to: destinations, then sources, each by name.
    pub fn objects(&self) -> &[ConnectionObject] {
        &self.objects
    }

    /// The object of that name, for example `platform.shopify`.
    pub fn object(&self, property: &str) -> Option<&ConnectionObject> {
        self.by_property
            .get(property)
            .map(|index| &self.objects[*index])
    }

    /// Connections that share an object.
    pub fn connections_of(&self, property: &str) -> impl Iterator<Item = &Connection> {
        self.connections
            .iter()
            .filter(move |connection| connection.property == Some(property))
    }

    /// The whole reference as programs get it: one entry per connection, with its object.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.connections.iter().map(|connection| Entry {
            connection,
            object: connection
                .property
                .and_then(|property| self.object(property)),
        })
    }
}

impl Connection {
    /// The name as it is listed, for example `Shopify (v1)`.
    pub fn title(&self) -> String {
        format!("{} (v{})", self.display_name, self.version)
    }

    /// Whether the API has an object for it.
    pub fn is_supported(&self) -> bool {
        self.property.is_some()
    }
}
