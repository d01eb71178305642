//! What is remembered of a stream between runs.

use selvedge_types::stream::ReplicationMethod;
use serde::{Deserialize, Serialize};

/// A stream's bookmark, stored as JSON. Names follow the state documents of SQL taps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPosition {
    /// The method the position belongs to; another method starts over.
    pub last_replication_method: ReplicationMethod,
    /// INCREMENTAL: the replication key the value belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_key: Option<String>,
    /// INCREMENTAL: the greatest key value that is durable in the destination, in canonical text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_key_value: Option<String>,
    /// FULL_TABLE: the table version (epoch milliseconds) of the newest pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Whether the stream was read to its end at least once (FULL_TABLE: whether the pass of `version` was).
    #[serde(default)]
    pub complete: bool,
    /// The greatest `_sdc_sequence` handed out, so that sequences go on ascending even if the clock was set back.
    #[serde(default)]
    pub last_sequence: i64,
}

impl StreamPosition {
    /// Whether a run with this method and key may go on from here.
    pub fn continues(&self, method: ReplicationMethod, key: Option<&str>) -> bool {
        self.last_replication_method == method
            && (method != ReplicationMethod::Incremental || self.replication_key.as_deref() == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_positions_of_the_first_format_still_load() {
        let stored = r#"{"last_replication_method":"INCREMENTAL","replication_key":"changed",
            "replication_key_value":"2031-02-03T04:05:06.000000Z","complete":true,"last_sequence":7}"#;
        let position: StreamPosition = serde_json::from_str(stored).unwrap();
        assert!(position.continues(ReplicationMethod::Incremental, Some("changed")));
        assert!(!position.continues(ReplicationMethod::Incremental, Some("id")));
        assert!(!position.continues(ReplicationMethod::FullTable, None));
    }
}
