//! Turns: how accounts share memory and processors.
//!
//! What an account may use at a time is at most half of what there is, and whoever waits behind others of the same account
//! does not wait in front of another account: one queue per account, one of those who are first in theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use selvedge_types::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory is counted in pieces of so many bytes.
const PIECE: usize = 1_024;

/// No room in the time that a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room became free in time")]
pub(crate) struct NoTurn;

/// Memory and processors of the gate.
#[derive(Debug)]
pub(crate) struct Turns {
    memory: Shared,
    workers: Shared,
}

/// What one request holds, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _everyone: OwnedSemaphorePermit,
    _account: OwnedSemaphorePermit,
    /// Kept alive as long as somebody of the account holds or waits for something.
    _own: Arc<Semaphore>,
}

impl Turns {
    pub(crate) fn new(memory_bytes: usize, workers: usize) -> Self {
        Self {
            memory: Shared::new(memory_bytes.div_ceil(PIECE).max(2)),
            workers: Shared::new(workers.max(1)),
        }
    }

    /// Room for `bytes` of a body.
    pub(crate) async fn memory(
        &self,
        account: AccountId,
        bytes: usize,
        patience: Duration,
    ) -> Result<Turn, NoTurn> {
        self.memory
            .take(account, bytes.div_ceil(PIECE), patience)
            .await
    }

    /// Room for `bytes` that nobody needs now; None when there is none.
    pub(crate) fn spare_memory(&self, account: AccountId, bytes: usize) -> Option<Turn> {
        self.memory.spare(account, bytes.div_ceil(PIECE))
    }

    /// A processor that nobody needs now.
    pub(crate) fn spare_worker(&self, account: AccountId) -> Option<Turn> {
        self.workers.spare(account, 1)
    }

    /// A processor to check a body with.
    pub(crate) async fn worker(
        &self,
        account: AccountId,
        patience: Duration,
    ) -> Result<Turn, NoTurn> {
        self.workers.take(account, 1, patience).await
    }
}

/// Something that there is a limited number of.
#[derive(Debug)]
struct Shared {
    everyone: Arc<Semaphore>,
    each: usize,
    by_account: Mutex<HashMap<AccountId, Weak<Semaphore>>>,
}

impl Shared {
    fn new(total: usize) -> Self {
        Self {
            everyone: Arc::new(Semaphore::new(total)),
            each: (total / 2).max(1),
            by_account: Mutex::default(),
        }
    }

    async fn take(
        &self,
        account: AccountId,
        count: usize,
        patience: Duration,
    ) -> Result<Turn, NoTurn> {
        let own = self.own(account);
        // More than an account may ever have is what it may have.
        let count = u32::try_from(count.clamp(1, self.each)).map_err(|_| NoTurn)?;
        let both = async {
            let of_account = Arc::clone(&own).acquire_many_owned(count).await.ok()?;
            let of_everyone = Arc::clone(&self.everyone)
                .acquire_many_owned(count)
                .await
                .ok()?;
            Some((of_account, of_everyone))
        };
        match tokio::time::timeout(patience, both).await {
            Ok(Some((of_account, of_everyone))) => Ok(Turn {
                _everyone: of_everyone,
                _account: of_account,
                _own: own,
            }),
            _ => Err(NoTurn),
        }
    }

    /// At once, and no more than the account may have.
    fn spare(&self, account: AccountId, count: usize) -> Option<Turn> {
        let own = self.own(account);
        let count = u32::try_from(count.max(1)).ok()?;
        let of_account = Arc::clone(&own).try_acquire_many_owned(count).ok()?;
        let of_everyone = Arc::clone(&self.everyone)
            .try_acquire_many_owned(count)
            .ok()?;
        Some(Turn {
            _everyone: of_everyone,
            _account: of_account,
            _own: own,
        })
    }

    fn own(&self, account: AccountId) -> Arc<Semaphore> {
        let mut by_account = self
            .by_account
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = by_account.get(&account).and_then(Weak::upgrade) {
            return own;
        }
        // Those of accounts that have nothing here go when a new one comes.
        by_account.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.each));
        by_account.insert(account, Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn one_account_never_has_more_than_half() {
        let turns = Turns::new(8 * PIECE, 4);
        let (flood, other) = (AccountId(1), AccountId(2));
        let first = turns.memory(flood, 3 * PIECE, SOON).await.unwrap();
        assert_eq!(
            turns.memory(flood, 2 * PIECE, SOON).await.unwrap_err(),
            NoTurn
        );
        let beside = turns.memory(other, 4 * PIECE, SOON).await;
        assert!(beside.is_ok(), "the other half is there for others");
        drop(first);
        assert!(turns.memory(flood, 4 * PIECE, SOON).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_spare_is_within_the_half_and_not_waited_for() {
        let turns = Turns::new(8 * PIECE, 4);
        let (busy, other) = (AccountId(1), AccountId(2));
        let checking = turns.worker(busy, SOON).await.unwrap();
        let beside = turns.spare_worker(busy);
        assert!(beside.is_some() && turns.spare_worker(busy).is_none());
        assert!(turns.spare_memory(busy, 5 * PIECE).is_none());
        assert!(turns.spare_memory(busy, 4 * PIECE).is_some());
        let others = (turns.spare_worker(other), turns.spare_worker(other));
        assert!(others.0.is_some() && others.1.is_some());
        drop((checking, beside));
        assert!(turns.spare_worker(busy).is_some());
    }

    #[tokio::test]
    async fn a_body_larger_than_an_account_may_hold_goes_alone() {
        let turns = Turns::new(4 * PIECE, 1);
        let alone = turns.memory(AccountId(1), 100 * PIECE, SOON).await.unwrap();
        assert!(turns.memory(AccountId(1), 1, SOON).await.is_err());
        drop(alone);
        assert!(turns.memory(AccountId(1), 1, SOON).await.is_ok());
    }
}
