//! How much the log may take, and when it acts by itself.

use std::time::Duration;

/// Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A segment is closed when it has reached this size.
    pub segment_bytes: u64,
    /// A group commit takes entries up to this size together, and always one.
    pub group_bytes: usize,
    /// Small groups are written over zeros that reach so far ahead: a sync that need not also note a new length of the file is twice as
    /// fast. Larger groups are not, which would write everything twice. 0: never.
    pub ahead_bytes: usize,
    /// What may wait to be written, over all accounts. Appends beyond it wait.
    pub budget_bytes: usize,
    /// The part of the budget that one account may take.
    pub account_budget_bytes: usize,
    /// Largest entry, headers and payloads together.
    pub entry_bytes: u64,
    /// What one account may have waiting in the log, as stored. None: any amount.
    pub quota_bytes: Option<u64>,
    /// Appends are refused when less is free on the disk.
    pub reserve_bytes: u64,
    /// What waits longer may be discarded with [`IntakeLog::discard_expired`](crate::IntakeLog::discard_expired).
    pub retention: Duration,
    /// Closed segments whose positions are kept in memory; others are scanned when they are read.
    pub cached_segments: usize,
    /// Segments below this size are not rewritten: they stay until nobody waits for any of their parts.
    pub rewrite_bytes: u64,
    /// A segment that is still written is closed at this age when most of it is acknowledged, so that loaded data goes away.
    pub segment_age: Duration,
    /// How often the log removes and rewrites segments by itself. None: only when it is told to.
    pub tidy_interval: Option<Duration>,
}

const MIB: usize = 1 << 20;

impl Default for Settings {
    fn default() -> Self {
        Self {
            segment_bytes: 64 * MIB as u64,
            group_bytes: 8 * MIB,
            ahead_bytes: 256 << 10,
            budget_bytes: 128 * MIB,
            account_budget_bytes: 32 * MIB,
            entry_bytes: 64 * MIB as u64,
            quota_bytes: None,
            reserve_bytes: 256 * MIB as u64,
            retention: Duration::from_secs(30 * 24 * 60 * 60),
            cached_segments: 4,
            rewrite_bytes: 64 << 10,
            segment_age: Duration::from_secs(60 * 60),
            tidy_interval: Some(Duration::from_secs(5)),
        }
    }
}

/// Positions within a segment have 32 bits, and a segment grows past its size by at most a group or an entry.
pub(crate) const LARGEST_SEGMENT: u64 = 1 << 30;
pub(crate) const LARGEST_ENTRY: u64 = 1 << 30;
