//! From bytes to events: lines, and what waits to be handed on.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use selvedge_connector::{ConnectorError, ErrorKind, LogLevel, TapEvent, TapRecord, TapRecords};
use selvedge_intake::NotTaken;
use selvedge_json::Scanner;
use serde_json::value::RawValue;

use super::envelope::{self, Conformance, Envelope};
use super::files::BatchFiles;
use super::streams::{Described, Streams};

/// Room that is kept for the next bytes.
const READ_BYTES: usize = 256 << 10;
/// Less than this is copied rather than handed on with its buffer.
const SMALL_BYTES: usize = 32 << 10;
/// Characters of a line that are quoted.
const QUOTED: usize = 200;
/// Kinds of messages that are unknown and named in the log.
const UNKNOWN_KINDS: usize = 16;

/// What a tap may write.
#[derive(Clone, Debug)]
pub struct MessageLimits {
    /// Bytes of one line, whatever it is.
    pub line_bytes: usize,
    /// Bytes of one record.
    pub record_bytes: usize,
    /// Where the files of BATCH messages are; without it they are not taken.
    pub batch_directory: Option<PathBuf>,
}

impl Default for MessageLimits {
    fn default() -> Self {
        Self {
            line_bytes: 64 << 20,
            record_bytes: 20_000_000,
            batch_directory: None,
        }
    }
}

/// Decodes a tap's output. Bytes go in by [`Decoder::buffer`] and [`Decoder::filled`], events come out of
/// [`Decoder::take_events`]; memory is bounded by the longest line and the size of a batch.
pub struct Decoder {
    limits: MessageLimits,
    batch_bytes: usize,
    /// Lines whose records wait, lines that are not decoded yet, and room.
    buffer: Vec<u8>,
    filled: usize,
    decoded: usize,
    /// Up to here there is no end of a line behind `decoded`.
    searched: usize,
    line_number: u64,
    streams: Streams,
    records: Vec<TapRecord>,
    /// The last STATE among the records that wait: how many come before it, and where it stands. An earlier one would be
    /// acknowledged at the same time.
    state: Option<(usize, Range<usize>)>,
    files: Option<BatchFiles>,
    events: Vec<TapEvent>,
    notes: Vec<(LogLevel, String)>,
    unknown_kinds: Vec<String>,
    is_over: bool,
}

impl Decoder {
    pub fn new(limits: MessageLimits, batch_bytes: usize) -> Self {
        Self {
            limits,
            batch_bytes,
            buffer: Vec::new(),
            filled: 0,
            decoded: 0,
            searched: 0,
            line_number: 0,
            streams: Streams::default(),
            records: Vec::new(),
            state: None,
            files: None,
            events: Vec::new(),
            notes: Vec::new(),
            unknown_kinds: Vec::new(),
            is_over: false,
        }
    }

