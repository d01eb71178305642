//! The memory of a one-off copy: none but the progress bar, and a file for a tap's state.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use indicatif::ProgressBar;
use selvedge_connector::{Catalog, ConnectorError, DiscoveredStream, LogLevel, TapMetadata};
use selvedge_engine::{
    Component, JournalError, Loaded, Progress, RunJournal, StreamChoice, StreamListing,
    StreamPosition, StreamState, TapPosition, TapStreamState,
};
use selvedge_types::stream::{Inclusion, ReplicationMethod, field_replicates};
use serde_json::{Map, Value};

use super::tap::StateFile;

/// Selects the named streams, shows progress, and prints warnings.
pub(crate) struct MemoryJournal {
    wanted: Vec<String>,
    method: ReplicationMethod,
    replication_key: Option<String>,
    tap_state: Option<StateFile>,
    bar: ProgressBar,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    known: Vec<String>,
    missing: Option<String>,
}

impl MemoryJournal {
    pub(crate) fn new(
        wanted: Vec<String>,
        method: ReplicationMethod,
        replication_key: Option<String>,
        tap_state: Option<StateFile>,
        bar: ProgressBar,
    ) -> Self {
        Self {
            wanted,
            method,
            replication_key,
            tap_state,
            bar,
            found: Mutex::default(),
        }
    }

    /// The first wanted stream that the source does not have.
    pub(crate) fn first_missing(&self) -> Option<String> {
        self.found().missing.clone()
    }

    /// Names of the streams the source has.
    pub(crate) fn known(&self) -> Vec<String> {
        self.found().known.clone()
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answers_to(stream: &DiscoveredStream, name: &str) -> bool {
    name == stream.stream_name
        || name == stream.tap_stream_id
        || name == format!("{}.{}", stream.location.schema, stream.stream_name)
}

/// A stream of a tap with all fields that it offers by default.
pub(super) fn whole(listing: StreamListing) -> TapStreamState {
    let replicates = |metadata: &Map<String, Value>| {
        let inclusion = match metadata.get("inclusion").and_then(Value::as_str) {
            Some("automatic") => Inclusion::Automatic,
            Some("unsupported") => Inclusion::Unsupported,
            _ => Inclusion::Available,
        };
        let by_default = metadata.get("selected-by-default").and_then(Value::as_bool);
        field_replicates(inclusion, None, by_default)
    };
    let fields = listing.fields.iter().filter_map(|(breadcrumb, metadata)| {
        let [_, field] = &breadcrumb[..] else {
            return None;
        };
        replicates(metadata).then(|| field.clone())
    });
    TapStreamState {
        fields: fields.collect(),
        tap_stream_id: listing.tap_stream_id,
        epoch: 1,
        chosen: vec![TapMetadata {
            breadcrumb: Vec::new(),
            metadata: Map::from_iter([("selected".to_owned(), true.into())]),
        }],
    }
}

#[async_trait]
impl RunJournal for MemoryJournal {
    async fn discovered(&self, catalog: &Catalog) -> Result<Vec<StreamState>, JournalError> {
        let mut found = self.found();
        found.known = catalog
            .streams
            .iter()
            .map(|stream| stream.stream_name.clone())
            .collect();
        let unknown = |name: &&String| {
            !catalog
                .streams
                .iter()
                .any(|stream| answers_to(stream, name))
        };
        found.missing = self.wanted.iter().find(unknown).cloned();
        if found.missing.is_some() {
            return Ok(Vec::new());
        }
        let selected = |stream: &DiscoveredStream| {
            self.wanted.is_empty() || self.wanted.iter().any(|name| answers_to(stream, name))
        };
        Ok(catalog
            .streams
            .iter()
            .map(|stream| StreamState {
                tap_stream_id: stream.tap_stream_id.clone(),
                choice: StreamChoice {
                    selected: selected(stream),
                    method: Some(self.method),
                    replication_key: self.replication_key.clone(),
                    ..StreamChoice::default()
                },
                position: None,
                epoch: 1,
            })
            .collect())
    }

    async fn reset(&self, _tap_stream_id: &str) -> Result<i64, JournalError> {
        Ok(1)
    }

    async fn save_position(
        &self,
        _tap_stream_id: &str,
        _position: &StreamPosition,
        _loaded: Option<Loaded<'_>>,
    ) -> Result<(), JournalError> {
        Ok(())
    }

    async fn discovered_by_tap(
        &self,
        listings: Vec<StreamListing>,
    ) -> Result<Vec<TapStreamState>, JournalError> {
        let answers = |listing: &StreamListing, name: &String| {
            *name == listing.stream_name || *name == listing.tap_stream_id
        };
        let mut found = self.found();
        found.known = listings
            .iter()
            .map(|listing| listing.stream_name.clone())
            .collect();
        let unknown = |name: &&String| !listings.iter().any(|listing| answers(listing, name));
        found.missing = self.wanted.iter().find(unknown).cloned();
        if found.missing.is_some() {
            return Err(JournalError::Store("the stream is unknown".to_owned()));
        }
        let selected = |listing: &StreamListing| {
            self.wanted.is_empty() || self.wanted.iter().any(|name| answers(listing, name))
        };
        Ok(listings.into_iter().filter(selected).map(whole).collect())
    }

    async fn tap_position(&self) -> Result<TapPosition, JournalError> {
        let state = self.tap_state.as_ref().map(StateFile::state);
        Ok(TapPosition {
            state: state.flatten(),
            ..TapPosition::default()
        })
    }

    async fn save_tap_position(
        &self,
        position: &TapPosition,
        _loaded: &[Loaded<'_>],
    ) -> Result<(), JournalError> {
        match (&self.tap_state, &position.state) {
            (Some(file), Some(state)) => file.write(state).map_err(|error| {
                JournalError::Store(format!("the state file cannot be written: {error}"))
            }),
            _ => Ok(()),
        }
    }

    async fn load_failed(
        &self,
        _table_name: &str,
        _error: &ConnectorError,
    ) -> Result<(), JournalError> {
        Ok(())
    }

    fn log(&self, component: Component, level: LogLevel, text: &str) {
        // Failures are in the report; warnings are nowhere else.
        if level == LogLevel::Warning {
            self.bar
                .suspend(|| eprintln!("{} - {} {text}", component.as_str(), level.as_str()));
        }
    }

    fn progress(&self, progress: &Progress) {
        self.bar.set_position(progress.row_count);
        if let Some((table, estimate)) = &progress.current {
            let of = estimate.map_or_else(String::new, |rows| format!(" of about {rows} rows"));
            self.bar.set_message(format!("{table}{of}"));
        }
    }
}
