//! The order of things in a run of a tap.

use std::sync::Arc;
use std::time::Duration;

use selvedge_connector::{
    Books, ConnectorError, ErrorKind, LogLevel, LogSink, Tap, TapCatalog, TapContext, TapEvent,
    TapRead, TapSelection, tap_channel,
};
use selvedge_types::Timestamp;
use selvedge_types::job::PhaseOutcome;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::position::{TapPosition, TapStreamState};
use super::tables::Tables;
use super::{exclusions, state};
use crate::journal::{Component, JournalError, Loaded, Progress};
use crate::listing::tap_listing;
use crate::record_table::Surroundings;
use crate::run::{Run, RunReport, StreamReport};

/// Blocks of records under way between tap and engine.
const EVENTS_IN_FLIGHT: usize = 4;
/// How long the tap may say nothing before it is seen whether a checkpoint is due.
const LOOK_AFTER: Duration = Duration::from_millis(500);

/// Why reading from the tap ended before it did.
enum End {
    /// The run was asked to stop.
    Stopped,
    /// The tap wrote what cannot be taken.
    Fault(ConnectorError),
    /// The destination as a whole is out of reach.
    Target(ConnectorError),
    Journal(JournalError),
}

impl From<JournalError> for End {
    fn from(error: JournalError) -> Self {
        End::Journal(error)
    }
}

impl Run {
    /// Runs a tap to its end, or to the next checkpoint after `stop`.
    pub(crate) async fn execute_tap(&self, tap: &Arc<dyn Tap>) -> RunReport {
        let mut report = RunReport::new();
        self.log(LogLevel::Info, "discovering the structure of the source");
        let catalog = match tap.discover(&self.tap_context(Component::Main)).await {
            Ok(catalog) => catalog,
            Err(error) if self.stop.is_cancelled() => {
                return self.terminated(report, &error.to_string());
            }
            Err(error) => {
                self.log(LogLevel::Critical, &error.to_string());
                report.outcome.discovery = failed(&error);
                return report;
            }
        };
        let listings: Vec<_> = catalog.streams.iter().map(tap_listing).collect();
        let found = async {
            let selected = self.journal.discovered_by_tap(listings).await?;
            Ok((selected, self.journal.tap_position().await?))
        };
        let (selected, position) = match found.await {
            Ok(found) => found,
            Err(error) => return self.unrecorded(report, error),
        };
        report.outcome.discovery = PhaseOutcome::succeeded();
        let count = catalog.streams.len();
        self.log(LogLevel::Info, &format!("discovered {count} streams"));
        if self.stop.is_cancelled() {
            return self.terminated(report, "the run was stopped");
        }
        if let Err(error) = exclusions::check(&catalog.streams, &selected) {
            self.log(LogLevel::Critical, &error.to_string());
            report.outcome.tap = failed(&error);
            return report;
        }
        self.extract(tap, &catalog, &selected, position, report)
            .await
    }

