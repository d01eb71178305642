//! One property of an object, for readers.

use serde::Serialize;
use serde_json::Value;

use super::accepted::{self, Accepted};
use super::documented::{Documented, Fact};
use super::example;
use crate::fill::Fill;
use crate::{ConnectionType, Property, PropertyType};

/// A property as the reference shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReferenceProperty {
    /// Key in `properties`.
    pub name: &'static str,
    /// JSON types that are taken, for example `string`, `integer/string` or `array`.
    #[serde(rename = "type")]
    pub value_type: String,
    /// Needed to complete the step.
    pub required: bool,
    /// Called required in the documentation of the upstream system, although nothing insists on it.
    pub documented_as_required: bool,
    /// Stored encrypted, never returned.
    pub credential: bool,
    /// Set by the server; sending it is an error.
    pub read_only: bool,
    /// Cannot change after it was first set.
    pub immutable: bool,
    /// Wrong values can break the connection.
    pub advanced: bool,
    /// For internal use.
    pub internal: bool,
    pub property_type: PropertyType,
    pub description: Option<&'static str>,
    /// The accepted values, where they can be counted up.
    #[serde(rename = "enum")]
    pub values: Option<Vec<String>>,
    /// What is accepted, in words; null where any value of the type is.
    pub accepts: Option<String>,
    /// What holds when nothing is sent, as far as the server knows.
    pub default: Option<String>,
    /// A value that is accepted; null where none can be sent.
    pub example: Option<Value>,
    /// What values are held against; null: not checked.
    pub json_schema: Option<&'static Value>,
    /// Keys of an object, or of the objects in an array.
    pub children: Vec<NestedProperty>,
}

/// A key of a value that is an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NestedProperty {
    pub name: &'static str,
    #[serde(rename = "type")]
    pub value_type: String,
    pub required: bool,
    #[serde(rename = "enum")]
    pub values: Option<Vec<String>>,
    pub accepts: Option<String>,
    pub children: Vec<NestedProperty>,
}

impl ReferenceProperty {
    pub(super) fn new(
        connection_type: &'static ConnectionType,
        property: &'static Property,
        documented: &'static Documented,
    ) -> Self {
        let (type_name, name) = (connection_type.name(), property.name());
        let schema = property.json_schema();
        let is = |property_type| property.property_type() == property_type;
        let read_only = is(PropertyType::ReadOnly);
        let Accepted { values, words } = accepted::of(connection_type, property);
        let is_internal = documented.says(type_name, name, Fact::Internal);
        Self {
            name,
            value_type: accepted::value_type(schema),
            required: property.is_required(),
            documented_as_required: !is_internal
                && documented.says(type_name, name, Fact::Required),
            credential: property.is_credential(),
            read_only,
            immutable: is(PropertyType::UserProvidedImmutable),
            advanced: is(PropertyType::UserProvidedAdvanced),
            internal: is_internal,
            property_type: property.property_type(),
            description: documented.description(type_name, name),
            values,
            accepts: words,
            default: default(connection_type, property),
            example: (!read_only)
                .then(|| example::of(connection_type, property))
                .flatten(),
            json_schema: schema,
            children: schema.map_or_else(Vec::new, |schema| accepted::children(schema, schema)),
        }
    }

    /// Whether a caller may send it at all.
    pub fn can_be_sent(&self) -> bool {
        !self.read_only
    }

    /// Whether the sample request carries it: what must be sent, and when the source runs.
    pub(super) fn is_in_sample(&self) -> bool {
        let asked = self.required || self.documented_as_required;
        self.can_be_sent() && (asked || self.name == "frequency_in_minutes")
    }
}

/// The value that holds when none is sent, in words where it is not the same for everybody.
fn default(connection_type: &ConnectionType, property: &Property) -> Option<String> {
    match &property.fill {
        Some(Fill::Template(template)) if template == "{image_version}" => {
            return Some(connection_type.image_version().to_owned());
        }
        Some(Fill::Template(template)) => return Some(template.replace("{uuid}", "<UUID>")),
        Some(Fill::CopyOf(path)) => return Some(format!("copied from {}", path.join("."))),
        None => {}
    }
    match property.name() {
        "frequency_in_minutes" => connection_type
            .default_scheduling_interval()
            .map(|minutes| minutes.to_string()),
        // How connectors read its absence.
        "type_fidelity" => Some("stitch".to_owned()),
        _ => None,
    }
}