    /// Room for the next bytes, never empty.
    pub fn buffer(&mut self) -> &mut [u8] {
        let needed = self.filled + READ_BYTES;
        if self.buffer.len() < needed {
            let grown = needed.max(self.buffer.len() * 2);
            self.buffer.resize(grown, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// So many bytes have been put into the buffer: complete lines are decoded. Followed by [`Decoder::proceed`].
    pub fn filled(&mut self, count: usize) {
        self.filled = self.buffer.len().min(self.filled + count);
        self.decode_lines();
    }

    /// Goes on with what is there already, a part at a time: `true` when something was done, and events are to be taken
    /// before it is asked again.
    pub fn proceed(&mut self) -> bool {
        if self.files.is_none() || self.is_over {
            return false;
        }
        if let Err(fault) = self.read_files() {
            self.fail(fault);
        } else if self.files.is_none() {
            self.decode_lines();
        }
        true
    }

    /// Hands on what waits: the tap is silent for the moment.
    pub fn flush(&mut self) {
        let Range { start, end } = self.decoded..self.filled;
        let is_silent = self.records.is_empty() && self.state.is_none();
        if is_silent || start < SMALL_BYTES {
            let text = (!is_silent).then(|| self.buffer[..start].to_vec());
            self.buffer.copy_within(start..end, 0);
            if let Some(text) = text {
                self.hand_on(text);
            }
        } else {
            let rest = self.buffer[start..end].to_vec();
            let mut text = std::mem::replace(&mut self.buffer, rest);
            text.truncate(start);
            self.hand_on(text);
        }
        self.filled = end - start;
        self.decoded = 0;
        self.searched -= start;
    }

    /// The output has ended; a last line without an end counts.
    pub fn end(&mut self) {
        if !self.is_over && self.filled > self.decoded {
            let line = self.decoded..self.filled;
            self.decoded = self.filled;
            self.searched = self.filled;
            self.decode(line);
        }
        if !self.is_over {
            self.flush();
        }
    }

    /// What is ready, in order. A [`TapEvent::Fault`] is the last one of all.
    pub fn take_events(&mut self) -> Vec<TapEvent> {
        std::mem::take(&mut self.events)
    }

    /// Whether a fault was met: nothing will come any more.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Lines for the log.
    pub fn take_notes(&mut self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut self.notes)
    }

    fn decode_lines(&mut self) {
        while !self.is_over && self.files.is_none() {
            let unread = &self.buffer[self.searched..self.filled];
            let Some(length) = memchr::memchr(b'\n', unread) else {
                self.searched = self.filled;
                break;
            };
            let line = self.decoded..self.searched + length;
            self.searched = line.end + 1;
            self.decoded = self.searched;
            self.decode(line);
        }
        if self.is_over || self.files.is_some() {
            return;
        }
        if self.filled - self.decoded > self.limits.line_bytes {
            let fault = self.too_long();
            self.fail(fault);
        } else if self.decoded >= self.batch_bytes {
            self.flush();
        }
    }

    fn decode(&mut self, line: Range<usize>) {
        self.line_number += 1;
        if let Err(fault) = self.take_line(line) {
            self.fail(fault);
        }
    }

    /// One line, without its end.
    fn take_line(&mut self, range: Range<usize>) -> Result<(), ConnectorError> {
        let line = match selvedge_json::utf8(&self.buffer[range.clone()]) {
            Ok(line) => line,
            Err(error) => {
                return Err(data(format!(
                    "line {} of the tap's output is not UTF-8: {error}",
                    self.line_number
                )));
            }
        };
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let read = envelope::read(line, &mut self.streams);
        let envelope = read.map_err(|malformed| {
            data(format!(
                "line {} of the tap's output is no Singer message ({malformed}): {}",
                self.line_number,
                quoted(line)
            ))
        })?;
        let Some(kind) = envelope.kind.as_deref() else {
            return Err(data(format!(
                "line {} of the tap's output is no Singer message (it has no type): {}",
                self.line_number,
                quoted(line)
            )));
        };
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        if is("RECORD") {
            let record = record(&mut self.streams, &self.limits, &envelope, line)?;
            let offset = range.start;
            self.records.push(TapRecord {
                start: offset32(offset + record.start as usize)?,
                end: offset32(offset + record.end as usize)?,
                ..record
            });
            return Ok(());
        }
        if is("STATE") {
            let value = envelope
                .value
                .ok_or_else(|| data("a STATE message has no value".to_owned()))?;
            let place = range.start + value.start..range.start + value.end;
            self.state = Some((self.records.len(), place));
            return Ok(());
        }
        if is("SCHEMA") {
            let described = self.streams.describe(&envelope).map_err(data)?;
            if let Described::New { schema, unchecked } = described {
                if let Some(why) = unchecked {
                    let text = format!(
                        "records of {} are not held against their schema: {why}",
                        schema.stream
                    );
                    self.notes.push((LogLevel::Warning, text));
                }
                self.after_waiting(TapEvent::Schema(schema));
            }
        } else if is("ACTIVATE_VERSION") {
            let (Some(stream), Some(version)) = (&envelope.stream, envelope.version) else {
                return Err(data(
                    "an ACTIVATE_VERSION message needs a stream and a version".to_owned(),
                ));
            };
            let event = TapEvent::ActivateVersion {
                stream: Arc::from(stream.as_ref()),
                version,
            };
            self.after_waiting(event);
        } else if is("BATCH") {
            let stream = stream_of(&mut self.streams, &envelope)?;
            let directory = self.limits.batch_directory.as_deref();
            let files = BatchFiles::named(&envelope, stream, directory).map_err(data)?;
            self.hand_on_waiting();
            self.files = Some(files);
        } else if self.unknown_kinds.len() < UNKNOWN_KINDS
            && !self.unknown_kinds.iter().any(|known| known == kind)
        {
            let text = format!("messages of the type {} are ignored", quoted(kind));
            self.unknown_kinds.push(kind.to_owned());
            self.notes.push((LogLevel::Warning, text));
        }
        Ok(())
    }

    /// Reads on in the files of a BATCH message, as much as makes one batch.
    fn read_files(&mut self) -> Result<(), ConnectorError> {
        let Some(files) = &mut self.files else {
            return Ok(());
        };
        let stream = files.stream;
        let mut bytes = Vec::new();
        let mut records = Vec::new();
        let mut is_last = false;
        while bytes.len() < self.batch_bytes {
            let start = bytes.len();
            if !files
                .next_record(self.limits.line_bytes, &mut bytes)
                .map_err(data)?
            {
                is_last = true;
                break;
            }
            let line = selvedge_json::utf8(&bytes[start..])
                .map_err(|error| data(format!("a file of a BATCH message is no text: {error}")))?;
            let mut scanner = Scanner::new(line);
            let conformance = match self.streams.rules(stream) {
                Some(rules) => rules.read_over(&mut scanner),
                None => scanner.skip_value(0).map_err(NotTaken::Malformed),
            };
            let number = self.streams.count_record(stream);
            match conformance.and_then(|()| Ok(scanner.end()?)) {
                Ok(()) => {}
                Err(NotTaken::Mismatch(why)) => {
                    return Err(unfit(&self.streams.name(stream), number, &why));
                }
                Err(NotTaken::Malformed(malformed)) => {
                    return Err(data(format!(
                        "a line in a file of a BATCH message is no record ({malformed}): {}",
                        quoted(line)
                    )));
                }
            }
            if line.len() > self.limits.record_bytes {
                return Err(too_large());
            }
            records.push(TapRecord {
                stream,
                start: offset32(start)?,
                end: offset32(bytes.len())?,
                version: None,
                extracted_at: None,
            });
        }
        if is_last {
            self.files = None;
        }
        if !records.is_empty() {
            let block = TapRecords::new(text(bytes)?, records)?;
            self.events.push(TapEvent::Records(block));
        }
        Ok(())
    }

    /// An event that comes behind what waits.
    fn after_waiting(&mut self, event: TapEvent) {
        self.hand_on_waiting();
        self.events.push(event);
    }

    fn hand_on_waiting(&mut self) {
        if !self.records.is_empty() || self.state.is_some() {
            self.flush();
        }
    }

    /// Makes events of the records and the state that wait, which stand in `bytes`.
    fn hand_on(&mut self, bytes: Vec<u8>) {
        let text = match text(bytes) {
            Ok(text) => text,
            Err(fault) => return self.end_with(fault),
        };
        let mut records = std::mem::take(&mut self.records);
        let state = self.state.take();
        let behind = match &state {
            Some((before, _)) => records.split_off(*before),
            None => Vec::new(),
        };
        self.push_records(Arc::clone(&text), records);
        if let Some((_, place)) = state {
            let value = text.get(place).unwrap_or_default();
            match RawValue::from_string(value.to_owned()) {
                Ok(value) => self.events.push(TapEvent::State(value)),
                Err(error) => {
                    return self.end_with(data(format!(
                        "a STATE message has a value that is no JSON: {error}"
                    )));
                }
            }
        }
        self.push_records(text, behind);
    }

    fn push_records(&mut self, text: Arc<String>, records: Vec<TapRecord>) {
        if records.is_empty() {
            return;
        }
        match TapRecords::new(text, records) {
            Ok(records) => self.events.push(TapEvent::Records(records)),
            Err(fault) => self.end_with(fault),
        }
    }

    fn end_with(&mut self, fault: ConnectorError) {
        self.is_over = true;
        self.events.push(TapEvent::Fault(fault));
    }

    fn too_long(&self) -> ConnectorError {
        let beginning = &self.buffer[self.decoded..self.filled.min(self.decoded + QUOTED)];
        let beginning = String::from_utf8_lossy(beginning);
        match beginning.contains("RECORD") {
            true => too_large(),
            false => data(format!(
                "the tap wrote a line of more than {} bytes: {}",
                self.limits.line_bytes,
                quoted(&beginning)
            )),
        }
    }

    fn fail(&mut self, fault: ConnectorError) {
        if !self.is_over {
            self.hand_on_waiting();
        }
        if !self.is_over {
            self.end_with(fault);
        }
        self.files = None;
    }
}

/// What lines that were read make together. The one time that a whole block is looked at: its parts are cut out of a text.
fn text(bytes: Vec<u8>) -> Result<Arc<String>, ConnectorError> {
    let text = String::from_utf8(bytes);
    text.map(Arc::new)
        .map_err(|error| ConnectorError::internal(format!("records are no text: {error}")))
}

/// The record of a message; its place counts from the beginning of the line.
fn record(
    streams: &mut Streams,
    limits: &MessageLimits,
    envelope: &Envelope<'_>,
    line: &str,
) -> Result<TapRecord, ConnectorError> {
    let stream = stream_of(streams, envelope)?;
    let Some((place, conformance)) = &envelope.record else {
        return Err(data("a RECORD message has no record".to_owned()));
    };
    let number = streams.count_record(stream);
    let mismatch = match conformance {
        Conformance::Conforms => None,
        Conformance::Mismatch(why) => Some(why.clone()),
        Conformance::Unknown => {
            let text = line.get(place.clone()).unwrap_or_default();
            let checked = streams
                .rules(stream)
                .map(|rules| rules.read_over(&mut Scanner::new(text)));
            match checked {
                Some(Err(not_taken)) => Some(not_taken.to_string()),
                Some(Ok(())) | None => None,
            }
        }
    };
    if let Some(why) = mismatch {
        return Err(unfit(&streams.name(stream), number, &why));
    }
    if !line[place.clone()].starts_with('{') {
        return Err(unfit(&streams.name(stream), number, "#: it is no object"));
    }
    if place.len() > limits.record_bytes {
        return Err(too_large());
    }
    Ok(TapRecord {
        stream,
        start: offset32(place.start)?,
        end: offset32(place.end)?,
        version: envelope.version,
        extracted_at: envelope.extracted_at,
    })
}

fn stream_of(streams: &mut Streams, envelope: &Envelope<'_>) -> Result<u32, ConnectorError> {
    let name = envelope.stream.as_deref();
    let name = name.ok_or_else(|| data("a RECORD or BATCH message names no stream".to_owned()))?;
    streams.find(name).ok_or_else(|| {
        data(format!(
            "A record for stream {name} was encountered before a corresponding schema"
        ))
    })
}

fn offset32(offset: usize) -> Result<u32, ConnectorError> {
    u32::try_from(offset).map_err(|_| too_large())
}

#[cold]
fn unfit(table: &str, number: u64, why: &str) -> ConnectorError {
    data(format!(
        "Error persisting data for table \"{table}\": Record {number} did not conform to schema: {why}"
    ))
}

#[cold]
fn too_large() -> ConnectorError {
    data("A single record is larger than the Stitch API limit of 20MB".to_owned())
}

#[cold]
fn data(text: String) -> ConnectorError {
    ConnectorError::new(ErrorKind::Data, text)
}

/// The beginning of a text.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
