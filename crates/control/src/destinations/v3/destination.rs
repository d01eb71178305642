//! A destination as version 3 shows it.

use selvedge_catalog::Properties;
use selvedge_store::destinations::DestinationRecord;
use selvedge_store::jobs::{self, JobRecord};
use selvedge_store::{Credentials, ReadTx};
use selvedge_types::job::JobState;
use selvedge_types::{AccountScope, DestinationId, Timestamp};

use crate::ControlError;

/// Credentials that are shown all the same: the user has to put a file with this name into the bucket.
const SHOWN_CREDENTIALS: [&str; 1] = ["sentinel_key"];

/// A destination with its last check.
#[derive(Clone, Debug)]
pub struct DestinationV3 {
    pub id: DestinationId,
    pub type_name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Sorted by name, without credentials but for those that the user has to know.
    pub connection: Properties,
    /// `None` before the first.
    pub last_check: Option<LastCheck>,
}

/// How the newest check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCheck {
    /// Whether it has failed; never while it waits or runs.
    pub failed: bool,
    /// When it was asked for, until a worker takes it.
    pub started_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}

impl DestinationV3 {
    pub(super) async fn new(
        tx: &mut ReadTx,
        scope: AccountScope,
        record: DestinationRecord,
    ) -> Result<Self, ControlError> {
        let newest = jobs::latest_check(tx, scope, record.id.into()).await?;
        let mut connection: Properties = record.properties.into_iter().collect();
        connection.extend(shown(&record.credentials));
        Ok(Self {
            id: record.id,
            type_name: record.destination_type,
            created_at: record.created_at,
            updated_at: record.updated_at,
            connection,
            last_check: newest.map(LastCheck::from),
        })
    }
}

fn shown(credentials: &Credentials) -> impl Iterator<Item = (String, serde_json::Value)> {
    SHOWN_CREDENTIALS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), credentials.expose(name)?.clone())))
}

impl From<JobRecord> for LastCheck {
    fn from(job: JobRecord) -> Self {
        Self {
            failed: matches!(job.state, JobState::Failed | JobState::Terminated),
            started_at: job.started_at.unwrap_or(job.created_at),
            completed_at: job.completed_at,
        }
    }
}
