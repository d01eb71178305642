//! The order of things in a load: which part goes where, and when its place is saved.

use std::sync::Arc;

use selvedge_connector::{
    Checkpoint, CommitReport, ConnectorError, Destination, LoadContext, LoadMode, LogLevel,
    StreamIdentity, StreamSchema, TableTarget,
};
use selvedge_types::Clock;
use selvedge_types::load::FinishedLoad;
use tokio_util::sync::CancellationToken;

use super::table::LaneTable;
use super::{
    CommittedPosition, LaneBooks, LaneError, LaneJournal, LanePart, LaneParts, LanePosition,
    LogPosition,
};
use crate::limits::RunLimits;
use crate::record_table::{LONG_KEY_CHARACTERS, Surroundings};
use crate::{LoadSummary, Loaded};

/// Everything one load needs.
pub struct LaneLoad {
    pub destination: Arc<dyn Destination>,
    pub parts: Box<dyn LaneParts>,
    pub journal: Arc<dyn LaneJournal>,
    pub clock: Arc<dyn Clock>,
    pub limits: RunLimits,
    pub load: LoadContext,
    /// Ends the load behind the part that is being written; everything before it is committed. (`load.stop` ends it at once.)
    pub stop: CancellationToken,
    pub identity: StreamIdentity,
    /// Schema of the source in the destination.
    pub schema_name: String,
    pub table_name: String,
    /// Which lane of which log: places of another one mean nothing here.
    pub lane_id: String,
    /// Where the last load ended.
    pub position: LanePosition,
}

/// What a load came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaneReport {
    pub books: LaneBooks,
    /// Rows that became durable, those of subtables included.
    pub row_count: u64,
    /// Whether the rows of a version took the place of all others.
    pub replaced: bool,
    /// Where the lane is now.
    pub position: LanePosition,
    /// Ended by [`LaneLoad::stop`], with parts left.
    pub stopped: bool,
}

/// What is to be done with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// A load before this one has seen to it.
    Done,
    /// Into the table.
    Write,
    /// Of a version that is no longer current: counted, and gone.
    Old,
    /// Of a version that is not current yet.
    Hold,
    /// Activates the version that it belongs to: with it that becomes the current one.
    Activate(i64),
}

impl LaneLoad {
    /// Loads the lane to its end.
    ///
    /// # Errors
    /// The destination, the log or the journal failed. What is behind the position saved last comes again.
    pub async fn execute(mut self) -> Result<LaneReport, LaneError> {
        let mut state = State::of(self.position);
        self.seek(state.position.upto).await?;
        let around = Surroundings {
            destination: Arc::clone(&self.destination),
            clock: Arc::clone(&self.clock),
            limits: self.limits.clone(),
        };
        let mut open: Option<LaneTable> = None;
        let mut ahead = self.next().await?;
        while let Some(part) = ahead.take() {
            ahead = self.next().await?;
            // Parts of one place are loaded together: a position cannot stand between them.
            let whole = ahead.as_ref().is_none_or(|next| next.at != part.at);
            match state.fate(&part) {
                Fate::Done => continue,
                Fate::Old => {
                    state.report.books.books.old_version += u64::from(part.record_count);
                    state.pass(&part, whole);
                }
                Fate::Hold => {
                    state.report.books.held += u64::from(part.record_count);
                    state.hold(part.at);
                    state.pass(&part, whole);
                }
                Fate::Activate(version) => {
                    if let Some(table) = open.take() {
                        self.finish(&mut state, table).await?;
                    }
                    let opened = self.open(&mut state, &around, &part, LoadMode::Replace);
                    if let Some(table) = opened.await? {
                        self.replace(&mut state, table, &part, version).await?;
                    }
                    ahead = self.next().await?;
                }
                Fate::Write => {
                    if let Some(table) =
                        open.take_if(|table| !table.records.takes(&part.header.key_names))
                    {
                        self.finish(&mut state, table).await?;
                    }
                    if part.record_count == 0 {
                        // An activation of the version that is current.
                        state.pass(&part, whole);
                        continue;
                    }
                    let mut table = match open.take() {
                        Some(table) => table,
                        None => {
                            let opened = self.open(&mut state, &around, &part, LoadMode::Merge);
                            let Some(table) = opened.await? else {
                                ahead = self.next().await?;
                                continue;
                            };
                            table
                        }
                    };
                    table.write(&part).await?;
                    state.pass(&part, whole);
                    if whole && table.records.uncommitted_bytes >= self.limits.checkpoint_bytes {
                        table.records.flush().await.map_err(LaneError::Target)?;
                        let checkpoint = self.checkpoint(&mut state, &table.records.summary)?;
                        let report = table.records.commit(checkpoint).await;
                        let report = report.map_err(LaneError::Target)?;
                        self.heard(&mut state, &report);
                        if report.durable {
                            let now = self.clock.now();
                            let loaded = table.records.take_finished(&self.table_name, now);
                            self.save(&state, loaded.as_ref()).await?;
                        }
                    }
                    open = Some(table);
                }
            }
            if whole && ahead.is_some() && self.stop.is_cancelled() {
                state.report.stopped = true;
                break;
            }
        }
        match open {
            Some(table) => self.finish(&mut state, table).await?,
            None if state.position != self.position => {
                self.journal.save(state.position, None).await?;
            }
            None => {}
        }
        state.report.position = state.position;
        Ok(state.report)
    }

