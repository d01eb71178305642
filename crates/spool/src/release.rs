//! Letting go of what was loaded, or will never be.

use std::io;

use selvedge_types::Timestamp;

use crate::core::Core;
use crate::entry::{Lane, WaitingLane};
use crate::lock;

impl Core {
    /// Removes what a lane has up to `upto` and tells what that was.
    pub(crate) fn release(&self, lane: &Lane, upto: u64) -> io::Result<Option<WaitingLane>> {
        loop {
            let cut = lock(&self.index).cut_segment(lane, upto);
            let positions = match cut {
                Some(base) => self.lane_positions(base, lane)?.map(|held| (base, held)),
                None => None,
            };
            let mut index = lock(&self.index);
            // The lane may have grown meanwhile so that it is cut in another segment now, or in one at all.
            if index.cut_segment(lane, upto) == cut {
                let cut = positions.as_ref().map(|(base, held)| (*base, held));
                return Ok(index.release(lane, upto, cut));
            }
        }
    }

    /// Removes from the beginning of each lane what was received before `cutoff`.
    pub(crate) fn release_before(&self, cutoff: Timestamp) -> io::Result<Vec<WaitingLane>> {
        let expired = lock(&self.index).expired(cutoff.as_micros());
        let mut released = Vec::new();
        for (lane, whole, cut) in expired {
            let within = match cut {
                Some(base) => self.lane_positions(base, &lane)?.and_then(|held| {
                    held.after(whole.unwrap_or(0))
                        .iter()
                        .take_while(|position| position.received_at < cutoff.as_micros())
                        .map(|position| position.lsn)
                        .last()
                }),
                None => None,
            };
            if let Some(upto) = within.or(whole) {
                released.extend(self.release(&lane, upto)?);
            }
        }
        Ok(released)
    }
}
