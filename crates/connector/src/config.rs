//! A connection's settings as its connector receives them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ConnectorError;

/// How closely types are kept between databases that share them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TypeFidelity {
    /// The documented mapping of the upstream system.
    #[default]
    Stitch,
    /// date, timestamptz, uuid, bytea, json and arrays stay what they are.
    Native,
}

/// Validated properties of a source or destination, credentials included. `Debug` shows names only.
#[derive(Clone, Default)]
pub struct ConnectionConfig {
    properties: BTreeMap<String, Value>,
}

impl ConnectionConfig {
    pub fn new(properties: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self {
            properties: properties
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect(),
        }
    }

    /// A property as text; numbers and booleans in their JSON form. `None` when absent.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.properties.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// A property that the connector cannot do without.
    pub fn required(&self, name: &str) -> Result<String, ConnectorError> {
        self.text(name)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ConnectorError::configuration(format!("the property {name} is missing")))
    }

    /// `"true"`, `"false"`, or a JSON boolean; absent is `false`.
    pub fn flag(&self, name: &str) -> Result<bool, ConnectorError> {
        match self.text(name).as_deref() {
            None | Some("" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ConnectorError::configuration(format!(
                "the property {name} must be true or false"
            ))),
        }
    }

    /// A TCP port.
    pub fn port(&self, name: &str) -> Result<u16, ConnectorError> {
        let text = self.required(name)?;
        text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
            ConnectorError::configuration(format!(
                "the property {name} must be a port number from 1 to 65535"
            ))
        })
    }

    /// The raw value, for properties that are lists or objects.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    /// Names of the properties that are set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.properties.keys().map(String::as_str)
    }
}

impl std::fmt::Debug for ConnectionConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_set()
            .entries(self.properties.keys())
            .finish()
    }
}
