//! The tables of a tap: which are open, and what goes where.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use selvedge_connector::{
    ConnectorError, ErrorKind, LoadContext, TapMetadata, TapRecords, TapSchema, TapStream,
};

use super::position::{TapPosition, TapStreamPosition, TapStreamState};
use super::stream::{Durable, TapTable};
use super::version::{Activation, Place, Versions};
use crate::plan::{PlanSettings, concerns_connection};
use crate::record_table::{Given, Surroundings};
use crate::sequence::Sequence;

/// Tables that are open at a time, each with a connection of its own. A tap that changes between more of them has to wait for
/// one to be closed; only versions that are not activated yet cannot be, however many there are.
const MOST_OPEN: usize = 16;

/// All tables of a run.
pub(super) struct Tables<'a> {
    pub(super) around: Surroundings,
    pub(super) load: &'a LoadContext,
    pub(super) settings: &'a PlanSettings,
    pub(super) sequence: Sequence,
    /// What discovery found and the user selected.
    known: HashMap<String, Known>,
    /// What discovery found and the user did not select, by id and by name.
    unselected: HashSet<String>,
    /// In the order of their first SCHEMA message.
    streams: Vec<TapTable>,
    by_name: HashMap<Arc<str>, usize>,
    /// Names that tables have in the destination.
    owners: HashMap<String, Arc<str>>,
    /// Blocks of records so far.
    uses: u64,
    /// Rows that became durable and are not recorded yet.
    heard: Vec<Durable>,
    /// Failures of single tables that are not recorded yet.
    failed: Vec<(String, ConnectorError)>,
    /// Lines for the log.
    notes: Vec<String>,
}

/// Records that were for a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) records: u64,
    /// Of text.
    pub(super) bytes: u64,
}

/// A stream before the tap describes it.
struct Known {
    tap_stream_id: String,
    epoch: i64,
    before: Option<TapStreamPosition>,
    is_full_table: bool,
}

