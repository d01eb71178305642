//! Judging the properties that a caller sends, and turning them into a change of the stored ones.

use std::collections::BTreeSet;

use selvedge_types::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::fill::{self, Fill, FillContext};
use crate::{Category, ConnectionType, Property, PropertyChange, PropertyType, StoredProperties};

/// Properties that say when a source runs and nothing about how to reach it.
pub const SCHEDULE_PROPERTIES: [&str; 3] =
    ["anchor_time", "cron_expression", "frequency_in_minutes"];

/// Properties that were refused. Nothing of the request may be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("properties do not match schema")]
pub struct BadProperties {
    /// Names of all offending properties, sorted, each once.
    pub names: Vec<String>,
}

impl ConnectionType {
    /// The values of a new connection, with everything the server fills in itself.
    ///
    /// Missing required properties are no error: they keep the connection on its step. A null is as if not sent.
    /// `uuid` is random and fresh: generated values carry it.
    pub fn validate_create(
        &self,
        sent: &Map<String, Value>,
        uuid: Uuid,
    ) -> Result<PropertyChange, BadProperties> {
        let mut change = self.judge(sent, |property, value| match value {
            Value::Null => Verdict::Ignore,
            value => self.accept(property, value),
        })?;
        let context = FillContext {
            uuid,
            image_version: self.image_version(),
        };
        for property in self.properties() {
            if let Some(Fill::Template(template)) = &property.fill
                && !change.sets(&property.name)
            {
                change.set(property, Value::String(fill::render(template, context)));
            }
        }
        self.copy_filled(&mut change);
        Ok(change)
    }

    /// What a request changes of a connection's stored values. A null removes an optional value.
    pub fn validate_update(
        &self,
        stored: StoredProperties<'_>,
        sent: &Map<String, Value>,
    ) -> Result<PropertyChange, BadProperties> {
        let mut change = self.judge(sent, |property, value| {
            let verdict = match value {
                Value::Null if property.is_required => Verdict::Refuse,
                Value::Null if property.property_type == PropertyType::ReadOnly => Verdict::Refuse,
                Value::Null => Verdict::Remove,
                value => self.accept(property, value),
            };
            if property.property_type == PropertyType::UserProvidedImmutable {
                once(property, verdict, stored)
            } else {
                verdict
            }
        })?;
        self.copy_filled(&mut change);
        Ok(change)
    }

    /// Looks every name up and collects the verdicts; one refusal refuses the whole.
    fn judge<'a>(
        &'a self,
        sent: &Map<String, Value>,
        verdict: impl Fn(&'a Property, &Value) -> Verdict,
    ) -> Result<PropertyChange, BadProperties> {
        let mut change = PropertyChange::default();
        let mut bad = BTreeSet::new();
        for (name, value) in sent {
            let Some(property) = self.property(name) else {
                bad.insert(name.clone());
                continue;
            };
            match verdict(property, value) {
                Verdict::Set(value) => change.set(property, value),
                Verdict::Remove => {
                    change.removed.insert(name.clone());
                }
                Verdict::Ignore => {}
                Verdict::Refuse => {
                    bad.insert(name.clone());
                }
            }
        }
        if bad.is_empty() {
            Ok(change)
        } else {
            Err(BadProperties {
                names: bad.into_iter().collect(),
            })
        }
    }

    /// A value that is not null: the property's own rules, then those that need more than a schema.
    fn accept(&self, property: &Property, value: &Value) -> Verdict {
        if property.property_type == PropertyType::ReadOnly {
            return Verdict::Refuse;
        }
        let Some(value) = property.accept(value) else {
            return Verdict::Refuse;
        };
        let text = value.as_str();
        let accepted = match property.name.as_str() {
            "frequency_in_minutes" => {
                (text != Some("1") || self.category() == Category::Database).then_some(value)
            }
            // Without a schema in the catalogue; its grammar is the scheduler's.
            "cron_expression" => text.is_some().then_some(value),
            // The pattern takes the thirteenth month.
            "start_date" => text
                .is_some_and(|text| Timestamp::parse(text).is_ok())
                .then_some(value),
            "anchor_time" => text.and_then(in_utc).map(Value::String),
            _ => Some(value),
        };
        accepted.map_or(Verdict::Refuse, Verdict::Set)
    }

    /// Values that are copies of a part of another one follow it.
    fn copy_filled(&self, change: &mut PropertyChange) {
        for property in self.properties() {
            if let Some(Fill::CopyOf(path)) = &property.fill
                && let [name, below @ ..] = path.as_slice()
                && let Some(root) = change
                    .plain
                    .get(name)
                    .or_else(|| change.credentials.expose().get(name))
                && let Some(value) = fill::follow(root, below).cloned()
            {
                change.set(property, value);
            }
        }
    }
}

/// What becomes of one value that was sent.
enum Verdict {
    Set(Value),
    Remove,
    Ignore,
    Refuse,
}

impl PropertyChange {
    fn sets(&self, name: &str) -> bool {
        self.plain.contains_key(name) || self.credentials.expose().contains_key(name)
    }

    pub(crate) fn set(&mut self, property: &Property, value: Value) {
        let name = property.name.clone();
        if property.is_credential {
            self.credentials.insert(name, value);
        } else {
            self.plain.insert(name, value);
        }
    }
}

/// A value that may be set once: the same again is accepted, anything else is refused. A stored credential cannot be
/// compared without decrypting it, so it counts as different.
fn once(property: &Property, verdict: Verdict, stored: StoredProperties<'_>) -> Verdict {
    if !stored.provides(&property.name) {
        return verdict;
    }
    match verdict {
        Verdict::Set(value) if stored.plain.get(&property.name) == Some(&value) => {
            Verdict::Set(value)
        }
        _ => Verdict::Refuse,
    }
}

/// An instant with `Z` as it was sent, one with another offset in UTC. Milliseconds are kept.
fn in_utc(text: &str) -> Option<String> {
    let instant = Timestamp::parse(text).ok()?;
    Some(if text.ends_with('Z') {
        text.to_owned()
    } else if instant.as_micros() % 1_000_000 == 0 {
        instant.to_string()
    } else {
        instant.to_millis_string()
    })
}

#[cfg(test)]
#[path = "validate/tests.rs"]
mod tests;
