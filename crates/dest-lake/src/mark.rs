//! What a stream committed last, in an object of its own beside the data.
//!
//! A load is one commit, although it may be several objects and a store has no transactions. Its steps:
//!
//! 1. the mark names what is about to come: the position, and the load's last object;
//! 2. the objects are made, those of subtables and rejections first, the table's own last;
//! 3. the mark says that it is done.
//!
//! Whether a load that was cut short counts is then a fact: it does if its last object is there. A run that finds such a mark
//! looks. If the object is there, it goes on behind the load; if not, it reads the rows again, and nobody has seen them but
//! in objects of subtables and rejections, which no row of the table refers to.

use selvedge_connector::{ConnectorError, ErrorKind, StreamIdentity};
use selvedge_shape::system;
use serde::{Deserialize, Serialize};

use crate::key_template::{KeyTemplate, segment};
use crate::store::Store;

/// The mark of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    source_id: i64,
    tap_stream_id: String,
    epoch: i64,
    /// Fencing number of the run; a smaller one may not commit any more.
    pub(crate) fence: i64,
    /// The newest version that is complete; readers of full tables need no other.
    pub(crate) table_version: i64,
    pub(crate) committed: Option<Commit>,
    /// A load under way.
    pub(crate) pending: Option<Pending>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Commit {
    pub(crate) checkpoint: i64,
    pub(crate) position: Option<String>,
    /// ISO 8601.
    pub(crate) at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// What holds once the object is there.
    pub(crate) commit: Commit,
    pub(crate) table_version: i64,
    /// Key of the load's last object, and the token by which it is known from another of that key.
    pub(crate) object: String,
    pub(crate) token: String,
}

/// Key of the mark of a table: `<schema>/_sdc_selvedge_commits/<source>_<table>.json`, in the fixed folders of the template.
pub(crate) fn key(
    template: &KeyTemplate,
    schema: &str,
    identity: &StreamIdentity,
    table: &str,
) -> String {
    format!(
        "{}{}/{}/{}_{}.json",
        template.fixed_folder(),
        segment(schema),
        system::COMMITS_TABLE,
        identity.source_id,
        segment(table)
    )
}

impl Mark {
    /// For a stream that has committed nothing in this life.
    pub(crate) fn new(identity: &StreamIdentity, fence: i64) -> Self {
        Self {
            source_id: identity.source_id,
            tap_stream_id: identity.tap_stream_id.clone(),
            epoch: identity.epoch,
            fence,
            table_version: 0,
            committed: None,
            pending: None,
        }
    }

    /// The mark as it was left.
    pub(crate) async fn read(store: &dyn Store, key: &str) -> Result<Option<Self>, ConnectorError> {
        let Some(content) = store.read(key).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&content).map(Some).map_err(|error| {
            ConnectorError::new(
                ErrorKind::Data,
                format!(
                    "the commit mark {key} cannot be read: restore it, or remove it to go on without it"
                ),
            )
            .with_detail(error.to_string())
        })
    }

    /// Refuses when a newer run of the stream was here.
    pub(crate) fn check_fence(
        &self,
        identity: &StreamIdentity,
        fence: i64,
    ) -> Result<(), ConnectorError> {
        if self.is_of(identity) && self.fence > fence {
            return Err(ConnectorError::new(
                ErrorKind::Stopped,
                "a newer run of this stream has written to the destination",
            ));
        }
        Ok(())
    }

    /// The mark for a run that goes on from here, once it is known whether the load under way counts.
    pub(crate) async fn settled(
        self,
        store: &dyn Store,
        identity: &StreamIdentity,
        fence: i64,
    ) -> Result<Self, ConnectorError> {
        let mut settled = Self::new(identity, fence);
        if !self.is_of(identity) || self.epoch != identity.epoch {
            return Ok(settled);
        }
        settled.table_version = self.table_version;
        settled.committed = self.committed;
        if let Some(pending) = self.pending
            && store.holds(&pending.object, &pending.token).await?
        {
            settled.table_version = pending.table_version;
            settled.committed = Some(pending.commit);
        }
        Ok(settled)
    }

    fn is_of(&self, identity: &StreamIdentity) -> bool {
        self.source_id == identity.source_id && self.tap_stream_id == identity.tap_stream_id
    }

    /// Puts the mark where the next run looks for it.
    pub(crate) async fn write(&self, store: &dyn Store, key: &str) -> Result<(), ConnectorError> {
        let content = serde_json::to_vec(self).map_err(|error| {
            ConnectorError::internal("the commit mark could not be made")
                .with_detail(error.to_string())
        })?;
        store.replace(key, content).await
    }
}
