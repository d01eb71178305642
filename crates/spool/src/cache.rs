//! The positions of a few closed segments, those used last.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::core::SegmentMap;
use crate::lock;

pub(crate) struct Cache {
    capacity: usize,
    /// Used last at the back. A handful, so that looking through all is the quickest.
    maps: Mutex<VecDeque<(u64, Arc<SegmentMap>)>>,
    loading: Mutex<()>,
}

impl Cache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            maps: Mutex::new(VecDeque::new()),
            loading: Mutex::new(()),
        }
    }

    /// Held while a segment is scanned.
    pub(crate) fn loading(&self) -> MutexGuard<'_, ()> {
        lock(&self.loading)
    }

    pub(crate) fn get(&self, base: u64) -> Option<Arc<SegmentMap>> {
        let mut maps = lock(&self.maps);
        let at = maps.iter().position(|(other, _)| *other == base)?;
        let used = maps.remove(at)?;
        let map = Arc::clone(&used.1);
        maps.push_back(used);
        Some(map)
    }

    pub(crate) fn insert(&self, base: u64, map: Arc<SegmentMap>) {
        let mut maps = lock(&self.maps);
        maps.retain(|(other, _)| *other != base);
        maps.push_back((base, map));
        while maps.len() > self.capacity {
            maps.pop_front();
        }
    }

    pub(crate) fn remove(&self, base: u64) {
        lock(&self.maps).retain(|(other, _)| *other != base);
    }
}
