//! Client credentials that the operator has with third parties. What is configured of an `oauth` step is supplied to
//! every connection of the type unless its user brings a value of his own.

use std::collections::BTreeMap;
use std::fmt;

use selvedge_types::Secret;
use serde_json::Value;

use crate::{
    Catalog, ConnectionType, Property, PropertyChange, PropertyType, StepType, StoredProperties,
};

/// Configured values by type and property; each belongs to an `oauth` step and fits its schema.
#[derive(Clone, Default)]
pub struct OauthClients(BTreeMap<String, BTreeMap<String, Secret>>);

/// Why configured client credentials cannot be used. None of the texts holds a value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OauthClientError {
    #[error("no type {0:?} has an oauth step")]
    UnknownType(String),
    #[error(
        "the oauth step of {type_name} has no property {property:?} that the system may provide"
    )]
    UnknownProperty { type_name: String, property: String },
    #[error("the value of {property} does not match the schema that {type_name} has for it")]
    BadValue { type_name: String, property: String },
}

impl OauthClients {
    /// Checks what is configured: property values by name of the property, by name of the type.
    pub fn new(
        catalog: &Catalog,
        configured: BTreeMap<String, BTreeMap<String, Secret>>,
    ) -> Result<Self, OauthClientError> {
        for (type_name, values) in &configured {
            // No name with an `oauth` step is both a source's and a destination's.
            let connection_type = [
                catalog.source_type(type_name),
                catalog.destination_type(type_name),
            ]
            .into_iter()
            .flatten()
            .find(|connection_type| connection_type.has_step(StepType::Oauth))
            .ok_or_else(|| OauthClientError::UnknownType(type_name.clone()))?;
            for (name, value) in values {
                let (type_name, property) = (type_name.clone(), name.clone());
                let Some(wanted) = connection_type.supplied_property(name) else {
                    return Err(OauthClientError::UnknownProperty {
                        type_name,
                        property,
                    });
                };
                if wanted.accept(&text(value)).is_none() {
                    return Err(OauthClientError::BadValue {
                        type_name,
                        property,
                    });
                }
            }
        }
        Ok(Self(configured))
    }

    /// What is configured for a type, by name of the property.
    pub fn of_type(&self, type_name: &str) -> impl Iterator<Item = (&str, &Secret)> {
        let values = self.0.get(type_name).into_iter().flatten();
        values.map(|(name, value)| (name.as_str(), value))
    }
}

impl fmt::Debug for OauthClients {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .0
            .iter()
            .map(|(type_name, values)| (type_name, values.keys().collect::<Vec<_>>()));
        formatter.debug_map().entries(names).finish()
    }
}

impl ConnectionType {
    /// Adds what the operator supplies to a change: configured values that are neither stored nor part of the change.
    pub fn supply(
        &self,
        clients: &OauthClients,
        stored: StoredProperties<'_>,
        change: &mut PropertyChange,
    ) {
        let Some(values) = clients.0.get(self.name()) else {
            return;
        };
        for (name, value) in values {
            let concerned = change.names().any(|changed| changed == name);
            if concerned || stored.provides(name) {
                continue;
            }
            if let Some(property) = self.supplied_property(name)
                && let Some(value) = property.accept(&text(value))
            {
                change.set(property, value);
            }
        }
    }

    fn supplied_property(&self, name: &str) -> Option<&Property> {
        self.steps()
            .iter()
            .filter(|step| step.step_type() == StepType::Oauth)
            .flat_map(|step| step.properties())
            .find(|property| {
                property.name() == name
                    && property.property_type() == PropertyType::SystemProvidedByDefault
            })
    }
}

fn text(value: &Secret) -> Value {
    Value::String(value.expose().to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::Properties;

    fn configured(
        type_name: &str,
        values: &[(&str, &str)],
    ) -> Result<OauthClients, OauthClientError> {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
            .collect();
        OauthClients::new(
            Catalog::global(),
            BTreeMap::from([(type_name.to_owned(), values)]),
        )
    }

    fn known_type() -> (&'static ConnectionType, OauthClients) {
        let clients = configured(
            "platform.asana",
            &[("client_id", "ours"), ("client_secret", "hunter2")],
        );
        let connection_type = Catalog::global().source_type("platform.asana").unwrap();
        (connection_type, clients.unwrap())
    }

    fn created(sent: Value) -> PropertyChange {
        let (connection_type, clients) = known_type();
        let sent = sent.as_object().unwrap();
        let mut change = connection_type.validate_create(sent, Uuid::nil()).unwrap();
        connection_type.supply(&clients, StoredProperties::none(), &mut change);
        change
    }

    #[test]
    fn what_the_user_does_not_send_is_supplied() {
        let change = created(json!({"refresh_token": "theirs"}));
        assert_eq!(change.plain["client_id"], "ours");
        assert_eq!(
            json!(change.credentials.expose()),
            json!({"client_secret": "hunter2", "refresh_token": "theirs"})
        );
    }

    #[test]
    fn what_the_user_sends_wins() {
        let change = created(json!({"client_id": "theirs", "client_secret": "their secret"}));
        assert_eq!(change.plain["client_id"], "theirs");
        assert_eq!(
            json!(change.credentials.expose()),
            json!({"client_secret": "their secret"})
        );
    }

    #[test]
    fn what_is_stored_or_taken_away_is_left_alone() {
        let (connection_type, clients) = known_type();
        let plain = Properties::from([("client_id".to_owned(), json!("theirs"))]);
        let credential_names = BTreeSet::new();
        let stored = StoredProperties {
            plain: &plain,
            credential_names: &credential_names,
        };
        let mut change = PropertyChange {
            removed: BTreeSet::from(["client_secret".to_owned()]),
            ..PropertyChange::default()
        };
        let before = change.clone();
        connection_type.supply(&clients, stored, &mut change);
        assert_eq!(change, before);
    }

    #[test]
    fn other_types_are_supplied_with_nothing() {
        let (_, clients) = known_type();
        let mut change = PropertyChange::default();
        let outreach = Catalog::global().source_type("platform.outreach").unwrap();
        outreach.supply(&clients, StoredProperties::none(), &mut change);
        assert_eq!(change, PropertyChange::default());
    }

    #[test]
    fn settings_that_no_connection_could_use_are_refused() {
        for (type_name, property, expected) in [
            (
                "platform.nope",
                "client_id",
                "no type \"platform.nope\" has an oauth step",
            ),
            (
                "platform.github",
                "access_token",
                "no type \"platform.github\" has an oauth step",
            ),
            (
                "platform.asana",
                "start_date",
                "the oauth step of platform.asana has no property \"start_date\" that the system may provide",
            ),
            (
                // The user's own.
                "platform.linkedin-ads",
                "access_token",
                "the oauth step of platform.linkedin-ads has no property \"access_token\" that the system may provide",
            ),
        ] {
            let error = configured(type_name, &[(property, "hunter2")]).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let empty = configured("dataworld", &[("access_token", "")]).unwrap_err();
        assert_eq!(
            empty.to_string(),
            "the value of access_token does not match the schema that dataworld has for it"
        );
        assert!(configured("dataworld", &[("access_token", "t")]).is_ok());
    }

    #[test]
    fn debug_shows_names_only() {
        let (_, clients) = known_type();
        let shown = format!("{clients:?}");
        assert!(
            shown.contains("client_secret") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
