//! What callers may send about a hook.

use selvedge_types::DestinationId;
use serde_json::{Map, Value};

use crate::ControlError;

/// What a hook is created from.
#[derive(Debug, PartialEq, Eq)]
pub struct NewHook {
    pub(super) destination_id: DestinationId,
    pub(super) url: String,
}

impl NewHook {
    /// Reads the body, `None` when it is no JSON object. Whether destination and URL will do turns out later.
    pub fn from_body(body: Option<&Map<String, Value>>) -> Result<Self, ControlError> {
        let read = || {
            let body = body?;
            let mut destination_id = None;
            let mut url = None;
            for (key, value) in body {
                match (key.as_str(), value) {
                    ("type", Value::String(text)) if text == "post_load" => {}
                    ("destination_id", Value::Number(number)) => {
                        destination_id = Some(DestinationId(number.as_i64()?));
                    }
                    ("config", Value::Object(config)) => url = Some(only_url(config)?),
                    _ => return None,
                }
            }
            let typed = body.contains_key("type");
            Some(Self {
                destination_id: destination_id.filter(|_| typed)?,
                url: url?,
            })
        };
        read().ok_or(ControlError::NewHookBody)
    }
}

fn only_url(config: &Map<String, Value>) -> Option<String> {
    match config.get("url") {
        Some(Value::String(url)) if config.len() == 1 => Some(url.clone()),
        _ => None,
    }
}

/// What an update of a hook sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookChange {
    pub(super) enable: bool,
}

impl HookChange {
    /// Reads the body, `None` when it is no JSON object.
    pub fn from_body(body: Option<&Map<String, Value>>) -> Result<Self, ControlError> {
        match body.map(|body| (body.len(), body.get("enable"))) {
            Some((1, Some(Value::Bool(enable)))) => Ok(Self { enable: *enable }),
            _ => Err(ControlError::HookChangeBody),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_hook_has_its_three_arguments_and_no_other() {
        let read = |body: Value| NewHook::from_body(body.as_object());
        let good = json!({"type": "post_load", "destination_id": 7, "config": {"url": "u"}});
        assert_eq!(
            read(good.clone()).unwrap(),
            NewHook {
                destination_id: DestinationId(7),
                url: "u".to_owned()
            }
        );
        for (key, value) in [
            ("type", Value::Null),
            ("type", json!("pre_load")),
            ("type", json!(["post_load"])),
            ("destination_id", Value::Null),
            ("destination_id", json!("7")),
            ("destination_id", json!(7.5)),
            ("destination_id", json!(u64::MAX)),
            ("config", Value::Null),
            ("config", json!("u")),
            ("config", json!({})),
            ("config", json!({"url": null})),
            ("config", json!({"url": 1})),
            ("config", json!({"url": "u", "headers": {}})),
            ("secret", json!("mine")),
        ] {
            let mut bad = good.clone();
            bad[key] = value;
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        for key in ["type", "destination_id", "config"] {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().shift_remove(key);
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        assert!(NewHook::from_body(None).is_err());
    }

    #[test]
    fn a_change_is_one_boolean() {
        let read = |body: Value| HookChange::from_body(body.as_object());
        assert!(read(json!({"enable": true})).unwrap().enable);
        assert!(!read(json!({"enable": false})).unwrap().enable);
        for bad in [
            json!({}),
            json!([]),
            json!({"enable": null}),
            json!({"enable": "true"}),
            json!({"enable": 1}),
            json!({"enable": true, "url": "u"}),
            json!({"disable": true}),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
        assert!(HookChange::from_body(None).is_err());
    }
}