    async fn extract(
        &self,
        tap: &Arc<dyn Tap>,
        catalog: &TapCatalog,
        selected: &[TapStreamState],
        position: TapPosition,
        mut report: RunReport,
    ) -> RunReport {
        let position = starting_position(position, selected);
        self.announce(&position, selected);
        let read = TapRead {
            document: catalog.document.clone(),
            selected: selected
                .iter()
                .map(|stream| TapSelection {
                    tap_stream_id: stream.tap_stream_id.clone(),
                    chosen: stream.chosen.clone(),
                    fields: stream.fields.clone(),
                })
                .collect(),
            state: position.state.clone(),
        };
        let context = self.tap_context(Component::Tap);
        let reading = context.stop.clone();
        let (sender, receiver) = tap_channel(EVENTS_IN_FLIGHT);
        let tap = Arc::clone(tap);
        let mut reader = tokio::spawn(async move { tap.read(context, read, sender).await });

        let load = self.load_context();
        let around = Surroundings {
            destination: Arc::clone(&self.destination),
            clock: Arc::clone(&self.clock),
            limits: self.limits.clone(),
        };
        let tables = Tables::new(
            around,
            &load,
            &self.settings,
            &catalog.streams,
            selected,
            &position,
        );
        let started_at = self.clock.now();
        let mut pump = Pump {
            run: self,
            tables,
            position,
            newest: None,
            progress: Progress {
                streams_total: u32::try_from(selected.len()).unwrap_or(u32::MAX),
                ..Progress::default()
            },
            since: started_at,
            target_failure: None,
        };
        let pumped = pump.pump(receiver).await;
        // Whatever happened, the tap is told to end and waited for: no process outlives its run.
        if pumped.is_err() {
            reading.cancel();
        }
        let read = match (&mut reader).await {
            Ok(read) => read,
            Err(join) => Err(ConnectorError::internal(format!(
                "the tap's reader crashed: {join}"
            ))),
        };
        let ended = match pumped {
            Ok(()) => pump.finish(read.is_ok()).await,
            // What came before counts.
            Err(end @ (End::Stopped | End::Fault(_))) => pump.finish(false).await.and(Err(end)),
            Err(end) => Err(end),
        };
        pump.tell(&mut report, started_at);
        match ended {
            Err(End::Stopped) => return self.terminated(report, "the run was stopped"),
            Err(End::Journal(error)) => return self.unrecorded(report, error),
            Err(End::Fault(error)) => {
                self.journal
                    .log(Component::Target, LogLevel::Critical, &error.to_string());
                report.outcome.target = failed(&error);
                return report;
            }
            Err(End::Target(error)) => {
                report.outcome.tap = PhaseOutcome::default();
                report.outcome.target = failed(&error);
                return report;
            }
            Ok(()) => {}
        }
        report.outcome.tap = match read {
            Ok(()) => PhaseOutcome::succeeded(),
            Err(error) if error.kind == ErrorKind::Stopped && self.stop.is_cancelled() => {
                return self.terminated(report, "the run was stopped");
            }
            Err(error) => {
                self.journal
                    .log(Component::Tap, LogLevel::Critical, &error.to_string());
                failed(&error)
            }
        };
        report.outcome.target = match &pump.target_failure {
            Some(error) => failed(error),
            None => PhaseOutcome::succeeded(),
        };
        report
    }

    fn tap_context(&self, component: Component) -> TapContext {
        let journal = Arc::clone(&self.journal);
        let log: LogSink = Arc::new(move |level, text| journal.log(component, level, text));
        TapContext {
            clock: Arc::clone(&self.clock),
            // Discovery changes nothing, so that a stop ends it; what the tap has read is committed first.
            stop: match component {
                Component::Main => self.stop.child_token(),
                Component::Tap | Component::Target => self.abort.child_token(),
            },
            batch_bytes: self.limits.batch_bytes,
            log,
        }
    }

    fn announce(&self, position: &TapPosition, selected: &[TapStreamState]) {
        let bookmarks = position
            .state
            .as_ref()
            .and_then(|state| state.get("bookmarks"));
        for stream in selected {
            let id = &stream.tap_stream_id;
            let text = match bookmarks.and_then(|bookmarks| bookmarks.get(id)) {
                Some(bookmark) => format!("found current bookmark for {id}:  {bookmark}"),
                None => format!("reading {id} from the beginning"),
            };
            self.journal.log(Component::Tap, LogLevel::Info, &text);
        }
    }
}

/// The position without what belongs to older lives of its streams.
fn starting_position(mut position: TapPosition, selected: &[TapStreamState]) -> TapPosition {
    let over: Vec<&str> = selected
        .iter()
        .filter(|stream| {
            let before = position.streams.get(&stream.tap_stream_id);
            match before {
                Some(before) => before.epoch != stream.epoch,
                // Reset before anything of it was loaded.
                None => stream.epoch > 1,
            }
        })
        .map(|stream| stream.tap_stream_id.as_str())
        .collect();
    for stream in &over {
        position.streams.remove(*stream);
    }
    position.state = position
        .state
        .and_then(|saved| state::without(&saved, &over));
    position
}

