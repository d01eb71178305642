//! What callers may send about a destination.

use serde_json::{Map, Value};

use crate::ControlError;
use crate::text::fits;

const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 4_000;

/// What a destination is created from.
#[derive(Debug)]
pub struct NewDestination {
    pub(super) type_name: String,
    pub(super) properties: Map<String, Value>,
    /// `None`: made from the type.
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) ignore_unmapped_sources: bool,
    /// Whether the account may have no other.
    pub(super) only_one: bool,
}

impl NewDestination {
    /// Reads the body, `None` when it is no JSON object.
    pub fn from_body(body: Option<&Map<String, Value>>) -> Result<Self, ControlError> {
        let mut type_name = None;
        let mut properties = None;
        let mut new = Self {
            type_name: String::new(),
            properties: Map::new(),
            name: None,
            description: None,
            ignore_unmapped_sources: false,
            only_one: false,
        };
        let refused = || ControlError::NewDestinationBody;
        for (key, value) in body.ok_or_else(refused)? {
            match (key.as_str(), value) {
                ("type", Value::String(text)) if !text.is_empty() => type_name = Some(text.clone()),
                ("properties", Value::Object(values)) => properties = Some(values.clone()),
                ("name", value) => new.name = name(value).ok_or_else(refused)?,
                ("description", value) => {
                    new.description = description(value).ok_or_else(refused)?
                }
                ("ignore_unmapped_sources", Value::Bool(flag)) => {
                    new.ignore_unmapped_sources = *flag
                }
                ("ignore_unmapped_sources", Value::Null) => {}
                _ => return Err(refused()),
            }
        }
        new.type_name = type_name.ok_or_else(refused)?;
        new.properties = properties.ok_or_else(refused)?;
        Ok(new)
    }
}

/// What an update changes.
#[derive(Debug)]
pub struct DestinationChange {
    /// What was sent as `type`, which does not change.
    pub(super) type_name: Option<Value>,
    /// A refusal when the body is not as documented; the type is looked at first.
    pub(super) fields: Result<ChangedFields, ControlError>,
}

#[derive(Debug, Default)]
pub(super) struct ChangedFields {
    pub(super) properties: Map<String, Value>,
    pub(super) name: Option<String>,
    /// The inner `None` takes the description away.
    pub(super) description: Option<Option<String>>,
}

impl DestinationChange {
    /// Reads the body, `None` when it is no JSON object. Whether it is as documented turns out when it is applied, because
    /// the destination's id and type are judged before.
    ///
    /// An existing client sends the bare properties: an object without any documented key is taken as such.
    pub fn from_body(body: Option<&Map<String, Value>>) -> Self {
        Self {
            type_name: body.and_then(|body| body.get("type").cloned()),
            fields: body
                .and_then(changed_fields)
                .ok_or(ControlError::DestinationChangeBody),
        }
    }
}

fn changed_fields(body: &Map<String, Value>) -> Option<ChangedFields> {
    let documented = |key: &str| matches!(key, "type" | "properties" | "name" | "description");
    let mut fields = ChangedFields::default();
    if !body.is_empty() && !body.keys().any(|key| documented(key)) {
        fields.properties = body.clone();
        return Some(fields);
    }
    let mut any = false;
    for (key, value) in body {
        match (key.as_str(), value) {
            ("type", _) => continue,
            ("properties", Value::Object(values)) => fields.properties = values.clone(),
            ("name", Value::String(_)) => fields.name = name(value)?,
            ("description", value) => fields.description = Some(description(value)?),
            _ => return None,
        }
        any = true;
    }
    any.then_some(fields)
}

/// `Some(None)` when there is none; `None` when the value is not a name.
fn name(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) if !text.is_empty() && fits(text, MAX_NAME) => Some(Some(text.clone())),
        _ => None,
    }
}

fn description(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) if fits(text, MAX_DESCRIPTION) => Some(Some(text.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_destination_needs_type_and_properties_and_nothing_unknown() {
        let read = |body: Value| NewDestination::from_body(body.as_object());
        for good in [
            json!({"type": "postgres", "properties": {}}),
            json!({"type": "postgres", "properties": {}, "name": null, "description": "", "ignore_unmapped_sources": true}),
        ] {
            assert!(read(good.clone()).is_ok(), "{good}");
        }
        for bad in [
            json!({}),
            json!({"type": "postgres"}),
            json!({"properties": {}}),
            json!({"type": "", "properties": {}}),
            json!({"type": 1, "properties": {}}),
            json!({"type": "postgres", "properties": null}),
            json!({"type": "postgres", "properties": {}, "name": ""}),
            json!({"type": "postgres", "properties": {}, "name": "x".repeat(256)}),
            json!({"type": "postgres", "properties": {}, "name": "a\0b"}),
            json!({"type": "postgres", "properties": {}, "description": "x".repeat(4_001)}),
            json!({"type": "postgres", "properties": {}, "ignore_unmapped_sources": "true"}),
            json!({"type": "postgres", "properties": {}, "connection": {}}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        assert!(NewDestination::from_body(None).is_err());
    }

    #[test]
    fn a_change_takes_documented_keys_or_bare_properties() {
        let fields = |body: Value| DestinationChange::from_body(body.as_object()).fields;
        assert_eq!(
            fields(json!({"properties": {"host": "a"}}))
                .unwrap()
                .properties
                .len(),
            1
        );
        assert_eq!(fields(json!({"host": "a"})).unwrap().properties.len(), 1);
        assert_eq!(
            fields(json!({"name": "n", "type": "postgres"}))
                .unwrap()
                .name
                .as_deref(),
            Some("n")
        );
        assert_eq!(
            fields(json!({"description": null})).unwrap().description,
            Some(None)
        );
        for bad in [
            json!({}),
            json!({"type": "postgres"}),
            json!({"type": "postgres", "host": "a"}),
            json!({"properties": {}, "host": "a"}),
            json!({"properties": []}),
            json!({"name": null}),
            json!({"name": ""}),
        ] {
            assert!(fields(bad.clone()).is_err(), "{bad}");
        }
        assert!(DestinationChange::from_body(None).fields.is_err());
    }
}
