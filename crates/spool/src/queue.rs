//! What waits to be written, taken in turns by account: nobody's flood keeps somebody else out of the next group.

use std::collections::{HashMap, VecDeque};

use selvedge_types::AccountId;

/// Up to this size an entry goes with the next group before anybody's larger ones.
const SMALL: usize = 64 << 10;

pub(crate) struct FairQueue<T> {
    accounts: HashMap<AccountId, VecDeque<(usize, T)>>,
    /// The accounts that have something waiting, whose turn is next first.
    turns: VecDeque<AccountId>,
}

impl<T> FairQueue<T> {
    pub(crate) fn new() -> Self {
        Self {
            accounts: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// `size` in bytes.
    pub(crate) fn push(&mut self, account: AccountId, size: usize, item: T) {
        let waiting = self.accounts.entry(account).or_default();
        if waiting.is_empty() {
            self.turns.push_back(account);
        }
        waiting.push_back((size, item));
    }

    /// Up to `limit` bytes and the one item that goes beyond. Each account's items stay in order. Small ones first, one for each
    /// account; then whatever fits, again one for each account in a turn. Who found no room is first the next time.
    pub(crate) fn take(&mut self, limit: usize) -> Vec<T> {
        let mut group = Vec::new();
        let mut total = 0usize;
        let mut only_small = true;
        // Who has found no room in this round.
        let mut left = VecDeque::new();
        while !self.turns.is_empty() {
            let mut progress = false;
            for _ in 0..self.turns.len() {
                let Some(account) = self.turns.pop_front() else {
                    break;
                };
                let Some(waiting) = self.accounts.get_mut(&account) else {
                    continue;
                };
                let size = waiting.front().map_or(0, |(size, _)| *size);
                let fits = total.saturating_add(size) <= limit || (!only_small && total <= limit);
                if !fits || (only_small && size > SMALL) {
                    left.push_back(account);
                    continue;
                }
                total = total.saturating_add(size);
                group.extend(waiting.pop_front().map(|(_, item)| item));
                if waiting.is_empty() {
                    self.accounts.remove(&account);
                } else {
                    progress = true;
                    self.turns.push_back(account);
                }
            }
            progress |= left.is_empty();
            while let Some(account) = left.pop_back() {
                self.turns.push_front(account);
            }
            if !only_small && (!progress || total > limit) {
                break;
            }
            only_small = false;
        }
        group
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LARGE: usize = 20 << 20;
    const LIMIT: usize = 8 << 20;

    #[test]
    fn a_small_entry_goes_with_the_next_group_whatever_a_flood_brings() {
        let mut queue = FairQueue::new();
        for number in 0..10 {
            queue.push(AccountId(1), LARGE, (1, number));
        }
        queue.push(AccountId(2), 300, (2, 0));
        assert_eq!(queue.take(LIMIT), [(2, 0), (1, 0)]);
    }

    #[test]
    fn large_entries_take_turns() {
        let mut queue = FairQueue::new();
        for account in 1..=3 {
            for number in 0..2 {
                queue.push(AccountId(account), LARGE, (account, number));
            }
        }
        let groups: Vec<_> = std::iter::repeat_with(|| queue.take(LIMIT))
            .take_while(|group| !group.is_empty())
            .collect();
        assert_eq!(
            groups,
            [[(1, 0)], [(2, 0)], [(3, 0)], [(1, 1)], [(2, 1)], [(3, 1)]]
        );
    }

    #[test]
    fn a_flood_of_small_entries_does_not_keep_a_large_one_waiting() {
        let mut queue = FairQueue::new();
        for account in 1..=1_000 {
            for number in 0..10 {
                queue.push(AccountId(account), SMALL, (account, number));
            }
        }
        queue.push(AccountId(5_000), LARGE, (5_000, 0));
        // One entry of each account is as much as eight groups.
        let taken = (0..9).any(|_| queue.take(LIMIT).contains(&(5_000, 0)));
        assert!(taken);
    }

    proptest! {
        #[test]
        fn everything_leaves_in_bounded_groups_and_in_its_accounts_order(
            entries in proptest::collection::vec((1i64..6, 0usize..300_000), 1..200),
            limit in 1usize..500_000,
        ) {
            let mut queue = FairQueue::new();
            for (number, (account, size)) in entries.iter().enumerate() {
                queue.push(AccountId(*account), *size, number);
            }
            let mut seen: HashMap<i64, usize> = HashMap::new();
            let mut count = 0;
            while !queue.is_empty() {
                let group = queue.take(limit);
                prop_assert!(!group.is_empty());
                let sizes: Vec<_> = group.iter().map(|number| entries[*number].1).collect();
                let largest = sizes.iter().max().copied().unwrap_or(0);
                prop_assert!(sizes.iter().sum::<usize>() <= limit + largest);
                for number in group {
                    if let Some(before) = seen.insert(entries[number].0, number) {
                        prop_assert!(before < number);
                    }
                    count += 1;
                }
            }
            prop_assert_eq!(count, entries.len());
        }
    }
}
