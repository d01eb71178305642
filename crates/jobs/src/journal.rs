//! The memory of a run, kept in the store under the job's lease.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use selvedge_connector::{Catalog, ConnectorError, DiscoveredStream, LogLevel, TapMetadata};
use selvedge_control::loads::{self, LoadedRows};
use selvedge_control::streams::{self, SelectedStream};
use selvedge_control::{Control, ControlError};
use selvedge_engine::{
    Component, JournalError, Loaded, Progress, RunJournal, StreamChoice, StreamListing,
    StreamPosition, StreamState, TapPosition, TapStreamState, listing,
};
use selvedge_store::jobs::{self, ClaimedJob};
use selvedge_store::streams::PositionUpdate;
use selvedge_store::{StoreError, tap_positions};
use selvedge_types::job::JobProgress;
use selvedge_types::stream::ReplicationMethod;
use selvedge_types::{Clock, DestinationId, SourceId};
use serde_json::{Value, json};

use crate::lease::SharedProgress;
use crate::log::JobLog;

/// Writes everything a run must remember; refuses once the lease is lost.
pub(crate) struct StoreJournal {
    pub(crate) control: Control,
    pub(crate) job: ClaimedJob,
    pub(crate) source: SourceId,
    pub(crate) destination: DestinationId,
    pub(crate) log: Arc<JobLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) progress: SharedProgress,
    /// The life of each stream that this run knows.
    pub(crate) epochs: Mutex<HashMap<String, i64>>,
}

/// A listing in the form the use case takes.
pub(crate) fn into_control(listing: selvedge_engine::StreamListing) -> streams::StreamListing {
    streams::StreamListing {
        tap_stream_id: listing.tap_stream_id,
        stream_name: listing.stream_name,
        schema: listing.schema,
        metadata: listing.metadata,
        fields: listing.fields,
    }
}

impl StoreJournal {
    fn epochs(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a selected stream, for the planner.
    fn state(&self, selected: SelectedStream, discovered: &DiscoveredStream) -> StreamState {
        let position = selected.position.and_then(|position| {
            match serde_json::from_value::<StreamPosition>(position) {
                Ok(position) => Some(position),
                Err(error) => {
                    // Reading from the beginning is always right; going on from a misread position would not be.
                    let stream = &selected.tap_stream_id;
                    let text = format!(
                        "the position of {stream} is not readable and is discarded: {error}"
                    );
                    self.log(Component::Main, LogLevel::Warning, &text);
                    None
                }
            }
        });
        let metadata = &selected.metadata;
        let text = |key| metadata.stream_value(key).and_then(Value::as_str);
        let replicated: HashSet<&str> = metadata.replicated_fields().collect();
        let view_keys = metadata
            .stream_value("view-key-properties")
            .and_then(Value::as_array);
        StreamState {
            choice: StreamChoice {
                selected: true,
                method: text("replication-method").and_then(ReplicationMethod::parse),
                replication_key: text("replication-key").map(str::to_owned),
                view_key_properties: view_keys
                    .into_iter()
                    .flatten()
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect(),
                fields: discovered
                    .fields
                    .iter()
                    .map(|field| (field.name.clone(), replicated.contains(field.name.as_str())))
                    .collect(),
            },
            tap_stream_id: selected.tap_stream_id,
            position,
            epoch: selected.epoch,
        }
    }

    /// Keeps what discovery found; the selected streams.
    async fn apply(
        &self,
        listings: Vec<StreamListing>,
    ) -> Result<Vec<SelectedStream>, JournalError> {
        let listings = listings.into_iter().map(into_control).collect();
        let applied = streams::apply_discovery(&self.control, &self.job, listings).await;
        if !applied.map_err(control)? {
            return Err(JournalError::Fenced);
        }
        let selected = streams::selection(&self.control, self.job.scope, self.source).await;
        selected.map_err(control)
    }

    /// Runs `write` in a transaction in which the job's lease cannot be lost.
    async fn under_lease<T>(
        &self,
        write: impl AsyncFnOnce(&mut selvedge_store::Tx) -> Result<T, StoreError>,
    ) -> Result<T, JournalError> {
        let mut tx = self.control.store().begin().await.map_err(store)?;
        if !jobs::hold_lease(&mut tx, &self.job.name, self.job.fence)
            .await
            .map_err(store)?
        {
            return Err(JournalError::Fenced);
        }
        let value = write(&mut tx).await.map_err(store)?;
        tx.commit().await.map_err(store)?;
        Ok(value)
    }
}

fn loaded_rows<'a>(destination: DestinationId, loaded: &Loaded<'a>) -> LoadedRows<'a> {
    LoadedRows {
        destination,
        stream_name: loaded.table_name,
        row_count: loaded.row_count,
        at: loaded.at,
        finished: loaded.finished,
    }
}

