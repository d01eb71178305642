//! Settings of taps that the operator gives, by source type: what no property of the type says.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::mapping::{collect_secrets, is_secret};

/// By type, then by the tap's own key. The values may be credentials: they are shown nowhere.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct GivenSettings(BTreeMap<String, Map<String, Value>>);

impl GivenSettings {
    /// The types that something is given for.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A key whose value no configuration file of a tap can hold: a date or time without quotes.
    pub fn date_without_quotes(&self) -> Option<(&str, &str)> {
        let all = self.0.iter();
        let mut all = all.flat_map(|(name, keys)| keys.iter().map(move |one| (name, one)));
        let (name, (key, _)) = all.find(|(_, (_, value))| holds_toml_date(value))?;
        Some((name, key))
    }

    pub(crate) fn of_type(&self, type_name: &str) -> Option<&Map<String, Value>> {
        self.0.get(type_name)
    }
}

/// What must be in no log of the values that are given.
pub(crate) fn secrets_of(given: &Map<String, Value>, secrets: &mut Vec<String>) {
    for (key, value) in given {
        let is_file = key.ends_with("_file") || key.ends_with("_path");
        if !is_file && (is_secret(key) || key.contains("token") || key.ends_with("key")) {
            collect_secrets(value, secrets);
        }
    }
}

/// How the `toml` crate hands its dates to formats without any.
fn holds_toml_date(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.contains_key("$__toml_private_datetime")
                || members.values().any(holds_toml_date)
        }
        Value::Array(items) => items.iter().any(holds_toml_date),
        _ => false,
    }
}

impl fmt::Debug for GivenSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.0.iter();
        let keys = keys.map(|(name, keys)| (name, keys.keys().collect::<Vec<_>>()));
        formatter.debug_map().entries(keys).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_not_shown_and_credentials_are_masked() {
        let given: GivenSettings = serde_json::from_value(json!({
            "platform.x": {"refresh_token": "hidden-1", "api_version": "20120402", "private_key_file": "/etc/key"}
        }))
        .unwrap();
        let shown = format!("{given:?}");
        assert!(shown.contains("refresh_token") && !shown.contains("hidden"));
        let mut secrets = Vec::new();
        secrets_of(given.of_type("platform.x").unwrap(), &mut secrets);
        assert_eq!(secrets, ["hidden-1"]);
    }
}
