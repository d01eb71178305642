//! Documented properties that this build cannot honour. They are refused with a sentence, never stored and ignored.

use selvedge_catalog::{ConnectionType, PropertyChange, Runs};
use serde_json::Value;

/// A property, the values of it that ask for something missing, and what to do without it.
struct Feature {
    property: &'static str,
    asks: fn(&str) -> bool,
    sentence: &'static str,
}

const FEATURES: [Feature; 7] = [
    Feature {
        property: "ssh",
        asks: |value| value != "false",
        sentence: "SSH tunnels are not available in this build: connect directly and leave ssh out or false.",
    },
    Feature {
        property: "encryption_type",
        asks: |value| value != "none",
        sentence: "SSH tunnels are not available in this build: connect directly and leave encryption_type out or none.",
    },
    Feature {
        property: "use_log_based_replication",
        asks: |value| value != "false",
        sentence: "Log-based replication is not available in this build: leave use_log_based_replication out or false and choose another method per stream.",
    },
    Feature {
        property: "default_replication_method",
        asks: |value| value == "LOG_BASED",
        sentence: "Log-based replication is not available in this build: leave default_replication_method out or choose another method.",
    },
    Feature {
        property: "ssl_client_auth_enabled",
        asks: |value| value != "false",
        sentence: "Client certificates are not available in this build: leave ssl_client_auth_enabled out or false.",
    },
    Feature {
        property: "ssl_cert",
        asks: |_| true,
        sentence: "Client certificates are not available in this build: leave ssl_cert out.",
    },
    Feature {
        property: "ssl_key",
        asks: |_| true,
        sentence: "Client certificates are not available in this build: leave ssl_key out.",
    },
];

/// The first of the sent values that asks for something this build does not have, with a sentence about it. Only for
/// connectors of our own: what runs nowhere here yet is stored as it is, and its check says that it does not run.
pub(crate) fn asked_for(
    connection_type: &ConnectionType,
    runs: Runs,
    change: &PropertyChange,
) -> Option<(&'static str, &'static str)> {
    if runs != Runs::Native {
        return None;
    }
    FEATURES
        .iter()
        .filter(|feature| connection_type.property(feature.property).is_some())
        .find(|feature| {
            let credentials = change.credentials.expose();
            let value = change.plain.get(feature.property);
            match value.or_else(|| credentials.get(feature.property)) {
                None | Some(Value::Null) => false,
                Some(Value::String(text)) => (feature.asks)(text),
                Some(other) => (feature.asks)(&other.to_string()),
            }
        })
        .map(|feature| (feature.property, feature.sentence))
}

#[cfg(test)]
mod tests {
    use selvedge_catalog::Catalog;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_values_that_switch_something_on_are_refused_and_only_of_native_types() {
        let postgres = Catalog::global()
            .source_type("platform.postgres")
            .expect("the catalogue has PostgreSQL");
        let asked = |runs, name: &str, value: &str| {
            let mut change = PropertyChange::default();
            change.plain.insert(name.to_owned(), json!(value));
            asked_for(postgres, runs, &change).map(|(name, _)| name)
        };
        assert_eq!(asked(Runs::Native, "ssh", "true"), Some("ssh"));
        assert_eq!(asked(Runs::Native, "ssh", "false"), None);
        assert_eq!(
            asked(Runs::Native, "use_log_based_replication", "true"),
            Some("use_log_based_replication")
        );
        assert_eq!(asked(Runs::NotYet, "ssh", "true"), None);
    }
}