/// A selected stream of a tap, with what the tap is to be told of it.
fn tap_stream(stream: SelectedStream) -> TapStreamState {
    let fields = stream.metadata.replicated_fields();
    TapStreamState {
        fields: fields.map(str::to_owned).collect(),
        tap_stream_id: stream.tap_stream_id,
        epoch: stream.epoch,
        chosen: stream
            .metadata
            .chosen
            .into_iter()
            .map(|entry| TapMetadata {
                breadcrumb: entry.breadcrumb,
                metadata: entry.metadata,
            })
            .collect(),
    }
}

fn store(error: StoreError) -> JournalError {
    control(error.into())
}

/// What the database said is for the operator; whoever owns the job reads that it failed.
fn control(error: ControlError) -> JournalError {
    let told = match &error {
        ControlError::Store(error) => error.to_string(),
        other => other.to_string(),
    };
    let error: &dyn Error = &error;
    tracing::error!(error, "a run could not be recorded");
    JournalError::Store(told)
}

#[async_trait]
impl RunJournal for StoreJournal {
    async fn discovered(&self, catalog: &Catalog) -> Result<Vec<StreamState>, JournalError> {
        let listings = catalog.streams.iter().map(listing).collect();
        let selected = self.apply(listings).await?;
        let found: HashMap<&str, &DiscoveredStream> = catalog
            .streams
            .iter()
            .map(|stream| (stream.tap_stream_id.as_str(), stream))
            .collect();
        let states: Vec<_> = selected
            .into_iter()
            .filter_map(|stream| {
                let discovered = found.get(stream.tap_stream_id.as_str())?;
                Some(self.state(stream, discovered))
            })
            .collect();
        *self.epochs() = states
            .iter()
            .map(|state| (state.tap_stream_id.clone(), state.epoch))
            .collect();
        Ok(states)
    }

    async fn reset(&self, tap_stream_id: &str) -> Result<i64, JournalError> {
        let (scope, source) = (self.job.scope, self.source);
        let epoch = self
            .under_lease(async |tx| {
                selvedge_store::streams::reset(tx, scope, source, tap_stream_id).await?;
                let found = selvedge_store::streams::find_by_tap_stream_id(
                    tx,
                    scope,
                    source,
                    tap_stream_id,
                )
                .await?;
                Ok(found.map(|stream| stream.epoch))
            })
            .await?
            .ok_or(JournalError::StreamReset)?;
        self.epochs().insert(tap_stream_id.to_owned(), epoch);
        Ok(epoch)
    }

    async fn save_position(
        &self,
        tap_stream_id: &str,
        position: &StreamPosition,
        loaded: Option<Loaded<'_>>,
    ) -> Result<(), JournalError> {
        let epoch = self
            .epochs()
            .get(tap_stream_id)
            .copied()
            .ok_or(JournalError::StreamReset)?;
        let stored = serde_json::to_value(position)
            .map_err(|error| JournalError::Store(error.to_string()))?;
        let (scope, source, fence) = (self.job.scope, self.source, self.job.fence);
        let destination = self.destination;
        let update = self
            .under_lease(async |tx| {
                let update = selvedge_store::streams::save_position(
                    tx,
                    scope,
                    source,
                    tap_stream_id,
                    epoch,
                    &stored,
                    fence,
                )
                .await?;
                if let Some(loaded) = &loaded
                    && update == PositionUpdate::Saved
                {
                    let rows = loaded_rows(destination, loaded);
                    loads::record(tx, scope, source, rows).await?;
                }
                Ok(update)
            })
            .await?;
        match update {
            PositionUpdate::FenceLost => Err(JournalError::Fenced),
            PositionUpdate::EpochOver => Err(JournalError::StreamReset),
            PositionUpdate::Saved => {
                if loaded.is_some()
                    && let Some(value) = &position.replication_key_value
                {
                    let key = position.replication_key.as_deref().unwrap_or_default();
                    let text = format!(
                        "State update: adding bookmarks.{tap_stream_id}.{key} = \"{value}\""
                    );
                    self.log(Component::Target, LogLevel::Info, &text);
                }
                Ok(())
            }
        }
    }

