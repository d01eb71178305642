//! How the properties of a connection become the configuration of its tap.
//!
//! Taps of the catalogue's types were written for its property names and its text values, so most need no mapping at all. What
//! differs is data: `data/mappings.json` for known packages, `mapping` for the operator's own types.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use selvedge_catalog::{ConnectionType, OauthClients, SCHEDULE_PROPERTIES};
use selvedge_connector::{ConnectionConfig, ConnectorError};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Package;

/// Differences between properties and a tap's configuration.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// The tap's key by name of the property.
    rename: BTreeMap<String, String>,
    /// What the tap wants a property as; without it, as it is stored.
    convert: BTreeMap<String, Conversion>,
    /// Properties that the tap must not see.
    omit: BTreeSet<String>,
    /// Values by the tap's key, where there is no other.
    defaults: Map<String, Value>,
    /// Values by the tap's key, whatever the properties say.
    constants: Map<String, Value>,
    /// Properties that the tap replaces in its configuration file, beside those that the catalogue marks as such.
    mutable: BTreeSet<String>,
}

/// What a property is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Conversion {
    /// `"true"` to `true`.
    Boolean,
    /// `"5432"` to `5432`.
    Integer,
    /// The JSON in a text.
    Json,
    /// A text split at commas, without the blanks around its parts.
    List,
    /// A list of texts as one, with commas.
    Commas,
    /// A list or object as its JSON; a number or boolean as its text.
    Text,
}

/// A mapping that says of a property what cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mapping of {type_name} names the property {property:?}, which the type does not have")]
pub struct MappingError {
    pub type_name: String,
    pub property: String,
}

/// What a tap is given to read.
#[derive(Clone, Default)]
pub struct TapConfiguration {
    pub config: Map<String, Value>,
    /// Texts that must be in no log: values of credentials, and the texts within those that are JSON.
    pub secrets: Vec<String>,
    /// Keys whose values the tap may replace in its configuration file, with the property behind each.
    pub mutable: Vec<(String, String)>,
}

impl Mapping {
    /// What is known of a package.
    pub(crate) fn of_package(package: &Package) -> &'static Self {
        static KNOWN: LazyLock<BTreeMap<String, Mapping>> = LazyLock::new(|| {
            serde_json::from_str(include_str!("../data/mappings.json")).expect(
                "the embedded mappings cannot change after the build, and the tests load them",
            )
        });
        static NONE: LazyLock<Mapping> = LazyLock::new(Mapping::default);
        KNOWN.get(package.name()).unwrap_or(&NONE)
    }

    /// Refuses a mapping of properties that the type does not have.
    pub(crate) fn check(&self, source: &ConnectionType) -> Result<(), MappingError> {
        let named = self.rename.keys().chain(self.convert.keys());
        for property in named.chain(&self.omit).chain(&self.mutable) {
            if source.property(property).is_none() {
                return Err(MappingError {
                    type_name: source.name().to_owned(),
                    property: property.clone(),
                });
            }
        }
        Ok(())
    }

    /// The tap's key for a property.
    pub(crate) fn key<'a>(&'a self, property: &'a str) -> &'a str {
        self.rename.get(property).map_or(property, String::as_str)
    }

    /// Whether a key has a value though no property says it.
    pub(crate) fn supplies(&self, key: &str) -> bool {
        self.defaults.contains_key(key) || self.constants.contains_key(key)
    }

    /// With values of the operator's, by the tap's key, where a connection says nothing else.
    pub(crate) fn with(mut self, given: &Map<String, Value>) -> Self {
        self.constants.retain(|key, _| !given.contains_key(key));
        self.defaults.extend(given.clone());
        self
    }

    /// The configuration of a connection's tap. Client credentials of the operator stand in for missing ones.
    ///
    /// # Errors
    /// A value is not what the tap wants.
    pub(crate) fn apply(
        &self,
        source: &ConnectionType,
        properties: &ConnectionConfig,
        clients: &OauthClients,
    ) -> Result<TapConfiguration, ConnectorError> {
        let mut configuration = TapConfiguration {
            config: self.defaults.clone(),
            ..TapConfiguration::default()
        };
        for property in source.properties() {
            let name = property.name();
            if is_ours(name) || self.omit.contains(name) {
                continue;
            }
            let key = self.key(name);
            if property.is_tap_mutable() || self.mutable.contains(name) {
                configuration
                    .mutable
                    .push((key.to_owned(), name.to_owned()));
            }
            let supplied = clients.of_type(source.name()).find(|(of, _)| *of == name);
            let supplied = supplied.map(|(_, secret)| Value::from(secret.expose()));
            let Some(value) = properties.value(name).or(supplied.as_ref()) else {
                continue;
            };
            if property.is_credential() || is_secret(name) {
                collect_secrets(value, &mut configuration.secrets);
            }
            let value = match self.convert.get(name) {
                Some(conversion) => conversion.apply(name, value)?,
                None => value.clone(),
            };
            configuration.config.insert(key.to_owned(), value);
        }
        let constants = self.constants.clone();
        configuration.config.extend(constants);
        configuration.secrets.sort();
        configuration.secrets.dedup();
        Ok(configuration)
    }
}