/// Events in, rows and saved states out.
struct Pump<'a> {
    run: &'a Run,
    tables: Tables<'a>,
    /// What is saved.
    position: TapPosition,
    /// The last state that came and is not saved.
    newest: Option<Box<RawValue>>,
    progress: Progress,
    /// When the last checkpoint was.
    since: Timestamp,
    /// The first failure of a table.
    target_failure: Option<ConnectorError>,
}

impl Pump<'_> {
    /// Takes events until there are no more.
    async fn pump(&mut self, mut events: mpsc::Receiver<TapEvent>) -> Result<(), End> {
        loop {
            let event = tokio::select! {
                biased;
                () = self.run.stop.cancelled() => return Err(End::Stopped),
                event = tokio::time::timeout(LOOK_AFTER, events.recv()) => event,
            };
            match event {
                // Nothing came for a moment.
                Err(_) => {}
                Ok(None) => return Ok(()),
                Ok(Some(event)) => self.take(event).await?,
            }
            if self.is_due() {
                self.checkpoint().await?;
            }
        }
    }

    async fn take(&mut self, event: TapEvent) -> Result<(), End> {
        let taken = match event {
            TapEvent::Schema(schema) => self.tables.describe(schema).await,
            TapEvent::Records(records) => match self.tables.write(&records).await {
                Ok(taken) => {
                    self.progress.row_count += taken.records;
                    self.progress.size_bytes += taken.bytes;
                    self.run.journal.progress(&self.progress);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            TapEvent::ActivateVersion { stream, version } => {
                self.tables.activate(&stream, version).await
            }
            TapEvent::State(state) => {
                self.newest = Some(state);
                Ok(())
            }
            TapEvent::Fault(error) => return Err(End::Fault(error)),
        };
        self.note_failures().await?;
        taken.map_err(End::Target)
    }

    fn is_due(&self) -> bool {
        let limits = &self.run.limits;
        if self.tables.uncommitted_bytes() >= limits.checkpoint_bytes {
            return true;
        }
        let late = self.run.clock.now() >= self.since.plus_seconds(limits.checkpoint_seconds);
        late && (self.newest.is_some() || self.tables.is_dirty())
    }

    /// Everything that came becomes durable, then the state that came last is saved.
    async fn checkpoint(&mut self) -> Result<(), End> {
        self.since = self.run.clock.now();
        let committed = self.tables.commit().await;
        self.note_failures().await?;
        committed.map_err(End::Target)?;
        self.save().await
    }

    /// Closes all tables and saves what may be saved. `at_the_end` if the tap came to its end.
    async fn finish(&mut self, at_the_end: bool) -> Result<(), End> {
        let finished = self.tables.finish(at_the_end).await;
        self.note_failures().await?;
        finished.map_err(End::Target)?;
        self.save().await
    }

    async fn save(&mut self) -> Result<(), End> {
        let mut changes = Vec::new();
        if let Some(newest) = self.newest.take() {
            let value: Value = serde_json::from_str(newest.get()).map_err(|error| {
                End::Fault(ConnectorError::new(
                    ErrorKind::Data,
                    format!("a STATE message cannot be read: {error}"),
                ))
            })?;
            let saved = self.position.state.as_ref();
            match state::acknowledged(&value, saved, &self.tables.held()) {
                Some(state) => {
                    changes = state::changes(saved, &state);
                    self.position.state = Some(state);
                }
                // It waits until nothing is held any more.
                None => self.newest = Some(newest),
            }
        }
        self.tables.remember(&mut self.position);
        let heard = self.tables.take_heard();
        for note in heard.iter().flat_map(|durable| &durable.notes) {
            self.run
                .journal
                .log(Component::Target, LogLevel::Warning, note);
        }
        let at = self.run.clock.now();
        let loaded: Vec<Loaded<'_>> = heard
            .iter()
            .map(|durable| Loaded {
                table_name: &durable.table_name,
                at,
                row_count: durable.row_count,
                finished: durable.finished.as_ref(),
            })
            .collect();
        let journal = &self.run.journal;
        journal.save_tap_position(&self.position, &loaded).await?;
        // Only now: whoever reads of a state in the log may count on the next run beginning with it.
        for change in changes {
            let text = format!("State update: adding {change}");
            journal.log(Component::Target, LogLevel::Info, &text);
        }
        Ok(())
    }

    /// Failures of single tables are recorded; the others go on.
    async fn note_failures(&mut self) -> Result<(), End> {
        for note in self.tables.take_notes() {
            let journal = &self.run.journal;
            journal.log(Component::Target, LogLevel::Warning, &note);
        }
        for (table, error) in self.tables.take_failed() {
            let journal = &self.run.journal;
            journal.log(Component::Target, LogLevel::Critical, &error.to_string());
            journal.load_failed(&table, &error).await?;
            self.target_failure.get_or_insert(error);
        }
        Ok(())
    }

    /// What became of each stream.
    fn tell(&self, report: &mut RunReport, started_at: Timestamp) {
        let elapsed = self.run.clock.now().as_micros() - started_at.as_micros();
        for stream in self.tables.streams() {
            let table = stream.name();
            if stream.not_finite > 0 {
                let text = format!(
                    "{table}: {} values that are no numbers became NULL",
                    stream.not_finite
                );
                let journal = &self.run.journal;
                journal.log(Component::Target, LogLevel::Warning, &text);
            }
            let error = stream.failure.clone();
            if error.is_none() {
                let (rows, books) = (stream.row_count, &stream.books);
                self.run.counted(table, rows, books, elapsed / 1_000);
            }
            report.streams.push(StreamReport {
                table_name: table.to_owned(),
                row_count: stream.row_count,
                books: if error.is_none() {
                    stream.books
                } else {
                    Books::default()
                },
                elapsed_ms: elapsed / 1_000,
                error,
            });
        }
    }
}

/// A failed phase; the exit status is the tap's own where it has one.
fn failed(error: &ConnectorError) -> PhaseOutcome {
    let status = error.code.as_deref().and_then(|code| code.parse().ok());
    PhaseOutcome {
        exit_status: Some(status.filter(|status| *status != 0).unwrap_or(1)),
        description: Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::TapStreamPosition;
    use super::*;

    fn selected(id: &str, epoch: i64) -> TapStreamState {
        TapStreamState {
            tap_stream_id: id.to_owned(),
            epoch,
            chosen: Vec::new(),
            fields: Vec::new(),
        }
    }

    #[test]
    fn a_stream_that_was_reset_starts_without_its_bookmark() {
        let entry = |epoch| TapStreamPosition {
            epoch,
            table_version: Some(3),
        };
        let position = TapPosition {
            state: Some(json!({"bookmarks": {"a": 1, "b": 2, "c": 3}})),
            last_sequence: 9,
            streams: [("a".to_owned(), entry(1)), ("b".to_owned(), entry(1))].into(),
        };
        let streams = [selected("a", 1), selected("b", 2), selected("c", 1)];
        let starting = starting_position(position, &streams);
        assert_eq!(starting.state, Some(json!({"bookmarks": {"a": 1, "c": 3}})));
        assert_eq!(starting.streams.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(starting.last_sequence, 9);
    }

    #[test]
    fn the_exit_status_of_a_tap_is_that_of_its_phase() {
        let error = ConnectorError::configuration("no token").with_code("3");
        assert_eq!(failed(&error).exit_status, Some(3));
        let error = ConnectorError::configuration("no token").with_code("SIGKILL");
        assert_eq!(failed(&error).exit_status, Some(1));
    }
}
