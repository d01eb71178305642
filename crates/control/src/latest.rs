//! Instants that are not in the store yet: a row per request would make every reading request a writing one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use selvedge_store::StoreError;
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

    /// Writes down what was noted since the last time. What cannot be written is kept for the next.
    pub(crate) async fn write_down(
        &self,
        write: impl AsyncFnOnce(&[(K, Timestamp)]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let noted: Vec<_> = self.lock().drain().collect();
        if noted.is_empty() {
            return Ok(());
        }
        let written = write(&noted).await;
        if written.is_err() {
            for (key, at) in noted {
                self.note(key, at);
            }
        }
        written
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Timestamp>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_latest_instant_of_a_key_is_written_once() {
        let latest = Latest::default();
        for micros in [1, 3, 2] {
            latest.note("token", Timestamp::from_micros(micros));
        }
        let full = async |_: &[_]| Err(StoreError::Conflict("it"));
        assert!(latest.write_down(full).await.is_err());
        let mut written = Vec::new();
        for _ in 0..2 {
            let write = async |noted: &[_]| {
                written.push(noted.to_vec());
                Ok(())
            };
            latest.write_down(write).await.unwrap();
        }
        assert_eq!(written, [[("token", Timestamp::from_micros(3))]]);
    }
}