impl Conversion {
    fn apply(self, name: &str, value: &Value) -> Result<Value, ConnectorError> {
        let refused = |wanted: &str| {
            ConnectorError::configuration(format!("the property {name} must be {wanted}"))
        };
        let text = value.as_str().map(str::trim);
        match self {
            Self::Boolean => match text {
                Some(text) if text.eq_ignore_ascii_case("true") => Ok(true.into()),
                Some(text) if text.eq_ignore_ascii_case("false") => Ok(false.into()),
                None if value.is_boolean() => Ok(value.clone()),
                _ => Err(refused("true or false")),
            },
            Self::Integer => match text {
                Some(text) => text
                    .parse::<i64>()
                    .map(Value::from)
                    .map_err(|_| refused("a whole number")),
                None if value.is_i64() || value.is_u64() => Ok(value.clone()),
                None => Err(refused("a whole number")),
            },
            Self::Json => match text {
                Some(text) => serde_json::from_str(text).map_err(|_| refused("valid JSON")),
                None => Ok(value.clone()),
            },
            Self::List => match text {
                Some(text) => {
                    let parts = text.split(',').map(str::trim);
                    Ok(parts.filter(|part| !part.is_empty()).collect())
                }
                None if value.is_array() => Ok(value.clone()),
                None => Err(refused("a list, or a text with commas between its parts")),
            },
            Self::Commas => match value.as_array() {
                Some(items) if items.iter().all(Value::is_string) => {
                    let parts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                    Ok(parts.join(",").into())
                }
                _ => Self::Text.apply(name, value),
            },
            Self::Text => match value {
                Value::String(_) => Ok(value.clone()),
                other => Ok(other.to_string().into()),
            },
        }
    }
}

/// What schedules a source, and the version line of its extractor: nothing a tap reads.
fn is_ours(name: &str) -> bool {
    SCHEDULE_PROPERTIES.contains(&name) || name == "image_version"
}

