//! What was found in the store a moment ago, so that a client that asks for the same thing over and over is not looked up over
//! and over.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use selvedge_types::Timestamp;

use crate::Control;

/// How long a server believes what it found. What it writes itself it sees at once; this is for what others do: another server on
/// the same database, or the command line.
pub const BELIEVED: Duration = Duration::from_micros(BELIEVED_MICROS.unsigned_abs());

const BELIEVED_MICROS: i64 = 1_000_000;

/// The moment before something is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The store's count of commits: what is written while it is read makes it stale.
    commits: u64,
    at: Timestamp,
}

impl Moment {
    pub fn now(control: &Control) -> Self {
        Self {
            commits: control.store().commit_count(),
            at: control.now(),
        }
    }
}

/// Remembers values for a second, or until this process writes anything to the store.
pub struct Remembered<K, V> {
    shelf: Mutex<Shelf<K, V>>,
    capacity: usize,
}

struct Shelf<K, V> {
    found: HashMap<K, Found<V>>,
    /// Of all that is found, in the unit of the capacity.
    weight: usize,
}

struct Found<V> {
    value: V,
    weight: usize,
    moment: Moment,
}

impl<V> Found<V> {
    fn is_fresh(&self, now: Moment) -> bool {
        // A clock that was set back says nothing about age.
        let age = now.at.as_micros().checked_sub(self.moment.at.as_micros());
        let is_young = age.is_some_and(|age| (0..BELIEVED_MICROS).contains(&age));
        is_young && self.moment.commits == now.commits
    }
}

impl<K: Hash + Eq, V: Clone> Remembered<K, V> {
    /// `capacity` in whatever unit values are weighed in.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            shelf: Mutex::new(Shelf {
                found: HashMap::new(),
                weight: 0,
            }),
            capacity,
        }
    }

    /// What was found under the key, if nothing speaks against it now.
    pub fn recall<Q>(&self, key: &Q, now: Moment) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shelf.found.get(key)?;
        found.is_fresh(now).then(|| found.value.clone())
    }

    /// Remembers what was found since `moment`, if there is room beside what is still fresh.
    pub fn remember(&self, key: K, value: V, weight: usize, moment: Moment) {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let shelf = &mut *shelf;
        if let Some(before) = shelf.found.remove(&key) {
            shelf.weight -= before.weight;
        }
        if shelf.weight.saturating_add(weight) > self.capacity {
            shelf.found.retain(|_, other| other.is_fresh(moment));
            shelf.weight = shelf.found.values().map(|other| other.weight).sum();
        }
        if shelf.weight.saturating_add(weight) > self.capacity {
            return;
        }
        shelf.weight += weight;
        let found = Found {
            value,
            weight,
            moment,
        };
        shelf.found.insert(key, found);
    }
}

impl<K, V> fmt::Debug for Remembered<K, V> {
    /// Never keys or values: they may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        formatter
            .debug_struct("Remembered")
            .field("values", &shelf.found.len())
            .field("weight", &shelf.weight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(commits: u64) -> Moment {
        Moment {
            commits,
            at: Timestamp::from_micros(1_900_000_000_000_000),
        }
    }

    #[test]
    fn what_was_found_is_believed_for_a_while_and_until_something_is_written() {
        let remembered = Remembered::with_capacity(10);
        let then = after(7);
        remembered.remember(1, "one", 1, then);
        let later = |micros| Moment {
            at: Timestamp::from_micros(then.at.as_micros() + micros),
            ..then
        };
        let last = BELIEVED_MICROS - 1;
        assert_eq!(remembered.recall(&1, later(last)), Some("one"));
        assert_eq!(remembered.recall(&1, later(last + 1)), None);
        assert_eq!(remembered.recall(&1, later(-1)), None);
        assert_eq!(remembered.recall(&1, Moment { commits: 8, ..then }), None);
        assert_eq!(remembered.recall(&2, then), None);
    }

    #[test]
    fn only_so_much_is_remembered() {
        let remembered = Remembered::with_capacity(10);
        let then = after(1);
        remembered.remember(1, "one", 6, then);
        remembered.remember(2, "two", 5, then);
        assert_eq!(remembered.recall(&2, then), None);
        // What takes the place of itself has its own room.
        remembered.remember(1, "other", 10, then);
        assert_eq!(remembered.recall(&1, then), Some("other"));
        // What was found before the last write makes room.
        let now = after(2);
        remembered.remember(2, "two", 5, now);
        assert_eq!(remembered.recall(&2, now), Some("two"));
        remembered.remember(3, "three", 5, now);
        assert_eq!(remembered.recall(&3, now), Some("three"));
        // And what finds no room at all takes nobody else's.
        remembered.remember(4, "four", 11, now);
        assert_eq!(remembered.recall(&4, now), None);
        assert_eq!(remembered.recall(&3, now), Some("three"));
    }
}
