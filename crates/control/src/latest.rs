//! Instants that are not in the store yet: a row per request would make every reading request a writing one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use selvedge_types::Timestamp;

/// When something last happened, at most one instant per key.
#[derive(Debug)]
pub(crate) struct Latest<K> {
    by_key: Mutex<HashMap<K, Timestamp>>,
}

impl<K> Default for Latest<K> {
    fn default() -> Self {
        Self {
            by_key: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash> Latest<K> {
    pub(crate) fn note(&self, key: K, now: Timestamp) {
        let mut by_key = self.lock();
        let at = by_key.entry(key).or_insert(now);
        *at = now.max(*at);
    }

    /// What was noted since the last time. Whoever cannot write it down notes it again.
    pub(crate) fn take(&self) -> Vec<(K, Timestamp)> {
        self.lock().drain().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Timestamp>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_instant_is_kept_once_per_key() {
        let latest = Latest::default();
        for micros in [1, 3, 2] {
            latest.note("token", Timestamp::from_micros(micros));
        }
        assert_eq!(latest.take(), [("token", Timestamp::from_micros(3))]);
        assert!(latest.take().is_empty());
    }
}
