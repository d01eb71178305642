//! Which version every key had, and when.

use std::collections::BTreeMap;

/// A state of the source: that after so many of the workload's transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The states that a run may have seen, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The source when the run started.
    pub from: Moment,
    /// The source when it ended.
    pub to: Moment,
}

impl From<Moment> for Window {
    /// The source was at rest.
    fn from(moment: Moment) -> Self {
        Self {
            from: moment,
            to: moment,
        }
    }
}

/// All versions of one table's keys. `None` is a deleted row.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    keys: BTreeMap<i64, Vec<(Moment, Option<i64>)>>,
    newest: Moment,
}

impl History {
    /// Notes what transaction `commit` makes of a key. A later note of the same transaction replaces an earlier one:
    /// nobody ever sees what comes in between.
    pub(super) fn record(&mut self, key: i64, commit: Moment, version: Option<i64>) {
        self.newest = self.newest.max(commit);
        let states = self.keys.entry(key).or_default();
        match states.last_mut() {
            Some((moment, state)) if *moment == commit => *state = version,
            _ => states.push((commit, version)),
        }
    }

    pub(super) fn newest(&self) -> Moment {
        self.newest
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = i64> {
        self.keys.keys().copied()
    }

    /// The states of a key that could be seen within the window.
    pub(super) fn visible(&self, key: i64, window: Window) -> Vec<Option<i64>> {
        let states = self.keys.get(&key).map_or(&[][..], Vec::as_slice);
        let before = states
            .iter()
            .rev()
            .find(|(moment, _)| *moment <= window.from)
            .and_then(|(_, version)| *version);
        let within = states
            .iter()
            .filter(|(moment, _)| *moment > window.from && *moment <= window.to)
            .map(|(_, version)| *version);
        std::iter::once(before).chain(within).collect()
    }

    /// Whether the key had this version at the end of the window or ever before.
    pub(super) fn ever(&self, key: i64, version: i64, window: Window) -> bool {
        self.keys.get(&key).is_some_and(|states| {
            states
                .iter()
                .any(|(moment, state)| *moment <= window.to && *state == Some(version))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_sees_the_state_at_its_start_and_every_commit_in_it() {
        let mut history = History::default();
        let moments: Vec<_> = (0..5).map(Moment).collect();
        history.record(1, moments[1], Some(10));
        history.record(1, moments[2], Some(11));
        history.record(1, moments[2], Some(12));
        history.record(1, moments[4], None);
        let visible = |from: usize, to: usize| {
            history.visible(
                1,
                Window {
                    from: moments[from],
                    to: moments[to],
                },
            )
        };
        assert_eq!(visible(0, 0), [None]);
        assert_eq!(visible(1, 1), [Some(10)]);
        assert_eq!(visible(1, 4), [Some(10), Some(12), None]);
        assert_eq!(visible(3, 3), [Some(12)]);
        assert!(
            !history.ever(1, 11, moments[4].into()),
            "11 was never committed"
        );
        assert!(!history.ever(1, 12, moments[1].into()), "12 came later");
    }
}