/// Some credentials are not marked as such in the catalogue.
pub(crate) fn is_secret(name: &str) -> bool {
    [
        "secret",
        "password",
        "private_key",
        "access_token",
        "refresh_token",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// Inside of JSON, shorter texts are names and flags rather than secrets.
const SHORTEST_INSIDE: usize = 8;

pub(crate) fn collect_secrets(value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => {
            secrets.push(text.clone());
            if let Ok(inside @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                collect_secrets(&inside, secrets);
            }
        }
        Value::Object(_) | Value::Array(_) => {
            let mut inside = Vec::new();
            match value {
                Value::Object(members) => {
                    members
                        .values()
                        .for_each(|member| collect_secrets(member, &mut inside));
                }
                Value::Array(items) => {
                    items
                        .iter()
                        .for_each(|item| collect_secrets(item, &mut inside));
                }
                _ => {}
            }
            secrets.extend(
                inside
                    .into_iter()
                    .filter(|text| text.len() >= SHORTEST_INSIDE),
            );
        }
        Value::Number(number) => secrets.push(number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}

impl std::fmt::Debug for TapConfiguration {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys: Vec<&String> = self.config.keys().collect();
        formatter
            .debug_struct("TapConfiguration")
            .field("keys", &keys)
            .field("mutable", &self.mutable)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use selvedge_catalog::Catalog;
    use serde_json::json;

    use super::*;

    fn source(properties: Value) -> ConnectionType {
        ConnectionType::of_operator(json!({
            "type": "platform.test", "display_name": "Test", "properties": properties
        }))
        .unwrap()
    }

    fn apply(
        mapping: Value,
        properties: Value,
        values: Value,
    ) -> Result<TapConfiguration, ConnectorError> {
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let values = values.as_object().unwrap().clone();
        mapping.apply(
            &source(properties),
            &ConnectionConfig::new(values),
            &OauthClients::default(),
        )
    }

    #[test]
    fn properties_keep_names_and_values_and_ours_stay_here() {
        let made = apply(
            json!({}),
            json!([{"name": "start_date"}, {"name": "port"}]),
            json!({"start_date": "2024-01-01T00:00:00Z", "port": "5432", "image_version": "1.latest",
                   "frequency_in_minutes": "60", "unknown": "x"}),
        )
        .unwrap();
        assert_eq!(
            Value::Object(made.config),
            json!({"port": "5432", "start_date": "2024-01-01T00:00:00Z"})
        );
        assert!(made.secrets.is_empty() && made.mutable.is_empty());
    }

    #[test]
    fn what_a_tap_calls_or_wants_otherwise_is_data() {
        let made = apply(
            json!({
                "rename": {"token": "api_key"},
                "convert": {"port": "integer", "ssl": "boolean", "tables": "json", "repositories": "list",
                            "names": "commas", "definition": "text"},
                "omit": ["gone"],
                "defaults": {"page_size": 100, "port": 1},
                "constants": {"user_agent": "x"}
            }),
            json!([{"name": "token"}, {"name": "port"}, {"name": "ssl"}, {"name": "tables"},
                   {"name": "repositories"}, {"name": "names"}, {"name": "definition"}, {"name": "gone"}]),
            json!({"token": "t", "port": "5432", "ssl": "true", "tables": "[{\"a\": 1}]",
                   "repositories": "a/b, c/d,", "names": ["a", "b"], "definition": {"a": 1}, "gone": "x"}),
        )
        .unwrap();
        assert_eq!(
            Value::Object(made.config),
            json!({
                "page_size": 100, "port": 5432, "definition": "{\"a\":1}", "names": "a,b",
                "repositories": ["a/b", "c/d"], "ssl": true, "tables": [{"a": 1}], "api_key": "t",
                "user_agent": "x"
            })
        );
    }

    #[test]
    fn a_value_that_is_not_what_the_tap_wants_names_its_property() {
        for (conversion, value) in [
            ("integer", json!("x")),
            ("integer", json!(1.5)),
            ("boolean", json!("yes")),
            ("json", json!("{")),
            ("list", json!(1)),
        ] {
            let error = apply(
                json!({"convert": {"p": conversion}}),
                json!([{"name": "p"}]),
                json!({"p": value}),
            )
            .unwrap_err();
            assert!(error.message.contains("property p"), "{}", error.message);
        }
    }

    #[test]
    fn secrets_are_found_inside_of_json_too() {
        let key = r#"{"type": "service", "private_key": "-----BEGIN", "id": "12345678"}"#;
        let made = apply(
            json!({}),
            json!([{"name": "key", "is_credential": true}, {"name": "client_secret"}, {"name": "host"},
                   {"name": "pin", "is_credential": true}]),
            json!({"key": key, "client_secret": "s3", "host": "h", "pin": 12}),
        )
        .unwrap();
        assert_eq!(made.secrets, ["-----BEGIN", "12", "12345678", "s3", key]);
        assert!(!format!("{made:?}").contains("BEGIN"));
    }

    #[test]
    fn rotated_tokens_are_followed_under_the_name_of_the_tap() {
        let made = apply(
            json!({"rename": {"refresh_token": "token"}}),
            json!([{"name": "refresh_token", "is_credential": true, "tap_mutable": true}]),
            json!({}),
        )
        .unwrap();
        assert_eq!(
            made.mutable,
            [("token".to_owned(), "refresh_token".to_owned())]
        );
    }

    #[test]
    fn some_taps_replace_more_than_the_catalogue_knows() {
        let made = apply(
            json!({"mutable": ["refresh_token"]}),
            json!([{"name": "refresh_token", "is_credential": true}, {"name": "jwt"}]),
            json!({}),
        )
        .unwrap();
        let both = "refresh_token".to_owned();
        assert_eq!(made.mutable, [(both.clone(), both)]);
    }

    #[test]
    fn client_credentials_of_the_operator_stand_in_for_missing_ones() {
        let source = Catalog::global().source_type("platform.asana").unwrap();
        let clients = [("client_id", "ours"), ("client_secret", "hidden")];
        let clients = clients
            .map(|(name, value)| (name.to_owned(), selvedge_types::Secret::new(value)))
            .into();
        let clients = OauthClients::new(
            Catalog::global(),
            [("platform.asana".to_owned(), clients)].into(),
        )
        .unwrap();
        let stored = ConnectionConfig::new([("client_id".to_owned(), json!("theirs"))]);
        let made = Mapping::default().apply(source, &stored, &clients).unwrap();
        assert_eq!(made.config["client_id"], "theirs");
        assert_eq!(made.config["client_secret"], "hidden");
        assert!(made.secrets.contains(&"hidden".to_owned()));
    }

    #[test]
    fn embedded_mappings_speak_of_packages_and_properties_that_are_there() {
        let mut used = BTreeSet::new();
        for source in Catalog::global().source_types() {
            let Some(package) = Package::of_type(source.name()) else {
                continue;
            };
            let mapping = Mapping::of_package(package);
            mapping.check(source).unwrap();
            if *mapping != Mapping::default() {
                used.insert(package.name());
            }
            // No two values under one key, of properties and of the mapping itself.
            let sent = source.properties().map(|property| property.name());
            let sent = sent.filter(|name| !is_ours(name) && !mapping.omit.contains(*name));
            let renamed = sent.map(|name| mapping.key(name));
            let keys: Vec<&str> = renamed
                .chain(mapping.constants.keys().map(String::as_str))
                .collect();
            let distinct: BTreeSet<&str> = keys.iter().copied().collect();
            assert_eq!(distinct.len(), keys.len(), "{}: {keys:?}", source.name());
            for default in mapping.defaults.keys() {
                assert!(
                    !mapping.constants.contains_key(default),
                    "{}: {default} is a constant",
                    source.name()
                );
            }
        }
        let written: BTreeMap<String, Value> =
            serde_json::from_str(include_str!("../data/mappings.json")).unwrap();
        let written: BTreeSet<&str> = written.keys().map(String::as_str).collect();
        assert_eq!(written, used, "a mapping of a package that serves no type");
    }
}
