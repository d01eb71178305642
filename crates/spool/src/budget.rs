//! Bounded memory: room for what waits to be written, of which one account has a share only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use selvedge_types::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::lock;

pub(crate) struct Budget {
    total: Arc<Semaphore>,
    share: u32,
    accounts: Mutex<HashMap<AccountId, Arc<Semaphore>>>,
}

/// Room that was given; it is free again when this is dropped.
pub(crate) struct Room {
    permits: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    account: AccountId,
    budget: Arc<Budget>,
}

/// No more room is given.
#[derive(Debug)]
pub(crate) struct Closed;

impl Budget {
    pub(crate) fn new(total_bytes: usize, share_bytes: usize) -> Arc<Self> {
        let total = u32::try_from(total_bytes).unwrap_or(u32::MAX).max(1);
        let share = u32::try_from(share_bytes).unwrap_or(u32::MAX).max(1);
        Arc::new(Self {
            total: Arc::new(Semaphore::new(total as usize)),
            share: share.min(total),
            accounts: Mutex::new(HashMap::new()),
        })
    }

    /// Waits for room, first among what the account has, then among all. An entry larger than the share takes all of the share.
    pub(crate) async fn reserve(
        self: &Arc<Self>,
        account: AccountId,
        bytes: u64,
    ) -> Result<Room, Closed> {
        let permits = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.share);
        let own = Arc::clone(
            lock(&self.accounts)
                .entry(account)
                .or_insert_with(|| Arc::new(Semaphore::new(self.share as usize))),
        );
        // Made before anything is awaited: what is dropped meanwhile still tidies up.
        let mut room = Room {
            permits: None,
            account,
            budget: Arc::clone(self),
        };
        let own = own.acquire_many_owned(permits).await.map_err(|_| Closed)?;
        let total = Arc::clone(&self.total)
            .acquire_many_owned(permits)
            .await
            .map_err(|_| Closed)?;
        room.permits = Some((own, total));
        Ok(room)
    }

    /// Whoever waits gets [`Closed`].
    pub(crate) fn close(&self) {
        self.total.close();
        for own in lock(&self.accounts).values() {
            own.close();
        }
    }

    #[cfg(test)]
    fn account_count(&self) -> usize {
        lock(&self.accounts).len()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(self.permits.take());
        let mut accounts = lock(&self.budget.accounts);
        // Permits and waiters hold the semaphore too, and new ones come through the lock only.
        if accounts
            .get(&self.account)
            .is_some_and(|own| Arc::strong_count(own) == 1)
        {
            accounts.remove(&self.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_account_that_fills_its_share_leaves_room_for_others() {
        let budget = Budget::new(100, 40);
        let full = budget.reserve(AccountId(1), 1_000).await.unwrap();
        let mut waiting = Box::pin(budget.reserve(AccountId(1), 1));
        let pending = tokio::select! {
            biased;
            _ = &mut waiting => false,
            () = std::future::ready(()) => true,
        };
        assert!(pending);
        let other = budget.reserve(AccountId(2), 40).await.unwrap();
        drop(full);
        drop((waiting.await.unwrap(), other));
        assert_eq!(budget.account_count(), 0);
    }

    #[tokio::test]
    async fn giving_up_waiting_leaves_nothing_behind() {
        let budget = Budget::new(10, 10);
        let full = budget.reserve(AccountId(1), 10).await.unwrap();
        for account in [1, 2] {
            let mut waiting = Box::pin(budget.reserve(AccountId(account), 1));
            tokio::select! {
                biased;
                _ = &mut waiting => panic!("there is no room"),
                () = std::future::ready(()) => {}
            }
        }
        assert_eq!(budget.account_count(), 1);
        drop(full);
        assert_eq!(budget.account_count(), 0);
    }

    #[tokio::test]
    async fn closing_ends_the_waiting() {
        let budget = Budget::new(10, 10);
        let _full = budget.reserve(AccountId(1), 10).await.unwrap();
        let waiting = budget.reserve(AccountId(2), 5);
        budget.close();
        assert!(waiting.await.is_err());
    }
}
