//! Tenancy as a type: every store function that touches tenant data takes an [`AccountScope`] first.

use crate::AccountId;

/// Permission to act for one account. Made where a request was authenticated, where a job was claimed, or by the
/// operator's command line; nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountScope(AccountId);

impl AccountScope {
    /// The caller has proved that it acts for `account`.
    pub fn of(account: AccountId) -> Self {
        Self(account)
    }

    /// The account of this scope.
    pub fn account(self) -> AccountId {
        self.0
    }
}
