//! Stream and field metadata, and the one place that decides what is replicated.

use serde::{Deserialize, Serialize};

/// How a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReplicationMethod {
    #[serde(rename = "FULL_TABLE")]
    FullTable,
    #[serde(rename = "INCREMENTAL")]
    Incremental,
    #[serde(rename = "LOG_BASED")]
    LogBased,
}

impl ReplicationMethod {
    pub fn as_str(self) -> &'static str {
        match self {
            ReplicationMethod::FullTable => "FULL_TABLE",
            ReplicationMethod::Incremental => "INCREMENTAL",
            ReplicationMethod::LogBased => "LOG_BASED",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "FULL_TABLE" => Some(ReplicationMethod::FullTable),
            "INCREMENTAL" => Some(ReplicationMethod::Incremental),
            "LOG_BASED" => Some(ReplicationMethod::LogBased),
            _ => None,
        }
    }
}

/// Whether a field can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inclusion {
    /// Always replicated (keys).
    Automatic,
    /// The user decides.
    Available,
    /// Never replicated.
    Unsupported,
}

/// Whether a field replicates: an explicit `selected` always wins over `selected-by-default`, and both are asked
/// only for `available` fields.
pub fn field_replicates(
    inclusion: Inclusion,
    selected: Option<bool>,
    selected_by_default: Option<bool>,
) -> bool {
    match inclusion {
        Inclusion::Automatic => true,
        Inclusion::Unsupported => false,
        Inclusion::Available => selected.or(selected_by_default).unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_selection_follows_the_documented_table() {
        use Inclusion::*;
        let anything = [None, Some(true), Some(false)];
        for selected in anything {
            for by_default in anything {
                assert!(field_replicates(Automatic, selected, by_default));
                assert!(!field_replicates(Unsupported, selected, by_default));
            }
        }
        for (selected, by_default, replicates) in [
            (Some(true), None, true),
            (Some(true), Some(true), true),
            (Some(true), Some(false), true),
            (Some(false), None, false),
            (Some(false), Some(true), false),
            (Some(false), Some(false), false),
            (None, Some(true), true),
            (None, Some(false), false),
            (None, None, false),
        ] {
            assert_eq!(
                field_replicates(Available, selected, by_default),
                replicates
            );
        }
    }
}
