//! Goes through whole segments: those that were sealed are believed, the others are held against their checksums.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use selvedge_types::AccountId;

use super::summary::Positions;
use super::walk::{EntryFrame, Frame, Walker, add_positions};
use crate::key::Cipher;

/// All parts of a segment and the offsets of damaged places, without looking into the parts.
pub(crate) fn scan(
    file: &File,
    cipher: &Cipher,
    base: u64,
    end: u64,
) -> io::Result<(Positions, Vec<u64>)> {
    let mut positions = Positions::new();
    let mut damage = Vec::new();
    let mut walker = Walker::new(file, cipher, base, false, end);
    while let Some(frame) = walker.next()? {
        match frame {
            Frame::Entry(entry) => add_entry(&mut positions, &entry),
            Frame::Damaged { at } => damage.push(at),
            Frame::Seal { .. } => break,
        }
    }
    Ok((positions, damage))
}

fn add_entry(positions: &mut Positions, entry: &EntryFrame) {
    let account = AccountId(entry.header.account);
    add_positions(positions, account, entry.positions());
}

/// How far a segment without a seal is known to have been durable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tail {
    /// Up to this length: what is damaged before was sound once.
    Confirmed(u64),
    /// The file ends here, and its last group may not have been written to completion.
    Unknown(u64),
}

#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) positions: Positions,
    /// Where the frames end that count.
    pub(crate) end: u64,
    /// Position of the last entry; one before the base for none.
    pub(crate) last_lsn: u64,
    /// Offsets of places that were durable and are damaged.
    pub(crate) damage: Vec<u64>,
    /// Where a group begins to be incomplete that nobody was promised.
    pub(crate) torn: Option<u64>,
}

/// What stands after a damaged place, until it is clear whether that was ever durable.
enum Held {
    Damage {
        at: u64,
        /// Of what stood there first.
        lsn: u64,
        /// An entry of which some parts may be readable.
        entry: Option<EntryFrame>,
    },
    Entry(EntryFrame),
}

pub(crate) fn verify(file: &File, cipher: &Cipher, base: u64, tail: Tail) -> io::Result<Verified> {
    let end = match tail {
        Tail::Confirmed(end) | Tail::Unknown(end) => end,
    };
    let mut verified = Verified {
        positions: Positions::new(),
        end,
        last_lsn: base - 1,
        damage: Vec::new(),
        torn: None,
    };
    let mut held = VecDeque::new();
    // The position that stands next, where none is missing.
    let mut lsn = base;
    let mut confirmed = matches!(tail, Tail::Confirmed(_));
    let mut sealed_lsn = 0;
    let mut walker = Walker::new(file, cipher, base, true, end);
    while let Some(frame) = walker.next()? {
        match frame {
            Frame::Entry(entry) => {
                // A group is written after the one before it was durable: what is damaged before its first entry was durable too.
                let durable_before = entry.header.group_first;
                if entry.sound {
                    lsn = entry.header.lsn + 1;
                    held.push_back(Held::Entry(entry));
                } else {
                    held.push_back(Held::Damage {
                        at: entry.at,
                        lsn,
                        entry: Some(entry),
                    });
                }
                verified.settle(&mut held, durable_before);
            }
            Frame::Damaged { at } if !confirmed && walker.only_zeros(at)? => {
                verified.end = at;
                break;
            }
            Frame::Damaged { at } => held.push_back(Held::Damage {
                at,
                lsn,
                entry: None,
            }),
            Frame::Seal { at, lsn } => {
                // A seal follows what is durable.
                confirmed = true;
                sealed_lsn = lsn;
                verified.end = at;
                break;
            }
        }
    }
    if confirmed {
        verified.settle(&mut held, u64::MAX);
        verified.last_lsn = verified.last_lsn.max(sealed_lsn);
    }
    if let Some(Held::Damage { at, .. }) = held.front() {
        verified.torn = Some(*at);
        verified.end = *at;
    }
    Ok(verified)
}

impl Verified {
    fn add(&mut self, entry: &EntryFrame) {
        self.last_lsn = self.last_lsn.max(entry.header.lsn);
        add_entry(&mut self.positions, entry);
    }

    /// Takes what is clear from the front of `held`: damage at positions before `durable_before` is damage.
    fn settle(&mut self, held: &mut VecDeque<Held>, durable_before: u64) {
        while let Some(first) = held.pop_front() {
            match first {
                Held::Entry(entry) => self.add(&entry),
                Held::Damage { at, lsn, entry } if lsn < durable_before => match entry {
                    Some(entry) => self.add(&entry),
                    None => self.damage.push(at),
                },
                unclear @ Held::Damage { .. } => {
                    held.push_front(unclear);
                    break;
                }
            }
        }
    }
}
