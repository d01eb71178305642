//! The memory of a one-off copy: none but the progress bar.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use indicatif::ProgressBar;
use selvedge_connector::{Catalog, ConnectorError, DiscoveredStream, LogLevel};
use selvedge_engine::{
    Component, JournalError, Loaded, Progress, RunJournal, StreamChoice, StreamPosition,
    StreamState,
};
use selvedge_types::stream::ReplicationMethod;

/// Selects the named streams, shows progress, and prints warnings.
pub(crate) struct MemoryJournal {
    wanted: Vec<String>,
    method: ReplicationMethod,
    replication_key: Option<String>,
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
        bar: ProgressBar,
    ) -> Self {
        Self {
            wanted,
            method,
            replication_key,
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
