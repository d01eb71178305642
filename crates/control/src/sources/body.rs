//! What callers may send about a source.

use selvedge_types::DestinationId;
use serde_json::{Map, Value};

use super::naming::MAX_DISPLAY_NAME;
use crate::ControlError;
use crate::text::{fits, parse_instant};

/// What a source is created from.
#[derive(Debug)]
pub struct NewSource {
    pub(super) type_name: String,
    pub(super) display_name: String,
    /// `None`: derived from the label.
    pub(super) name: Option<String>,
    pub(super) properties: Map<String, Value>,
    /// `None`: the account's only destination, if it has exactly one.
    pub(super) destination_id: Option<DestinationId>,
}

impl NewSource {
    /// Reads the body, `None` when it is no JSON object.
    pub fn from_body(body: Option<&Map<String, Value>>) -> Result<Self, ControlError> {
        let refused = || ControlError::NewSourceBody;
        let mut new = Self {
            type_name: String::new(),
            display_name: String::new(),
            name: None,
            properties: Map::new(),
            destination_id: None,
        };
        for (key, value) in body.ok_or_else(refused)? {
            match (key.as_str(), value) {
                ("type", Value::String(text)) => new.type_name.clone_from(text),
                ("display_name", Value::String(text)) if fits(text, MAX_DISPLAY_NAME) => {
                    new.display_name.clone_from(text);
                }
                ("name", Value::String(text)) => {
                    new.name = (!text.is_empty()).then(|| text.clone());
                }
                ("properties", Value::Object(values)) => new.properties.clone_from(values),
                ("destination_id", Value::Number(number)) => {
                    let id = number.as_i64().ok_or_else(refused)?;
                    new.destination_id = Some(DestinationId(id));
                }
                ("name" | "properties" | "destination_id", Value::Null) => {}
                // The public Python client sends the properties in this place as well.
                ("destination_id", Value::Object(values))
                    if body.and_then(|body| body.get("properties")?.as_object())
                        == Some(values) => {}
                _ => return Err(refused()),
            }
        }
        if new.type_name.is_empty() || new.display_name.is_empty() {
            return Err(refused());
        }
        Ok(new)
    }
}

/// What an update changes; `None` keeps.
#[derive(Debug, Default)]
pub struct SourceChange {
    pub(super) display_name: Option<String>,
    /// What was sent to pause the source; the inner `None` unpauses.
    pub(super) paused_at: Option<Option<String>>,
    /// The inner `None` takes the destination away.
    pub(super) destination_id: Option<Option<DestinationId>>,
    pub(super) properties: Option<Map<String, Value>>,
}

impl SourceChange {
    /// Reads the body, `None` when it is no JSON object.
    pub fn from_body(body: Option<&Map<String, Value>>) -> Result<Self, ControlError> {
        let refused = || ControlError::SourceChangeBody;
        let body = body.ok_or_else(refused)?;
        let mut change = Self::default();
        for (key, value) in body {
            match (key.as_str(), value) {
                // Judged last: the other keys are named first.
                ("display_name", _) => {}
                ("paused_at", Value::Null) => change.paused_at = Some(None),
                ("paused_at", Value::String(text)) if parse_instant(text).is_some() => {
                    change.paused_at = Some(Some(text.clone()));
                }
                ("destination_id", Value::Null) => change.destination_id = Some(None),
                ("destination_id", Value::Number(number)) => {
                    let id = number.as_i64().ok_or_else(refused)?;
                    change.destination_id = Some(Some(DestinationId(id)));
                }
                ("properties", Value::Object(values)) => change.properties = Some(values.clone()),
                _ => return Err(refused()),
            }
        }
        change.display_name = match body.get("display_name") {
            None => None,
            Some(Value::String(text)) if !text.is_empty() && fits(text, MAX_DISPLAY_NAME) => {
                Some(text.clone())
            }
            Some(Value::String(text)) => {
                return Err(ControlError::InvalidDisplayName(text.clone()));
            }
            Some(other) => return Err(ControlError::InvalidDisplayName(other.to_string())),
        };
        Ok(change)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.display_name.is_none()
            && self.paused_at.is_none()
            && self.destination_id.is_none()
            && self.properties.is_none()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_source_needs_type_and_label_and_nothing_unknown() {
        let read = |body: Value| NewSource::from_body(body.as_object());
        for good in [
            json!({"type": "t", "display_name": "d"}),
            json!({"type": "t", "display_name": "d", "name": "", "properties": {}, "destination_id": 7}),
            json!({"type": "t", "display_name": "d", "name": null, "properties": null, "destination_id": null}),
            json!({"type": "t", "display_name": "d", "properties": {"a": "b"}, "destination_id": {"a": "b"}}),
        ] {
            assert!(read(good.clone()).is_ok(), "{good}");
        }
        for bad in [
            json!({}),
            json!({"type": "t"}),
            json!({"display_name": "d"}),
            json!({"type": "", "display_name": "d"}),
            json!({"type": "t", "display_name": ""}),
            json!({"type": "t", "display_name": 1}),
            json!({"type": "t", "display_name": "x".repeat(256)}),
            json!({"type": "t", "display_name": "a\0b"}),
            json!({"type": "t", "display_name": "d", "name": 1}),
            json!({"type": "t", "display_name": "d", "properties": []}),
            json!({"type": "t", "display_name": "d", "destination_id": "7"}),
            json!({"type": "t", "display_name": "d", "properties": {"a": "b"}, "destination_id": {"a": "c"}}),
            json!({"type": "t", "display_name": "d", "destination_id": {}}),
            json!({"type": "t", "display_name": "d", "destination_id": 1.5}),
            json!({"type": "t", "display_name": "d", "paused_at": null}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        assert!(NewSource::from_body(None).is_err());
    }

    #[test]
    fn unknown_keys_are_named_before_a_bad_label() {
        let read = |body: Value| SourceChange::from_body(body.as_object());
        for body in [
            json!({"display_name": "", "name": "x"}),
            json!({"display_name": 1, "paused_at": "yesterday"}),
            json!({"paused_at": 5}),
            json!({"paused_at": ""}),
            json!({"destination_id": "7"}),
            json!({"properties": null}),
        ] {
            assert!(
                matches!(read(body.clone()), Err(ControlError::SourceChangeBody)),
                "{body}"
            );
        }
        for (body, shown) in [
            (json!({"display_name": ""}), ""),
            (json!({"display_name": null}), "null"),
            (json!({"display_name": 12}), "12"),
        ] {
            match read(body) {
                Err(ControlError::InvalidDisplayName(text)) => assert_eq!(text, shown),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn any_iso_8601_instant_pauses_as_sent() {
        for text in [
            "2031-02-03T04:05:06Z",
            "2031-02-03T04:05:06.789+02:00",
            "1999-01-01T00:00:00",
            "2031-02-03",
        ] {
            let change = SourceChange::from_body(json!({"paused_at": text}).as_object()).unwrap();
            assert_eq!(change.paused_at, Some(Some(text.to_owned())));
        }
    }
}