    /// Loads a version whole: all its parts up to the one that activates it take the place of what is in the table. A part with
    /// an activation is alone in its place.
    async fn replace(
        &mut self,
        state: &mut State,
        mut table: LaneTable,
        activation: &LanePart,
        version: i64,
    ) -> Result<(), LaneError> {
        self.seek(state.position.upto).await?;
        let before = state.position.table_version.unwrap_or(0);
        let mut first_held = None;
        let mut held = 0;
        while let Some(part) = self.next().await? {
            if part.at > activation.at {
                break;
            }
            match part.header.table_version {
                Some(of) if of == version => {
                    if !table.records.takes(&part.header.key_names) && part.record_count > 0 {
                        self.journal.log(
                            LogLevel::Warning,
                            &format!(
                                "version {version} of {} came with different keys; those of its activation count",
                                self.table_name
                            ),
                        );
                    }
                    table.write(&part).await?;
                }
                Some(of) if of > version => {
                    first_held.get_or_insert(part.at);
                    held += u64::from(part.record_count);
                }
                // Held until now, and never to be current.
                Some(of) if of > before => {
                    state.report.books.books.old_version += u64::from(part.record_count);
                }
                _ => {}
            }
            if table.records.uncommitted_bytes >= self.limits.checkpoint_bytes {
                table.records.flush().await.map_err(LaneError::Target)?;
                let checkpoint = self.checkpoint(state, &table.records.summary)?;
                let report = table.records.commit(checkpoint).await;
                let report = report.map_err(LaneError::Target)?;
                self.heard(state, &report);
            }
        }
        state.report.books.held = held;
        state.first_held = first_held;
        state.position.table_version = Some(version);
        state.pass(activation, true);
        state.report.replaced = true;
        self.finish(state, table).await?;
        self.journal.log(
            LogLevel::Info,
            &format!(
                "version {version} of {} is the current one now",
                self.table_name
            ),
        );
        // Parts between hold records of newer versions, or were seen to.
        self.seek(activation.at).await
    }

    /// Opens the table for a part. `None` when the destination turns out to be further than this load knew: then the lane is read
    /// on from there.
    async fn open(
        &mut self,
        state: &mut State,
        around: &Surroundings,
        part: &LanePart,
        mode: LoadMode,
    ) -> Result<Option<LaneTable>, LaneError> {
        let version = match mode {
            LoadMode::Merge => state.position.table_version,
            LoadMode::Replace => part.header.table_version,
        };
        let target = TableTarget {
            identity: self.identity.clone(),
            schema_name: self.schema_name.clone(),
            table_name: self.table_name.clone(),
            schema: StreamSchema::new(Vec::new()),
            key: part.header.key_names.clone(),
            mode,
            table_version: version.unwrap_or(0),
        };
        let opened = around.destination.open(self.load.clone(), target.clone());
        let writer = opened.await.map_err(LaneError::Target)?;
        let table = LaneTable::new(around, &target, writer);
        match self.unheard(state, &table) {
            Some(committed) => {
                self.go_on_from(state, committed, table).await?;
                Ok(None)
            }
            None => Ok(Some(table)),
        }
    }

    /// What the destination committed and nobody heard of, because the load before died between the two.
    fn unheard(&self, state: &State, table: &LaneTable) -> Option<CommittedPosition> {
        let text = table.records.committed_position()?;
        // A text that is no position of ours is another program's.
        let committed: CommittedPosition = serde_json::from_str(text).ok()?;
        let ahead = committed.position.through > state.position.through;
        (committed.lane == self.lane_id && ahead && state.checkpoints == 0).then_some(committed)
    }

    async fn go_on_from(
        &mut self,
        state: &mut State,
        committed: CommittedPosition,
        table: LaneTable,
    ) -> Result<(), LaneError> {
        self.journal.log(
            LogLevel::Info,
            &format!(
                "{} was loaded further than was noted before the interruption",
                self.table_name
            ),
        );
        let position = committed.position;
        let loaded = table.records.unheard(committed.summary, &self.table_name);
        *state = State::of(position);
        self.save(state, loaded.as_ref()).await?;
        self.seek(position.upto).await
    }

