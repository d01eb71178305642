//! What the index knows of parts: where each one is, and what many of them come to.

use std::collections::HashMap;

use selvedge_types::{AccountId, Timestamp};

use crate::entry::{Lane, Lsn, WaitingLane};

/// Where a part is in its segment, and what it counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) lsn: u64,
    /// Microseconds since 1970.
    pub(crate) received_at: i64,
    pub(crate) frame_at: u32,
    pub(crate) part_at: u32,
    /// Length of the encrypted part.
    pub(crate) stored_len: u32,
    /// The part's share of everything else in its frame.
    pub(crate) overhead: u32,
    /// Index in its entry.
    pub(crate) part: u32,
    pub(crate) record_count: u32,
    pub(crate) byte_count: u32,
    pub(crate) urgent: bool,
}

impl Position {
    /// Bytes that go away with the part.
    pub(crate) fn disk_bytes(&self) -> u64 {
        u64::from(self.stored_len) + u64::from(self.overhead)
    }
}

/// The parts of one segment, by lane, in order.
pub(crate) type Positions = HashMap<Lane, LanePositions>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LanePositions {
    pub(crate) account: AccountId,
    pub(crate) positions: Vec<Position>,
}

impl LanePositions {
    /// The positions after `lsn`.
    pub(crate) fn after(&self, lsn: u64) -> &[Position] {
        let start = self
            .positions
            .partition_point(|position| position.lsn <= lsn);
        &self.positions[start..]
    }
}

/// What parts of one lane come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) part_count: u64,
    pub(crate) record_count: u64,
    pub(crate) byte_count: u64,
    pub(crate) disk_bytes: u64,
    /// Microseconds since 1970, as the next.
    pub(crate) oldest_at: i64,
    pub(crate) newest_at: i64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) urgent: bool,
}

impl Summary {
    /// None for no parts.
    pub(crate) fn of(positions: &[Position]) -> Option<Self> {
        positions
            .iter()
            .map(Self::one)
            .reduce(|all, one| all.and(&one))
    }

    pub(crate) fn one(position: &Position) -> Self {
        Self {
            part_count: 1,
            record_count: u64::from(position.record_count),
            byte_count: u64::from(position.byte_count),
            disk_bytes: position.disk_bytes(),
            oldest_at: position.received_at,
            newest_at: position.received_at,
            first: position.lsn,
            last: position.lsn,
            urgent: position.urgent,
        }
    }

    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            part_count: self.part_count + other.part_count,
            record_count: self.record_count + other.record_count,
            byte_count: self.byte_count + other.byte_count,
            disk_bytes: self.disk_bytes + other.disk_bytes,
            oldest_at: self.oldest_at.min(other.oldest_at),
            newest_at: self.newest_at.max(other.newest_at),
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            urgent: self.urgent || other.urgent,
        }
    }

    pub(crate) fn waiting(&self, lane: &Lane, account: AccountId) -> WaitingLane {
        WaitingLane {
            lane: lane.clone(),
            account,
            part_count: self.part_count,
            record_count: self.record_count,
            byte_count: self.byte_count,
            oldest_received_at: Timestamp::from_micros(self.oldest_at),
            urgent: self.urgent,
            first: Lsn(self.first),
            last: Lsn(self.last),
        }
    }
}