impl<'a> Tables<'a> {
    pub(super) fn new(
        around: Surroundings,
        load: &'a LoadContext,
        settings: &'a PlanSettings,
        discovered: &[TapStream],
        selected: &[TapStreamState],
        position: &TapPosition,
    ) -> Self {
        let offered: HashMap<&str, &TapStream> = discovered
            .iter()
            .map(|stream| (stream.tap_stream_id.as_str(), stream))
            .collect();
        let mut known = HashMap::new();
        for state in selected {
            let before = position.streams.get(&state.tap_stream_id).copied();
            let offered = offered.get(state.tap_stream_id.as_str());
            let is_full_table = is_full_table(&state.chosen, offered.copied());
            let stream = || Known {
                tap_stream_id: state.tap_stream_id.clone(),
                epoch: state.epoch,
                before,
                is_full_table,
            };
            // Messages name a stream by either; where two share a name, each is known by its id at least.
            if let Some(offered) = offered {
                let name = offered.stream_name.clone();
                known.entry(name).or_insert_with(stream);
            }
            known.insert(state.tap_stream_id.clone(), stream());
        }
        let unselected = discovered
            .iter()
            .flat_map(|stream| [&stream.tap_stream_id, &stream.stream_name])
            .filter(|name| !known.contains_key(*name))
            .cloned()
            .collect();
        Self {
            around,
            load,
            settings,
            sequence: Sequence::after(position.last_sequence),
            known,
            unselected,
            streams: Vec::new(),
            by_name: HashMap::new(),
            owners: HashMap::new(),
            uses: 0,
            heard: Vec::new(),
            failed: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Those that are wanted.
    pub(super) fn streams(&self) -> impl Iterator<Item = &TapTable> {
        self.streams.iter().filter(|stream| stream.is_wanted)
    }

    /// Streams whose bookmarks must not advance.
    pub(super) fn held(&self) -> Vec<&str> {
        let held = self.streams.iter().filter(|stream| stream.is_held());
        held.map(|stream| stream.tap_stream_id.as_str()).collect()
    }

    /// What is to be remembered of each stream; those of earlier runs stay.
    pub(super) fn remember(&self, position: &mut TapPosition) {
        position.last_sequence = self.sequence.last();
        for stream in &self.streams {
            if stream.versions.begun && !stream.versions.rebuild {
                let remembered = TapStreamPosition {
                    epoch: stream.epoch,
                    table_version: stream.versions.current,
                };
                position
                    .streams
                    .insert(stream.tap_stream_id.clone(), remembered);
            }
        }
    }

    pub(super) fn take_heard(&mut self) -> Vec<Durable> {
        std::mem::take(&mut self.heard)
    }

    pub(super) fn take_failed(&mut self) -> Vec<(String, ConnectorError)> {
        std::mem::take(&mut self.failed)
    }

    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.streams.iter().any(TapTable::is_dirty)
    }

    pub(super) fn uncommitted_bytes(&self) -> usize {
        self.streams.iter().map(TapTable::uncommitted_bytes).sum()
    }

    /// The tap says what the records of a stream look like.
    pub(super) async fn describe(&mut self, schema: TapSchema) -> Result<(), ConnectorError> {
        if let Some(index) = self.by_name.get(&schema.stream).copied() {
            let stream = &mut self.streams[index];
            let closes = stream.describe(schema).await;
            return match closes {
                Ok(true) if stream.is_open_for_merging() => self.close(index).await,
                Ok(_) => Ok(()),
                Err(error) => self.fail(index, error),
            };
        }
        let name = Arc::clone(&schema.stream);
        let stream = match self.known.get(&*name) {
            Some(known) => {
                let versions = Versions {
                    current: known.before.and_then(|before| before.table_version),
                    begun: known.before.is_some(),
                    rebuild: known.before.is_none() && known.epoch > 1,
                };
                let id = known.tap_stream_id.clone();
                let mut table = TapTable::new(id, known.epoch, schema, versions);
                table.is_full_table = known.is_full_table;
                table
            }
            None if self.unselected.contains(&*name) => {
                self.notes.push(format!(
                    "the tap reads the stream {name}, which is not selected: its records are dropped"
                ));
                TapTable::unwanted(schema)
            }
            // Not in the catalogue under this name. Some taps name streams in messages as they do nowhere else.
            None => TapTable::new(name.to_string(), 1, schema, Versions::default()),
        };
        let is_wanted = stream.is_wanted;
        let index = self.streams.len();
        self.streams.push(stream);
        self.by_name.insert(Arc::clone(&name), index);
        if !is_wanted {
            return Ok(());
        }
        let resolved = self.around.destination.resolved_table_name(&name);
        if let Some(owner) = self.owners.get(&resolved) {
            let error = ConnectorError::configuration(format!(
                "the streams {owner} and {name} would both load into the table {resolved}"
            ));
            return self.fail(index, error);
        }
        self.owners.insert(resolved, name);
        Ok(())
    }

    /// Takes records; those of streams that are not wanted are passed over.
    pub(super) async fn write(&mut self, records: &TapRecords) -> Result<Taken, ConnectorError> {
        let now = self.around.clock.now();
        let received_at = Some(now.as_micros());
        let mut taken = Taken::default();
        self.uses += 1;
        for (record, text) in records.iter() {
            let index = record.stream as usize;
            let Some(stream) = self.streams.get_mut(index) else {
                return Err(ConnectorError::internal(
                    "a record of a stream without a schema",
                ));
            };
            if !stream.is_wanted {
                continue;
            }
            taken.records += 1;
            taken.bytes += text.len() as u64;
            if stream.failure.is_some() {
                continue;
            }
            let place = stream.versions.place(record.version, stream.next());
            if place != Place::Old && !stream.is_open_for(place) {
                self.open(index, record.version).await?;
            }
            let stream = &mut self.streams[index];
            if stream.failure.is_some() {
                continue;
            }
            if stream.versions.place(record.version, stream.next()) == Place::Old {
                stream.row_count += 1;
                stream.books.old_version += 1;
                continue;
            }
            let given = Given {
                text,
                sequence: self.sequence.reserve(1, now),
                extracted_at: record.extracted_at,
                received_at,
            };
            stream.used = self.uses;
            if stream.push(&given)
                && let Err(error) = stream.flush().await
            {
                self.fail(index, error)?;
            }
        }
        Ok(taken)
    }

    /// A version of a stream is complete.
    pub(super) async fn activate(
        &mut self,
        name: &str,
        version: i64,
    ) -> Result<(), ConnectorError> {
        let Some(index) = self.by_name.get(name).copied() else {
            // Before its schema: there is nothing of it.
            return Ok(());
        };
        let stream = &mut self.streams[index];
        if stream.failure.is_some() || !stream.is_wanted {
            return Ok(());
        }
        let next = stream.next();
        match stream.versions.activate(version, next) {
            Activation::Nothing => Ok(()),
            Activation::Replace => {
                if next.is_none() {
                    self.open_place(index, Place::Next(Some(version))).await?;
                }
                self.close(index).await
            }
        }
    }

    /// Makes everything that came durable.
    pub(super) async fn commit(&mut self) -> Result<(), ConnectorError> {
        for index in 0..self.streams.len() {
            let stream = &mut self.streams[index];
            if !stream.is_dirty() {
                continue;
            }
            match stream.commit(&self.around, self.sequence.last()).await {
                Ok(durable) => self.heard.extend(durable),
                Err(error) => self.fail(index, error)?,
            }
        }
        Ok(())
    }

    /// Closes all tables. If the tap came to its end, streams that started over take their tables' places; what was not
    /// activated is given up.
    pub(super) async fn finish(&mut self, at_the_end: bool) -> Result<(), ConnectorError> {
        for index in 0..self.streams.len() {
            let stream = &mut self.streams[index];
            if stream.failure.is_some() {
                continue;
            }
            if at_the_end && stream.versions.rebuild {
                let next = stream.next();
                if next.is_none() {
                    self.open_place(index, Place::Next(None)).await?;
                }
                let stream = &mut self.streams[index];
                if stream.failure.is_none() {
                    stream.versions.become_current(next.flatten());
                    self.close(index).await?;
                }
            } else if stream.next().is_some() {
                stream.abandon();
            } else {
                self.close(index).await?;
            }
        }
        Ok(())
    }

    /// Opens a table for records of a version; closes what is open otherwise.
    async fn open(&mut self, index: usize, version: Option<i64>) -> Result<(), ConnectorError> {
        // Once more, if the destination knows more of the table than was saved.
        for _ in 0..2 {
            let stream = &mut self.streams[index];
            let place = stream.versions.place(version, stream.next());
            if stream.failure.is_some() || place == Place::Old || stream.is_open_for(place) {
                break;
            }
            self.open_place(index, place).await?;
        }
        Ok(())
    }

    async fn open_place(&mut self, index: usize, place: Place) -> Result<(), ConnectorError> {
        if let Place::Next(version) = place
            && self.streams[index].adopt(version)
        {
            return Ok(());
        }
        if self.streams[index].next().is_some() {
            self.streams[index].abandon();
        }
        self.close(index).await?;
        self.make_room().await?;
        let stream = &mut self.streams[index];
        let is_first = stream.used == 0;
        stream.used = self.uses;
        let opened = stream
            .open(place, &self.around, self.load, self.settings)
            .await;
        match opened {
            Ok(mark) => {
                if let Some(mark) = mark {
                    self.sequence.at_least(mark.last_sequence);
                    if is_first {
                        stream.versions.found(mark.table_version);
                    }
                }
                stream.versions.begun = true;
                Ok(())
            }
            Err(error) => self.fail(index, error),
        }
    }

    /// Closes the table that was not used for the longest time, if there are many. One of a stream that starts over takes its
    /// table's place with what came so far: what follows is added to it.
    async fn make_room(&mut self) -> Result<(), ConnectorError> {
        let Some(index) = self.one_too_many() else {
            return Ok(());
        };
        let stream = &mut self.streams[index];
        if stream.next().is_some() {
            stream.versions.become_current(None);
        }
        self.close(index).await
    }

    fn one_too_many(&self) -> Option<usize> {
        let can_be_closed = |stream: &(usize, &TapTable)| {
            stream.1.is_open_for_merging()
                || (stream.1.versions.rebuild && stream.1.next() == Some(None))
        };
        let open = self.streams.iter().enumerate().filter(can_be_closed);
        if open.clone().count() < MOST_OPEN {
            return None;
        }
        let oldest = open.min_by_key(|(_, stream)| stream.used);
        oldest.map(|(index, _)| index)
    }

    async fn close(&mut self, index: usize) -> Result<(), ConnectorError> {
        let last_sequence = self.sequence.last();
        match self.streams[index].finish(last_sequence).await {
            Ok(durable) => {
                self.heard.extend(durable);
                Ok(())
            }
            Err(error) => self.fail(index, error),
        }
    }

    /// One table's error does not hold up the others, unless it concerns the connection.
    fn fail(&mut self, index: usize, error: ConnectorError) -> Result<(), ConnectorError> {
        let stream = &mut self.streams[index];
        let error = match error.kind {
            ErrorKind::Stopped => return Err(error),
            _ => error.within(format!("loading {} into the destination", stream.name())),
        };
        self.failed.push((stream.name().to_owned(), error.clone()));
        stream.fail(error.clone());
        match concerns_connection(error.kind) {
            true => Err(error),
            false => Ok(()),
        }
    }
}

/// Whether all of a stream is read each time, by the user's choice or because the tap knows no other way.
fn is_full_table(chosen: &[TapMetadata], offered: Option<&TapStream>) -> bool {
    let method = |entries: &[TapMetadata], name: &str| {
        let of_stream = entries.iter().find(|entry| entry.breadcrumb.is_empty())?;
        let method = of_stream.metadata.get(name)?.as_str()?;
        Some(method == "FULL_TABLE")
    };
    let forced = || method(&offered?.metadata, "forced-replication-method");
    method(chosen, "replication-method")
        .or_else(forced)
        .unwrap_or(false)
}