    async fn finish(&mut self, state: &mut State, mut table: LaneTable) -> Result<(), LaneError> {
        table.records.flush().await.map_err(LaneError::Target)?;
        self.warn(&mut table);
        let checkpoint = self.checkpoint(state, &table.records.summary)?;
        let finished = table.records.finish(checkpoint, &self.table_name).await;
        let (report, books, loaded) = finished.map_err(LaneError::Target)?;
        state.report.books.books += books;
        self.heard(state, &report);
        self.save(state, loaded.as_ref()).await
    }

    /// Says what is odd about the values that came.
    fn warn(&self, table: &mut LaneTable) {
        let name = &self.table_name;
        let not_finite = table.records.take_not_finite();
        if not_finite > 0 {
            let text = format!("{name}: {not_finite} values that are no numbers became NULL");
            self.journal.log(LogLevel::Warning, &text);
        }
        if let Some(field) = table.records.long_key() {
            let text = format!(
                "{name}: the key field {field} has values of {LONG_KEY_CHARACTERS} characters or more, which not every destination holds"
            );
            self.journal.log(LogLevel::Warning, &text);
        }
    }

    async fn save(
        &mut self,
        state: &State,
        finished: Option<&FinishedLoad>,
    ) -> Result<(), LaneError> {
        // A load that changed nothing is one all the same: what kept the one before it from the table is over.
        let loaded = Loaded {
            table_name: &self.table_name,
            at: self.clock.now(),
            row_count: finished.map_or(0, FinishedLoad::row_count),
            finished,
        };
        self.journal.save(state.position, Some(loaded)).await?;
        self.position = state.position;
        Ok(())
    }

    fn heard(&self, state: &mut State, report: &CommitReport) {
        state.report.row_count += report.row_count();
        for note in &report.notes {
            self.journal.log(LogLevel::Warning, note);
        }
    }

    fn checkpoint(
        &self,
        state: &mut State,
        summary: &LoadSummary,
    ) -> Result<Checkpoint, LaneError> {
        state.checkpoints += 1;
        let committed = CommittedPosition {
            lane: self.lane_id.clone(),
            position: state.position,
            summary: summary.without_tables(),
        };
        let text = serde_json::to_string(&committed)
            .map_err(|error| LaneError::Log(ConnectorError::internal(error.to_string())))?;
        Ok(Checkpoint {
            number: state.checkpoints,
            position: Some(text),
        })
    }

    async fn next(&mut self) -> Result<Option<LanePart>, LaneError> {
        self.parts.next().await.map_err(LaneError::Log)
    }

    async fn seek(&mut self, after: LogPosition) -> Result<(), LaneError> {
        self.parts.seek(after).await.map_err(LaneError::Log)
    }
}

/// Where a load is.
#[derive(Clone, Debug)]
struct State {
    position: LanePosition,
    /// Whether the lane has had a part before.
    begun: bool,
    /// The first part that waits for its version's activation.
    first_held: Option<LogPosition>,
    checkpoints: i64,
    report: LaneReport,
}

impl State {
    fn of(position: LanePosition) -> Self {
        Self {
            position,
            begun: position.through > 0,
            first_held: None,
            checkpoints: 0,
            report: LaneReport::default(),
        }
    }

    fn fate(&mut self, part: &LanePart) -> Fate {
        let seen = part.at <= self.position.through;
        let Some(version) = part.header.table_version else {
            // Not versioned: it belongs to whatever is current.
            return if seen { Fate::Done } else { Fate::Write };
        };
        // The first version of a table that has nothing yet is visible as it comes.
        let current = match self.position.table_version {
            None if !self.begun => *self.position.table_version.insert(version),
            None => 0,
            Some(current) => current,
        };
        match version.cmp(&current) {
            std::cmp::Ordering::Greater if part.activates => Fate::Activate(version),
            std::cmp::Ordering::Greater => Fate::Hold,
            _ if seen => Fate::Done,
            std::cmp::Ordering::Equal => Fate::Write,
            std::cmp::Ordering::Less => Fate::Old,
        }
    }

    fn hold(&mut self, at: LogPosition) {
        self.first_held.get_or_insert(at);
    }

    /// The part is seen to, or waits; `whole` if it is the last one of its place.
    fn pass(&mut self, part: &LanePart, whole: bool) {
        self.begun = true;
        if !whole {
            return;
        }
        self.position.through = self.position.through.max(part.at);
        self.position.upto = match self.first_held {
            Some(first) => first - 1,
            None => self.position.through,
        };
    }
}
