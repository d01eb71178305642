//! The memory of a load: the store keeps positions, then the log may forget what is before them.

use std::sync::Arc;

use async_trait::async_trait;
use selvedge_connector::LogLevel;
use selvedge_control::Control;
use selvedge_control::loads::{self, LoadedRows};
use selvedge_engine::lane::{LaneJournal, LanePosition};
use selvedge_engine::{JournalError, Loaded};
use selvedge_spool::{IntakeLog, Lane, Lsn};
use selvedge_store::StoreError;
use selvedge_store::intake_lanes::{self, LaneKey};
use selvedge_types::{AccountScope, Clock, DestinationId};

pub(super) struct StoreLaneJournal {
    pub(super) control: Control,
    pub(super) log: Arc<dyn IntakeLog>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) scope: AccountScope,
    pub(super) lane: Lane,
    pub(super) key: LaneKey,
    pub(super) fence: i64,
    /// Where the records go.
    pub(super) destination: DestinationId,
}

impl StoreLaneJournal {
    /// Whether the lane is still this load's.
    async fn keep(
        &self,
        position: LanePosition,
        loaded: Option<Loaded<'_>>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let stored = intake_lanes::LanePosition {
            upto: i64::try_from(position.upto).unwrap_or(i64::MAX),
            through: i64::try_from(position.through).unwrap_or(i64::MAX),
            table_version: position.table_version,
        };
        let mut tx = self.control.store().begin().await?;
        let (scope, key) = (self.scope, &self.key);
        if !intake_lanes::save(&mut tx, scope, key, self.fence, stored, now).await? {
            return Ok(false);
        }
        if let Some(loaded) = loaded {
            let loaded = LoadedRows {
                destination: self.destination,
                stream_name: loaded.table_name,
                row_count: loaded.row_count,
                at: loaded.at,
                finished: loaded.finished,
            };
            loads::record(&mut tx, scope, self.lane.source, loaded).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

#[async_trait]
impl LaneJournal for StoreLaneJournal {
    async fn save(
        &self,
        position: LanePosition,
        loaded: Option<Loaded<'_>>,
    ) -> Result<(), JournalError> {
        match self.keep(position, loaded).await {
            Ok(true) => {}
            Ok(false) => return Err(JournalError::Fenced),
            Err(error) => {
                let told = error.to_string();
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the position of a load could not be saved");
                return Err(JournalError::Store(told));
            }
        }
        // The store is what counts: whatever the log does not forget now, it forgets when it is opened again.
        if let Err(error) = self.log.acknowledge(&self.lane, Lsn(position.upto)).await {
            tracing::warn!(%error, "the intake log could not forget what is loaded; it does at the next start");
        }
        Ok(())
    }

    fn log(&self, level: LogLevel, text: &str) {
        let (source, table) = (self.lane.source.0, &self.lane.table_name);
        match level {
            LogLevel::Info => tracing::info!(source.id = source, %table, "{text}"),
            LogLevel::Warning => tracing::warn!(source.id = source, %table, "{text}"),
            LogLevel::Debug => tracing::debug!(source.id = source, %table, "{text}"),
            LogLevel::Error | LogLevel::Critical => {
                tracing::error!(source.id = source, %table, "{text}")
            }
        }
    }
}
