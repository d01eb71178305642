//! What waits, kept in memory: a summary per lane and segment, exact positions only of the segment that is being written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::sync::Arc;

use selvedge_types::AccountId;

use crate::entry::{Lane, WaitingLane};
use crate::key::Cipher;
use crate::segment::{LanePositions, Position, Positions, Summary, add_positions};

/// A segment file. All bytes of it are counted, also those that nobody waits for any more.
pub(crate) struct Segment {
    pub(crate) cipher: Arc<Cipher>,
    /// Where the frames end, as far as they count.
    pub(crate) end: u64,
    pub(crate) last_lsn: u64,
    /// How often it was written anew.
    pub(crate) rewrite_count: u32,
    /// Whether the file itself says where it ends.
    pub(crate) sealed: bool,
    /// Bytes of the parts that wait.
    pub(crate) live_bytes: u64,
    pub(crate) live_lanes: u64,
    /// Parts that were found damaged, by position and index in the entry.
    pub(crate) damaged: BTreeSet<(u64, u32)>,
    /// Offsets of damaged frames that were reported.
    pub(crate) reported: BTreeSet<u64>,
}

impl Segment {
    pub(crate) fn new(cipher: Arc<Cipher>, end: u64, last_lsn: u64, rewrite_count: u32) -> Self {
        Self {
            cipher,
            end,
            last_lsn,
            rewrite_count,
            sealed: false,
            live_bytes: 0,
            live_lanes: 0,
            damaged: BTreeSet::new(),
            reported: BTreeSet::new(),
        }
    }
}

/// The segment that is being written, and all parts in it.
pub(crate) struct OpenSegment {
    pub(crate) base: u64,
    pub(crate) file: Arc<File>,
    pub(crate) positions: Positions,
    /// Microseconds since 1970.
    pub(crate) begun_at: i64,
}

struct WaitingParts {
    account: AccountId,
    /// By the segment's base; never empty.
    segments: BTreeMap<u64, Summary>,
}

/// Sums over all lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) part_count: u64,
    pub(crate) record_count: u64,
    pub(crate) byte_count: u64,
}

#[derive(Clone, Copy, Default)]
struct AccountUse {
    waiting: u64,
    in_flight: u64,
}

/// Where to look for the next parts of a lane.
pub(crate) enum Next {
    /// In the open segment with this base, at these positions.
    Open(u64, Arc<File>, Arc<Cipher>, Vec<Position>),
    /// The base of a closed segment, and the lane's first position in it that still waits.
    Closed(u64, u64),
    Nothing,
}

#[derive(Default)]
pub(crate) struct Index {
    lanes: HashMap<Lane, WaitingParts>,
    pub(crate) segments: BTreeMap<u64, Segment>,
    pub(crate) open: Option<OpenSegment>,
    accounts: HashMap<AccountId, AccountUse>,
    totals: Totals,
    pub(crate) damaged: u64,
    /// Every segment that reached to this position is gone for good.
    pub(crate) horizon: u64,
}

impl Index {
    pub(crate) fn lanes(&self) -> Vec<WaitingLane> {
        self.lanes
            .iter()
            .filter_map(|(lane, parts)| Some(parts.total()?.waiting(lane, parts.account)))
            .collect()
    }

    pub(crate) fn waiting(&self, lane: &Lane) -> Option<WaitingLane> {
        let (lane, parts) = self.lanes.get_key_value(lane)?;
        Some(parts.total()?.waiting(lane, parts.account))
    }

