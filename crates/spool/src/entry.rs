//! What goes into the log and what comes out: entries of parts, each part in one lane.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use selvedge_types::{AccountId, DestinationId, SourceId, Timestamp};

use crate::squeezed::Squeezed;

/// Place of an entry in a log: ascending over the whole log, from 1, never given twice. Means something only together with the
/// log's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

impl Lsn {
    /// Before every entry.
    pub const ZERO: Self = Self(0);
}

impl fmt::Display for Lsn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What is loaded in order, and apart from everything else: one table of one source in one destination.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    pub source: SourceId,
    /// None while the source has no destination.
    pub destination: Option<DestinationId>,
    pub table_name: Arc<str>,
}

/// One accepted request. All of it is kept, or nothing.
#[derive(Clone, Debug)]
pub struct Entry {
    pub account: AccountId,
    pub source: SourceId,
    /// When the request was accepted.
    pub received_at: Timestamp,
    pub parts: Vec<Part>,
    /// Bytes that payloads are slices of, compressed ahead. A log may do without.
    pub squeezed: Option<Squeezed>,
}

/// Records of one entry for one lane. The log does not look into header and payload.
#[derive(Clone, Debug)]
pub struct Part {
    pub destination: Option<DestinationId>,
    pub table_name: Arc<str>,
    pub record_count: u32,
    /// Not to be kept waiting, for example because a version of the table is activated.
    pub urgent: bool,
    pub table_version: Option<i64>,
    pub header: Bytes,
    pub payload: Bytes,
}

impl Part {
    /// Bytes of header and payload, as [`WaitingLane::byte_count`] counts them.
    pub fn byte_count(&self) -> u64 {
        self.header.len() as u64 + self.payload.len() as u64
    }
}

/// A part as it is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPart {
    pub lsn: Lsn,
    pub account: AccountId,
    pub received_at: Timestamp,
    pub record_count: u32,
    pub urgent: bool,
    pub table_version: Option<i64>,
    pub header: Bytes,
    pub payload: Bytes,
}

/// A lane with parts that are not acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLane {
    pub lane: Lane,
    pub account: AccountId,
    pub part_count: u64,
    pub record_count: u64,
    /// Bytes of headers and payloads as they were given, not as they are stored.
    pub byte_count: u64,
    pub oldest_received_at: Timestamp,
    /// Whether one of the parts is urgent.
    pub urgent: bool,
    pub first: Lsn,
    pub last: Lsn,
}
