//! How many transactions have been committed: whether something that was read may have changed since.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A count that all transactions of a store share.
#[derive(Clone, Debug)]
pub(crate) struct Commits(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    count: AtomicU64,
    /// Whether other servers' commits are counted as well, or there are no other servers.
    complete: AtomicBool,
}

/// Counts a commit when it is dropped.
pub(crate) struct OneCommit(Commits);

impl Commits {
    /// `complete` if no other server writes to the database.
    pub(crate) fn new(complete: bool) -> Self {
        Self(Arc::new(Shared {
            count: AtomicU64::new(0),
            complete: AtomicBool::new(complete),
        }))
    }

    /// Never twice the same while others' commits may be missed.
    pub(crate) fn count(&self) -> u64 {
        if self.0.complete.load(Ordering::Acquire) {
            self.0.count.load(Ordering::Acquire)
        } else {
            self.add()
        }
    }

    /// A commit that begins now.
    pub(crate) fn one(&self) -> OneCommit {
        OneCommit(self.clone())
    }

    /// Another server has committed.
    pub(crate) fn heard(&self) {
        self.add();
    }

    /// From now on others' commits are heard of, or not.
    pub(crate) fn set_complete(&self, complete: bool) {
        self.0.complete.store(complete, Ordering::Release);
        self.add();
    }

    fn add(&self) -> u64 {
        self.0.count.fetch_add(1, Ordering::AcqRel) + 1
    }
}

impl Drop for OneCommit {
    fn drop(&mut self) {
        self.0.add();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_stays_until_something_is_committed() {
        let commits = Commits::new(true);
        let before = commits.count();
        assert_eq!(commits.count(), before);
        drop(commits.one());
        assert_ne!(commits.count(), before);
    }

    #[test]
    fn what_may_have_been_missed_counts_as_committed() {
        let commits = Commits::new(false);
        assert_ne!(commits.count(), commits.count());
        commits.set_complete(true);
        let before = commits.count();
        assert_eq!(commits.count(), before);
        commits.heard();
        assert_ne!(commits.count(), before);
        commits.set_complete(false);
        assert_ne!(commits.count(), commits.count());
    }
}