    pub(crate) fn lane_count(&self) -> u64 {
        self.lanes.len() as u64
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// Counts an entry that is about to be written into what its account has, unless that would be more than `quota`. Gives what
    /// the account has.
    pub(crate) fn admit(&mut self, account: AccountId, bytes: u64, quota: u64) -> Result<(), u64> {
        let in_use = self.accounts.entry(account).or_default();
        let held = in_use.waiting + in_use.in_flight;
        if held + bytes > quota {
            self.forget_idle(account);
            return Err(held);
        }
        in_use.in_flight += bytes;
        Ok(())
    }

    /// Takes back what [`Index::admit`] counted.
    pub(crate) fn landed(&mut self, account: AccountId, bytes: u64) {
        if let Some(in_use) = self.accounts.get_mut(&account) {
            in_use.in_flight = in_use.in_flight.saturating_sub(bytes);
        }
        self.forget_idle(account);
    }

    fn forget_idle(&mut self, account: AccountId) {
        if let Some(AccountUse {
            waiting: 0,
            in_flight: 0,
        }) = self.accounts.get(&account)
        {
            self.accounts.remove(&account);
        }
    }

    /// Adds an entry that became durable in the open segment.
    pub(crate) fn add(
        &mut self,
        account: AccountId,
        parts: impl Iterator<Item = (Lane, Position)>,
    ) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        for (lane, position) in parts {
            let one = Summary::one(&position);
            let sum = self
                .summary(&lane, open.base)
                .map_or(one, |before| before.and(&one));
            self.set(&lane, account, open.base, Some(sum));
            add_positions(
                &mut open.positions,
                account,
                std::iter::once((lane, position)),
            );
        }
        self.open = Some(open);
    }

    fn summary(&self, lane: &Lane, base: u64) -> Option<Summary> {
        self.lanes.get(lane)?.segments.get(&base).copied()
    }

    /// The one place where what waits changes: replaces what a lane has in a segment, and all sums with it.
    pub(crate) fn set(
        &mut self,
        lane: &Lane,
        account: AccountId,
        base: u64,
        summary: Option<Summary>,
    ) {
        let before = match summary {
            Some(summary) => match self.lanes.get_mut(lane) {
                Some(parts) => parts.segments.insert(base, summary),
                None => {
                    let parts = WaitingParts {
                        account,
                        segments: BTreeMap::from([(base, summary)]),
                    };
                    self.lanes.insert(lane.clone(), parts);
                    None
                }
            },
            None => {
                let Some(parts) = self.lanes.get_mut(lane) else {
                    return;
                };
                let before = parts.segments.remove(&base);
                if parts.segments.is_empty() {
                    self.lanes.remove(lane);
                }
                before
            }
        };
        self.count(account, base, before, summary);
    }

    fn count(
        &mut self,
        account: AccountId,
        base: u64,
        before: Option<Summary>,
        after: Option<Summary>,
    ) {
        let of = |field: fn(&Summary) -> u64| {
            let value = |summary: Option<Summary>| summary.as_ref().map_or(0, field);
            (value(before), value(after))
        };
        let change = |sum: &mut u64, (before, after): (u64, u64)| *sum = *sum + after - before;
        change(&mut self.totals.part_count, of(|s| s.part_count));
        change(&mut self.totals.record_count, of(|s| s.record_count));
        change(&mut self.totals.byte_count, of(|s| s.byte_count));
        let in_use = self.accounts.entry(account).or_default();
        change(&mut in_use.waiting, of(|s| s.disk_bytes));
        self.forget_idle(account);
        if let Some(segment) = self.segments.get_mut(&base) {
            change(&mut segment.live_bytes, of(|s| s.disk_bytes));
            change(&mut segment.live_lanes, of(|_| 1));
        }
    }

    /// The segment in which the lane would be cut in the middle when it ends at `upto`.
    pub(crate) fn cut_segment(&self, lane: &Lane, upto: u64) -> Option<u64> {
        let parts = self.lanes.get(lane)?;
        parts
            .segments
            .iter()
            .find(|(_, summary)| summary.first <= upto && upto < summary.last)
            .map(|(base, _)| *base)
    }

