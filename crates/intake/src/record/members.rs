//! Whether a member stands twice in an object.

use std::borrow::Cow;
use std::collections::HashSet;

/// From here on a table is quicker than looking through all names.
const MANY: usize = 24;

/// Names of the members of all objects that are open, innermost last. Kept from record to record, so that its memory is too.
#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    names: Vec<Cow<'a, str>>,
}

/// Where the names of one object begin.
#[derive(Debug)]
pub(crate) struct OpenObject<'a> {
    first: usize,
    /// A bit for each mark that names had: a name with a mark of its own is new.
    marks: u64,
    /// All names of the object, once there are many.
    many: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> Members<'a> {
    /// Begins an object.
    #[inline]
    pub(crate) fn open(&self) -> OpenObject<'a> {
        OpenObject {
            first: self.names.len(),
            marks: 0,
            many: None,
        }
    }

    /// Takes the name of the next member of the innermost object; false if it had one of this name already.
    #[inline]
    pub(crate) fn add(&mut self, object: &mut OpenObject<'a>, name: Cow<'a, str>) -> bool {
        let mark = 1 << mark_of(&name);
        if object.marks & mark == 0 && object.many.is_none() {
            object.marks |= mark;
            self.names.push(name);
            return true;
        }
        let before = self.names.get(object.first..).unwrap_or_default();
        if before.len() < MANY {
            let new = !before.contains(&name);
            self.names.push(name);
            return new;
        }
        object
            .many
            .get_or_insert_with(|| before.iter().cloned().collect())
            .insert(name)
    }

    /// How many names there are, to come back to.
    pub(crate) fn mark(&self) -> usize {
        self.names.len()
    }

    /// Forgets the objects that were begun since.
    pub(crate) fn reset(&mut self, mark: usize) {
        self.names.truncate(mark);
    }

    /// Ends the innermost object.
    #[inline]
    pub(crate) fn close(&mut self, object: OpenObject<'a>) {
        if self.names.len() > object.first {
            self.names.truncate(object.first);
        }
    }
}

/// A number below 64 that equal names have in common, and different ones mostly have not.
#[inline]
fn mark_of(name: &str) -> u32 {
    let [first, last] = [name.as_bytes().first(), name.as_bytes().last()]
        .map(|byte| u32::from(byte.copied().unwrap_or_default()));
    (name.len() as u32 * 7 + first * 5 + last) % 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_are_found_among_few_and_many() {
        for count in [1, MANY - 1, MANY, MANY + 1, 10 * MANY] {
            let names: Vec<String> = (0..count).map(|number| format!("n{number}")).collect();
            for repeated in [0, count / 2, count - 1] {
                let mut members = Members::default();
                let outer = members.open();
                let mut object = members.open();
                for name in &names {
                    assert!(members.add(&mut object, Cow::Borrowed(name)));
                }
                assert!(!members.add(&mut object, Cow::Borrowed(&names[repeated])));
                members.close(object);
                members.close(outer);
            }
        }
    }

    #[test]
    fn each_object_has_names_of_its_own() {
        let mut members = Members::default();
        let mut outer = members.open();
        assert!(members.add(&mut outer, "a".into()));
        let mut inner = members.open();
        assert!(members.add(&mut inner, "a".into()));
        members.close(inner);
        assert!(members.add(&mut outer, "b".into()));
        assert!(!members.add(&mut outer, "a".into()));
    }
}