    async fn discovered_by_tap(
        &self,
        listings: Vec<StreamListing>,
    ) -> Result<Vec<TapStreamState>, JournalError> {
        let found: HashSet<String> = listings
            .iter()
            .map(|listing| listing.tap_stream_id.clone())
            .collect();
        let selected = self.apply(listings).await?;
        Ok(selected
            .into_iter()
            .filter(|stream| found.contains(&stream.tap_stream_id))
            .map(tap_stream)
            .collect())
    }

    async fn tap_position(&self) -> Result<TapPosition, JournalError> {
        let found = async {
            let mut tx = self.control.store().read().await?;
            tap_positions::find(&mut tx, self.job.scope, self.source).await
        };
        let Some(position) = found.await.map_err(store)? else {
            return Ok(TapPosition::default());
        };
        // Starting over by mistake would read years again; whoever wrote this must say what is to become of it.
        serde_json::from_value(position).map_err(|error| {
            JournalError::Store(format!(
                "the position of the source is not readable: {error}"
            ))
        })
    }

    async fn save_tap_position(
        &self,
        position: &TapPosition,
        loaded: &[Loaded<'_>],
    ) -> Result<(), JournalError> {
        let stored = serde_json::to_value(position)
            .map_err(|error| JournalError::Store(error.to_string()))?;
        let (scope, source, fence) = (self.job.scope, self.source, self.job.fence);
        let (destination, now) = (self.destination, self.clock.now());
        let saved = self
            .under_lease(async |tx| {
                let saved = tap_positions::save(tx, scope, source, &stored, fence, now).await?;
                for loaded in loaded.iter().filter(|_| saved) {
                    let rows = loaded_rows(destination, loaded);
                    loads::record(tx, scope, source, rows).await?;
                }
                Ok(saved)
            })
            .await?;
        match saved {
            true => Ok(()),
            false => Err(JournalError::Fenced),
        }
    }

    async fn load_failed(
        &self,
        table_name: &str,
        error: &ConnectorError,
    ) -> Result<(), JournalError> {
        let state = error_state(error);
        let (scope, source, now) = (self.job.scope, self.source, self.clock.now());
        self.under_lease(async |tx| {
            selvedge_store::loads::record_failure(tx, scope, source, table_name, &state, now).await
        })
        .await?;
        Ok(())
    }

    fn log(&self, component: Component, level: LogLevel, text: &str) {
        self.log.write(self.clock.now(), component, level, text);
    }

    fn progress(&self, progress: &Progress) {
        let mut shared = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        *shared = JobProgress {
            row_count: progress.row_count,
            size_bytes: progress.size_bytes,
            streams_done: progress.streams_done,
            streams_total: progress.streams_total,
        };
    }
}

/// The documented shape of a load's error.
pub(crate) fn error_state(error: &ConnectorError) -> serde_json::Value {
    use selvedge_connector::ErrorKind;
    let internal = error.kind == ErrorKind::Internal;
    let action = match error.kind {
        ErrorKind::Authentication | ErrorKind::Unreachable | ErrorKind::Configuration => {
            "get-connection"
        }
        _ => "load-table",
    };
    json!({
        "notification_data": {
            "message": error.message, "exception_message": error.message, "warehouse_error_code": null,
            "error": if internal { "LOADER_INTERNAL_ERROR" } else { "LOADER_WAREHOUSE_ERROR" },
            "new_column": null, "status": "ERROR", "warehouse_sql_state": error.code, "action": action,
            "warehouse_message": error.detail, "column": null,
        },
        "exception_chain": [{
            "class": format!("selvedge.{:?}", error.kind), "message": error.message, "chain_sequence_num": 0,
            "action": action,
        }],
    })
}
