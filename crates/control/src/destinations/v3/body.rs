//! What callers of version 3 may send about a destination.

use serde_json::{Map, Value};

use crate::ControlError;
use crate::destinations::body::ChangedFields;
use crate::destinations::{DestinationChange, NewDestination};

impl NewDestination {
    /// Reads a body of version 3, `None` when it is no JSON object: exactly a type and a connection.
    pub fn from_v3_body(body: Option<&Map<String, Value>>) -> Result<Self, ControlError> {
        let refused = || ControlError::DestinationV3Body;
        let body = body.ok_or_else(refused)?;
        match (body.len(), body.get("type"), body.get("connection")) {
            (2, Some(Value::String(type_name)), Some(Value::Object(connection)))
                if !type_name.is_empty() =>
            {
                Ok(Self {
                    type_name: type_name.clone(),
                    properties: connection.clone(),
                    name: None,
                    description: None,
                    ignore_unmapped_sources: false,
                    only_one: true,
                })
            }
            _ => Err(refused()),
        }
    }
}

impl DestinationChange {
    /// Reads a body of version 3, `None` when it is no JSON object: the type, which does not change, and a connection, whose
    /// values are merged into the stored ones. Other keys are ignored.
    pub fn from_v3_body(body: Option<&Map<String, Value>>) -> Self {
        let fields = match body.and_then(|body| body.get("connection")) {
            Some(Value::Object(connection)) => Ok(ChangedFields {
                properties: connection.clone(),
                ..ChangedFields::default()
            }),
            _ => Err(ControlError::DestinationV3Body),
        };
        Self {
            // A missing type is not the current one.
            type_name: body.map(|body| body.get("type").cloned().unwrap_or(Value::Null)),
            fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_destination_needs_type_and_connection_and_nothing_else() {
        let read = |body: Value| NewDestination::from_v3_body(body.as_object());
        assert!(read(json!({"type": "postgres", "connection": {}})).is_ok());
        for bad in [
            json!({}),
            json!([]),
            json!({"type": "postgres"}),
            json!({"connection": {}}),
            json!({"type": "", "connection": {}}),
            json!({"type": 1, "connection": {}}),
            json!({"type": "postgres", "connection": null}),
            json!({"type": "postgres", "connection": []}),
            json!({"type": "postgres", "connection": {}, "name": "x"}),
            json!({"type": "postgres", "properties": {}}),
        ] {
            let refused = read(bad.clone());
            assert!(
                matches!(refused, Err(ControlError::DestinationV3Body)),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_change_names_its_type_and_may_hold_more() {
        let read = |body: Value| DestinationChange::from_v3_body(body.as_object());
        let change = read(json!({"type": "postgres", "connection": {"host": "a"}, "name": "x"}));
        assert_eq!(change.type_name, Some(json!("postgres")));
        assert_eq!(change.fields.unwrap().properties.len(), 1);
        let change = read(json!({"connection": []}));
        assert_eq!(change.type_name, Some(Value::Null));
        assert!(change.fields.is_err());
        let nothing = read(json!([]));
        assert!(nothing.type_name.is_none() && nothing.fields.is_err());
    }
}
