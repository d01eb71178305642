//! The judgement: what a destination holds against what the source held.

use std::collections::BTreeMap;
use std::fmt;

use super::history::{History, Window};
use super::{DeliveredRow, row_check};

/// What a way of replicating promises about the destination's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// The source's rows, each exactly once and no others: full table, with or without a key.
    Mirror,
    /// The newest version of every key, once. Deleted rows may stay: incremental with a key.
    Upsert,
    /// The newest version of every key at least once. Older versions, repeats and deleted rows may stay: incremental
    /// without a key.
    Append,
}

/// One way in which the destination is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A row of the source is missing.
    Gap { key: i64, expected: Vec<i64> },
    /// An older version is there, and no allowed one.
    Stale {
        key: i64,
        found: i64,
        expected: Vec<i64>,
    },
    /// A row is there that the source had deleted.
    Resurrected { key: i64, found: i64 },
    /// A key is there more than once.
    Duplicate { key: i64, copies: usize },
    /// A key and version that the source never had, or had only later.
    Unknown { key: i64, version: i64 },
    /// The row is not what its key and version say: foreign, mixed from two versions, or lacking its identity.
    Corrupt { row: DeliveredRow },
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Gap { key, expected } => {
                write!(
                    formatter,
                    "gap: key {key} is missing (version {expected:?})"
                )
            }
            Violation::Stale {
                key,
                found,
                expected,
            } => write!(
                formatter,
                "stale: key {key} has version {found} instead of {expected:?}"
            ),
            Violation::Resurrected { key, found } => write!(
                formatter,
                "resurrected: key {key} was deleted, and is there with version {found}"
            ),
            Violation::Duplicate { key, copies } => {
                write!(formatter, "duplicate: key {key} is there {copies} times")
            }
            Violation::Unknown { key, version } => {
                write!(formatter, "unknown: key {key} never had version {version}")
            }
            Violation::Corrupt { row } => write!(formatter, "corrupt: {row:?}"),
        }
    }
}

/// Everything that is wrong with one table. Never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Violations {
    pub table: String,
    pub violations: Vec<Violation>,
}

impl fmt::Display for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 20;
        write!(
            formatter,
            "{} violations in {}",
            self.violations.len(),
            self.table
        )?;
        for violation in self.violations.iter().take(SHOWN) {
            write!(formatter, "\n  {violation}")?;
        }
        if self.violations.len() > SHOWN {
            write!(formatter, "\n  and {} more", self.violations.len() - SHOWN)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Violations {
    /// As `Display`: this is what `unwrap` prints.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for Violations {}

pub(super) fn judge(
    table: &str,
    history: &History,
    promise: Promise,
    window: Window,
    rows: &[DeliveredRow],
) -> Result<(), Violations> {
    let mut violations = Vec::new();
    let mut delivered: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in rows {
        match genuine(table, row) {
            Some((key, version)) if history.ever(key, version, window) => {
                delivered.entry(key).or_default().push(version);
            }
            Some((key, version)) => violations.push(Violation::Unknown { key, version }),
            None => violations.push(Violation::Corrupt { row: row.clone() }),
        }
    }
    for key in history.keys() {
        let visible = history.visible(key, window);
        let found = delivered.get(&key).map_or(&[][..], Vec::as_slice);
        judge_key(key, promise, &visible, found, &mut violations);
    }
    if violations.is_empty() {
        return Ok(());
    }
    Err(Violations {
        table: table.to_owned(),
        violations,
    })
}

/// `visible` are the states of the key that the run may have seen, `found` the versions delivered.
fn judge_key(
    key: i64,
    promise: Promise,
    visible: &[Option<i64>],
    found: &[i64],
    violations: &mut Vec<Violation>,
) {
    let may_be_absent = visible.contains(&None);
    let expected: Vec<i64> = visible.iter().flatten().copied().collect();
    let right = |version: &i64| expected.contains(version);

    if promise != Promise::Append && found.len() > 1 {
        violations.push(Violation::Duplicate {
            key,
            copies: found.len(),
        });
    }
    if found.is_empty() {
        if !may_be_absent {
            violations.push(Violation::Gap { key, expected });
        }
        return;
    }
    let wrong: Vec<i64> = match promise {
        Promise::Mirror => found
            .iter()
            .filter(|version| !right(version))
            .copied()
            .collect(),
        // A deletion is not seen: whatever was delivered before it stays.
        Promise::Upsert | Promise::Append if may_be_absent => Vec::new(),
        Promise::Upsert => found
            .iter()
            .filter(|version| !right(version))
            .copied()
            .collect(),
        Promise::Append if found.iter().any(right) => Vec::new(),
        Promise::Append => found.iter().max().copied().into_iter().collect(),
    };
    for version in wrong {
        violations.push(if expected.is_empty() {
            Violation::Resurrected {
                key,
                found: version,
            }
        } else {
            Violation::Stale {
                key,
                found: version,
                expected: expected.clone(),
            }
        });
    }
}

/// Key and version of a row that belongs to the table and is all of one piece.
fn genuine(table: &str, row: &DeliveredRow) -> Option<(i64, i64)> {
    let (key, version) = (row.key?, row.version?);
    let whole = row.table.as_deref() == Some(table)
        && row.check.as_deref() == Some(row_check(table, key, version).as_str());
    whole.then_some((key, version))
}
