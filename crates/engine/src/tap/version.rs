//! Which version of a table a record belongs to, and what an activation does: pure.

use selvedge_connector::LoadMode;

/// The versions of one table, as far as the run knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Versions {
    /// The one that readers see.
    pub(super) current: Option<i64>,
    /// Whether the table has rows, or had in earlier runs.
    pub(super) begun: bool,
    /// The stream starts over: what comes takes the place of what is there, whatever its version.
    pub(super) rebuild: bool,
}

/// Where a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Into the table as it is.
    Current,
    /// Into what takes the table's place when the version is activated, or a stream that starts over has ended.
    Next(Option<i64>),
    /// Nowhere: its version is over.
    Old,
}

/// What an activation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
    /// The version is current already, or older.
    Nothing,
    /// What was written for the version takes the table's place; if nothing was, the table is emptied.
    Replace,
}

/// The replacement under way.
pub(super) type Next = Option<Option<i64>>;

impl Versions {
    /// Where a record of this version goes, while `next` is being written.
    pub(super) fn place(&mut self, version: Option<i64>, next: Next) -> Place {
        if self.rebuild {
            return match (version, next.flatten()) {
                (Some(version), Some(next)) if version < next => Place::Old,
                (Some(version), _) => Place::Next(Some(version)),
                (None, next) => Place::Next(next),
            };
        }
        let Some(version) = version else {
            // Without a version it belongs to what will be seen.
            return match next {
                Some(next) => Place::Next(next),
                None => Place::Current,
            };
        };
        let current = match self.current {
            // The first version of a table that has nothing yet is visible as it comes.
            None if !self.begun => *self.current.insert(version),
            None => i64::MIN,
            Some(current) => current,
        };
        match (version.cmp(&current), next.flatten()) {
            (std::cmp::Ordering::Equal, _) => Place::Current,
            (std::cmp::Ordering::Less, _) => Place::Old,
            (std::cmp::Ordering::Greater, Some(next)) if version < next => Place::Old,
            (std::cmp::Ordering::Greater, _) => Place::Next(Some(version)),
        }
    }

    /// A version is activated. `next` is the replacement under way.
    pub(super) fn activate(&mut self, version: i64, next: Next) -> Activation {
        if self.rebuild {
            return match next.flatten() {
                Some(next) if version < next => Activation::Nothing,
                _ if next.is_none() && !self.begun => {
                    // Ahead of its records, as a first pass does: they are still to come.
                    Activation::Nothing
                }
                _ => {
                    self.become_current(Some(version));
                    Activation::Replace
                }
            };
        }
        match self.current {
            None if !self.begun => {
                self.current = Some(version);
                Activation::Nothing
            }
            Some(current) if version <= current => Activation::Nothing,
            _ if next.flatten().is_some_and(|next| version < next) => Activation::Nothing,
            _ => {
                self.become_current(Some(version));
                Activation::Replace
            }
        }
    }

    /// The destination tells which version it has, which may be more than was saved of an earlier run.
    pub(super) fn found(&mut self, table_version: Option<i64>) {
        if !self.rebuild {
            self.current = table_version;
            self.begun = true;
        }
    }

    /// What was written next is what readers see from now on.
    pub(super) fn become_current(&mut self, version: Option<i64>) {
        self.current = version;
        self.rebuild = false;
        self.begun = true;
    }
}

impl Place {
    /// How a table is opened for it.
    pub(super) fn mode(self) -> LoadMode {
        match self {
            Place::Next(_) => LoadMode::Replace,
            Place::Current | Place::Old => LoadMode::Merge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_of_a_table_is_visible_as_it_comes() {
        let mut versions = Versions::default();
        assert_eq!(versions.activate(7, None), Activation::Nothing);
        assert_eq!(versions.place(Some(7), None), Place::Current);
        assert_eq!(versions.place(None, None), Place::Current);
        versions.begun = true;
        assert_eq!(versions.activate(7, None), Activation::Nothing);
        assert_eq!(versions.place(Some(6), None), Place::Old);
    }

    #[test]
    fn a_newer_version_is_kept_apart_until_it_is_activated() {
        let mut versions = Versions {
            current: Some(7),
            begun: true,
            rebuild: false,
        };
        assert_eq!(versions.place(Some(9), None), Place::Next(Some(9)));
        let next = Some(Some(9));
        assert_eq!(versions.place(None, next), Place::Next(Some(9)));
        assert_eq!(versions.place(Some(8), next), Place::Old);
        assert_eq!(versions.activate(8, next), Activation::Nothing);
        assert_eq!(versions.activate(9, next), Activation::Replace);
        assert_eq!(versions.current, Some(9));
        assert_eq!(versions.place(Some(7), None), Place::Old);
        assert_eq!(versions.activate(11, None), Activation::Replace);
    }

    #[test]
    fn a_table_without_versions_is_replaced_by_its_first_one() {
        let mut versions = Versions {
            begun: true,
            ..Versions::default()
        };
        assert_eq!(versions.place(Some(3), None), Place::Next(Some(3)));
        assert_eq!(versions.activate(3, Some(Some(3))), Activation::Replace);
    }

    #[test]
    fn a_stream_that_starts_over_replaces_its_table_whatever_comes() {
        let mut versions = Versions {
            rebuild: true,
            ..Versions::default()
        };
        assert_eq!(versions.activate(5, None), Activation::Nothing);
        assert_eq!(versions.place(None, None), Place::Next(None));
        assert_eq!(versions.place(Some(5), Some(None)), Place::Next(Some(5)));
        assert_eq!(versions.activate(5, Some(Some(5))), Activation::Replace);
        assert!(!versions.rebuild);
        assert_eq!(versions.place(Some(5), None), Place::Current);
    }
}
