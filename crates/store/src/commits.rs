//! How many transactions of this process have been committed: whether something that was read may have changed since.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A count that all transactions of a store share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commits(Arc<AtomicU64>);

/// Counts a commit when it is dropped.
pub(crate) struct OneCommit(Commits);

impl Commits {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// A commit that begins now.
    pub(crate) fn one(&self) -> OneCommit {
        OneCommit(self.clone())
    }
}

impl Drop for OneCommit {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Release);
    }
}
