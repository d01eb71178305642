//! Property values: stored ones, and the change a request makes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use crate::validate::SCHEDULE_PROPERTIES;

/// Values that may be returned, by name; the order of names is the order on the wire.
pub type Properties = BTreeMap<String, Value>;

/// Values that are never returned. `Debug` shows names only, and there is no `Serialize`.
#[derive(Clone, Default, PartialEq)]
pub struct Credentials(BTreeMap<String, Value>);

impl Credentials {
    pub fn new(values: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self(values.into_iter().collect())
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values themselves; the caller keeps them out of logs, answers and errors.
    pub fn expose(&self) -> &BTreeMap<String, Value> {
        &self.0
    }

    /// As [`Credentials::expose`], giving the values away.
    pub fn into_exposed(self) -> BTreeMap<String, Value> {
        self.0
    }

    pub(crate) fn insert(&mut self, name: String, value: Value) {
        self.0.insert(name, value);
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

/// What is stored of a connection, as far as the rules need to know: plain values, and which credentials there are.
#[derive(Clone, Copy, Debug)]
pub struct StoredProperties<'a> {
    pub plain: &'a Properties,
    pub credential_names: &'a BTreeSet<String>,
}

impl StoredProperties<'static> {
    /// Nothing provided yet.
    pub fn none() -> Self {
        static PLAIN: Properties = BTreeMap::new();
        static CREDENTIAL_NAMES: BTreeSet<String> = BTreeSet::new();
        Self {
            plain: &PLAIN,
            credential_names: &CREDENTIAL_NAMES,
        }
    }
}

impl StoredProperties<'_> {
    /// Whether a value of that name is stored.
    pub fn provides(&self, name: &str) -> bool {
        self.plain.contains_key(name) || self.credential_names.contains(name)
    }
}

/// A validated change: what to merge into the stored values, key by key, and what to take out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PropertyChange {
    pub plain: Properties,
    pub credentials: Credentials,
    pub removed: BTreeSet<String>,
}

impl PropertyChange {
    /// Merges the change into stored values.
    pub fn apply(self, plain: &mut Properties, credentials: &mut Credentials) {
        for name in &self.removed {
            plain.remove(name);
            credentials.0.remove(name);
        }
        plain.extend(self.plain);
        credentials.0.extend(self.credentials.0);
    }

    /// Names of everything that is set or removed.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let set = self.plain.keys().map(String::as_str);
        set.chain(self.credentials.names())
            .chain(self.removed.iter().map(String::as_str))
    }

    /// Whether it touches the schedule and nothing else: then the connection needs no new check. False when empty.
    pub fn concerns_schedule_only(&self) -> bool {
        let mut names = self.names().peekable();
        names.peek().is_some() && names.all(|name| SCHEDULE_PROPERTIES.contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn debug_does_not_show_credentials() {
        let change = PropertyChange {
            credentials: Credentials::new([("password".to_owned(), json!("hunter2"))]),
            ..PropertyChange::default()
        };
        let shown = format!("{change:?}");
        assert!(
            shown.contains("password") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn a_change_merges_key_by_key() {
        let mut plain = Properties::from([
            ("host".to_owned(), json!("a")),
            ("port".to_owned(), json!("1")),
            ("role".to_owned(), json!("r")),
        ]);
        let mut credentials = Credentials::new([
            ("key".to_owned(), json!("k")),
            ("password".to_owned(), json!("p")),
        ]);
        let change = PropertyChange {
            plain: Properties::from([("host".to_owned(), json!("b"))]),
            credentials: Credentials::new([("password".to_owned(), json!("q"))]),
            removed: BTreeSet::from(["role".to_owned(), "key".to_owned()]),
        };
        change.apply(&mut plain, &mut credentials);
        assert_eq!(json!(plain), json!({"host": "b", "port": "1"}));
        assert_eq!(json!(credentials.expose()), json!({"password": "q"}));
    }

    #[test]
    fn only_schedule_names_make_a_schedule_change() {
        let of = |names: &[&str]| PropertyChange {
            removed: names.iter().map(|name| (*name).to_owned()).collect(),
            ..PropertyChange::default()
        };
        assert!(
            of(&["anchor_time", "cron_expression", "frequency_in_minutes"])
                .concerns_schedule_only()
        );
        assert!(!of(&["anchor_time", "start_date"]).concerns_schedule_only());
        assert!(!of(&[]).concerns_schedule_only());
    }
}