    /// Removes what the lane has up to `upto` and tells what that was. `cut` is what [`Index::cut_segment`] named, with the lane's
    /// positions in it.
    pub(crate) fn release(
        &mut self,
        lane: &Lane,
        upto: u64,
        cut: Option<(u64, &LanePositions)>,
    ) -> Option<WaitingLane> {
        let (account, touched) = {
            let parts = self.lanes.get(lane)?;
            let touched: Vec<_> = parts
                .segments
                .iter()
                .filter(|(_, summary)| summary.first <= upto)
                .map(|(base, summary)| (*base, *summary))
                .collect();
            (parts.account, touched)
        };
        let mut released: Option<Summary> = None;
        for (base, summary) in touched {
            let (gone, rest) = if summary.last <= upto {
                (Some(summary), None)
            } else {
                match cut {
                    Some((cut_base, positions)) if cut_base == base => {
                        let waiting = positions.after(summary.first.saturating_sub(1));
                        let split = waiting.partition_point(|position| position.lsn <= upto);
                        let (gone, rest) = waiting.split_at(split);
                        (Summary::of(gone), Summary::of(rest))
                    }
                    _ => continue,
                }
            };
            self.set(lane, account, base, rest);
            released = match (released, gone) {
                (Some(all), Some(gone)) => Some(all.and(&gone)),
                (all, gone) => all.or(gone),
            };
        }
        Some(released?.waiting(lane, account))
    }

    /// Where the parts of a lane after `after` are; at most `limit` of them.
    pub(crate) fn next(&self, lane: &Lane, after: u64, limit: usize) -> Next {
        let Some(parts) = self.lanes.get(lane) else {
            return Next::Nothing;
        };
        let Some((&base, summary)) = parts
            .segments
            .iter()
            .find(|(_, summary)| summary.last > after)
        else {
            return Next::Nothing;
        };
        let after = after.max(summary.first.saturating_sub(1));
        match (&self.open, self.segments.get(&base)) {
            (Some(open), Some(segment)) if open.base == base => {
                let positions = open
                    .positions
                    .get(lane)
                    .map(|lane| first_whole(lane.after(after), limit))
                    .unwrap_or_default();
                Next::Open(
                    base,
                    Arc::clone(&open.file),
                    Arc::clone(&segment.cipher),
                    positions.to_vec(),
                )
            }
            _ => Next::Closed(base, after + 1),
        }
    }

    /// For each lane the last position of its beginning that is older than `cutoff` (microseconds since 1970), as far as summaries
    /// tell, and the segment whose positions have to be looked at for the rest.
    pub(crate) fn expired(&self, cutoff: i64) -> Vec<(Lane, Option<u64>, Option<u64>)> {
        self.lanes
            .iter()
            .filter_map(|(lane, parts)| {
                let mut whole = None;
                for (base, summary) in &parts.segments {
                    if summary.newest_at < cutoff {
                        whole = Some(summary.last);
                    } else {
                        let cut = (summary.oldest_at < cutoff).then_some(*base);
                        return (whole.is_some() || cut.is_some())
                            .then(|| (lane.clone(), whole, cut));
                    }
                }
                Some((lane.clone(), whole, None))
            })
            .collect()
    }

    /// Lets go of what a segment was said to have and has not, because it is damaged.
    pub(crate) fn reconcile(&mut self, base: u64, positions: &Positions) {
        let held: Vec<_> = self
            .lanes
            .iter()
            .filter_map(|(lane, parts)| {
                let summary = parts.segments.get(&base)?;
                Some((lane.clone(), parts.account, *summary))
            })
            .collect();
        for (lane, account, summary) in held {
            let rest = positions
                .get(&lane)
                .map(|lane| lane.after(summary.first.saturating_sub(1)))
                .and_then(Summary::of);
            self.set(&lane, account, base, rest);
        }
    }

    /// Whether a part still waits.
    pub(crate) fn waits(&self, lane: &Lane, base: u64, lsn: u64) -> bool {
        self.summary(lane, base)
            .is_some_and(|summary| summary.first <= lsn && lsn <= summary.last)
    }
}

/// At most `limit` positions, and those that share the last one's entry.
pub(crate) fn first_whole(positions: &[Position], limit: usize) -> &[Position] {
    match positions.get(limit.saturating_sub(1)) {
        Some(last) => {
            let end = positions.partition_point(|position| position.lsn <= last.lsn);
            &positions[..end]
        }
        None => positions,
    }
}

impl WaitingParts {
    fn total(&self) -> Option<Summary> {
        self.segments
            .values()
            .copied()
            .reduce(|all, one| all.and(&one))
    }
}
