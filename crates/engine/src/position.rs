//! What is remembered of a stream between runs.

use selvedge_connector::KeyBound;
use selvedge_types::stream::ReplicationMethod;
use serde::{Deserialize, Serialize};

use crate::LoadSummary;

/// A stream's bookmark, stored as JSON, and kept by the destination beside the rows it belongs to. Names follow the state
/// documents of SQL taps.
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
    /// INCREMENTAL: every row with that value is durable too, and greater ones had been read: an interrupted read goes on
    /// behind it. Otherwise reading begins with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replication_key_passed: bool,
    /// FULL_TABLE: the table version (epoch milliseconds) of the newest pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Whether the stream was read to its end at least once (FULL_TABLE: whether the pass of `version` was).
    #[serde(default)]
    pub complete: bool,
    /// The greatest `_sdc_sequence` handed out, so that sequences go on ascending even if the clock was set back.
    #[serde(default)]
    pub last_sequence: i64,
    /// The run that it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_by: Option<SavedBy>,
    /// What became durable since a load of the stream was told last.
    #[serde(default, skip_serializing_if = "LoadSummary::is_empty")]
    pub untold: LoadSummary,
}

/// The run that a position comes from, and how far its job was with the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedBy {
    /// The job. A run that takes up an interrupted job has another fence and the same job.
    pub job: String,
    pub epoch: i64,
    pub fence: i64,
    /// Checkpoints of the stream in that run; 0 before the first.
    pub checkpoint: i64,
    /// Whether the job has nothing left to do for the stream.
    pub finished: bool,
    /// What the job has read of the stream.
    pub row_count: u64,
    pub size_bytes: u64,
}

impl StreamPosition {
    /// Whether a run with this method and key may go on from here.
    pub fn continues(&self, method: ReplicationMethod, key: Option<&str>) -> bool {
        self.last_replication_method == method
            && (method != ReplicationMethod::Incremental || self.replication_key.as_deref() == key)
    }

    /// Where an incremental read begins; `None` for the beginning.
    pub(crate) fn bound(&self) -> Option<KeyBound> {
        Some(KeyBound {
            value: self.replication_key_value.clone()?,
            inclusive: !self.replication_key_passed,
        })
    }

    /// What `job` has read of the stream in this epoch, if the position is its own.
    pub(crate) fn of_job(&self, job: &str, epoch: i64) -> Option<&SavedBy> {
        self.saved_by
            .as_ref()
            .filter(|saved| saved.job == job && saved.epoch == epoch)
    }

    /// Whether this is a later checkpoint of the very run that `earlier` comes from. Nothing else is compared: a value would
    /// not tell which of two positions is further, and a fence is in no other run.
    pub(crate) fn follows(&self, earlier: &Self) -> bool {
        match (&self.saved_by, &earlier.saved_by) {
            (Some(own), Some(earlier)) => {
                (own.epoch, own.fence) == (earlier.epoch, earlier.fence)
                    && own.checkpoint > earlier.checkpoint
            }
            _ => false,
        }
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
        assert!(position.bound().unwrap().inclusive);
        assert_eq!(position.of_job("", 1), None);
    }

    #[test]
    fn a_position_follows_an_earlier_one_of_the_same_run_and_epoch_only() {
        let position = |epoch, fence, checkpoint| {
            let text = serde_json::json!({
                "last_replication_method": "INCREMENTAL",
                "saved_by": { "job": "j", "epoch": epoch, "fence": fence, "checkpoint": checkpoint,
                    "finished": false, "row_count": 0, "size_bytes": 0 },
            });
            serde_json::from_value::<StreamPosition>(text).unwrap()
        };
        let stored = position(1, 10, 3);
        assert!(position(1, 10, 4).follows(&stored));
        assert!(!position(1, 10, 3).follows(&stored), "it is the same");
        assert!(!position(1, 10, 2).follows(&stored), "it is older");
        assert!(!position(1, 9, 9).follows(&stored), "another run");
        assert!(!position(1, 11, 9).follows(&stored), "an unknown run");
        assert!(!position(2, 10, 4).follows(&stored), "another life");
        let unsigned = StreamPosition {
            saved_by: None,
            ..stored.clone()
        };
        assert!(!stored.follows(&unsigned) && !unsigned.follows(&stored));
    }
}
