//! Pages of long lists.

/// One page of a numbered list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page(u32);

/// Items of one page, and how many there are in all.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    pub items: Vec<T>,
    pub total: u64,
}

impl Page {
    /// Records in a full page.
    pub const SIZE: u32 = 100;

    /// The page with this number, from 1; 0 counts as 1.
    pub fn number(number: u32) -> Self {
        Self(number.max(1))
    }

    pub(crate) fn limit(self) -> i64 {
        i64::from(Self::SIZE)
    }

    pub(crate) fn offset(self) -> i64 {
        i64::from(self.0 - 1) * i64::from(Self::SIZE)
    }
}
