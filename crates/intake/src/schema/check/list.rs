//! Objects and arrays.

use std::collections::HashSet;

use selvedge_json::{Scanner, unescape};

use super::choice::{SCALAR_EFFORT, Subject};
use super::{Checked, Checker, Stop, wrong_type};
use crate::kind::Kind;
use crate::record::{KeyValue, OpenObject, REPEATED_MEMBER, within_depth};
use crate::schema::canonical;
use crate::schema::mismatch::Mismatch;
use crate::schema::rules::{ArrayRules, Kinds, NOTHING, Node, NodeId, ObjectRules};

/// Properties that are looked at before the name of a member is looked up: one that comes may follow some that were left out.
const LOOK_AHEAD: usize = 3;
/// Schemas and lists that are open at a time, so that the stack suffices.
const MAX_LEVEL: usize = 384;

impl<'s, 'a> Checker<'s, 'a> {
    /// Holds an object or array against a schema.
    #[inline(always)]
    pub(super) fn list(
        &mut self,
        node: &'s Node,
        kinds: Kinds,
        scanner: &mut Scanner<'a>,
        depth: usize,
    ) -> Checked {
        if !node.kinds.admit(kinds) {
            let found = Kind::of_next(scanner);
            return self.mismatch(|| wrong_type(node, found));
        }
        within_depth(scanner, depth)?;
        if self.level == MAX_LEVEL {
            return Err(Stop::Exhausted);
        }
        self.level += 1;
        match &node.combined {
            None => self.own(node, scanner, depth)?,
            Some(combined) => self.chosen(node, combined, kinds, scanner, depth)?,
        }
        self.level -= 1;
        Ok(())
    }

    /// Holds an object or array against a schema's own rules.
    #[inline(always)]
    pub(super) fn own(
        &mut self,
        node: &'s Node,
        scanner: &mut Scanner<'a>,
        depth: usize,
    ) -> Checked {
        match (scanner.peek(), &node.object, &node.array) {
            (b'{', Some(rules), _) => self.members(rules, scanner, depth),
            (b'[', _, Some(rules)) => self.items(rules, scanner, depth),
            _ => Ok(self.reader.value(scanner, depth)?),
        }
    }

    /// Holds the object that begins here against rules.
    pub(super) fn members(
        &mut self,
        rules: &'s ObjectRules,
        scanner: &mut Scanner<'a>,
        depth: usize,
    ) -> Checked {
        scanner.expect(b'{', "an object was expected")?;
        // Bits of the first 64 properties are at hand, those of others behind them in the notes.
        let words_behind = rules.required.len().saturating_sub(1);
        let (mut seen, seen_behind) = (0_u64, self.notes.seen.len());
        if words_behind > 0 {
            self.notes.seen.resize(seen_behind + words_behind, 0);
        }
        if words_behind > 3 {
            self.spend(words_behind)?;
        }
        let is_root = depth == 0 && self.level == 0;
        let mut keyable = 0_u64;
        let mut object = self.reader.members.open();
        let (mut expected, mut count) = (0, 0);
        while scanner.another(count == 0, b'}')? {
            count += 1;
            let start = scanner.position();
            let property = match rules.expected(scanner, expected) {
                Some(index) => Some(index),
                None => self.named(rules, scanner, &mut object)?,
            };
            let mut declared = None;
            if let Some(index) = property {
                expected = index + 1;
                let bit = 1 << (index % 64);
                let word = match index / 64 {
                    0 => &mut seen,
                    word => &mut self.notes.seen[seen_behind + word - 1],
                };
                if *word & bit != 0 {
                    return Err(scanner.malformed(REPEATED_MEMBER).into());
                }
                *word |= bit;
                declared = rules.declared(index);
            }
            let first = scanner.peek();
            let value = scanner.position();
            let node = declared.unwrap_or(rules.additional);
            let single = rules.patterns.is_empty() && (declared.is_some() || node != NOTHING);
            match single {
                true => self
                    .value(node, scanner, depth + 1)
                    .map_err(|stop| stop.within(|| name_at(scanner, start)))?,
                false => self.member(rules, declared, start, scanner, depth)?,
            }
            if is_root
                && let Some(index) = property
                && KeyValue::of_read(first, value, scanner) == KeyValue::Present
            {
                let bit = 1 << (index % 64);
                match index / 64 {
                    0 => keyable |= bit,
                    word => self.notes.keyable_here[word] |= bit,
                }
            }
        }
        self.reader.members.close(object);
        if is_root && let Some(first) = self.notes.keyable_here.first_mut() {
            *first = keyable;
        }
        let behind = self.notes.seen[seen_behind..].iter();
        let all_seen = std::iter::once(&seen).chain(behind);
        let mut missing = rules
            .required
            .iter()
            .zip(all_seen)
            .map(|(required, seen)| required & !seen)
            .enumerate();
        if let Some((word, bits)) = missing.find(|(_, missing)| *missing != 0) {
            let index = word * 64 + bits.trailing_zeros() as usize;
            return self.mismatch(|| Mismatch::required(&rules.properties[index].name));
        }
        self.notes.seen.truncate(seen_behind);
        if let Some(limit) = out_of_bounds(count, rules.min, rules.max) {
            return self.mismatch(|| Mismatch::member_count(limit, count));
        }
        Ok(())
    }

    /// Index of the property whose name stands here; consumes the name and its colon. Other names must not repeat.
    #[inline(never)]
    fn named(
        &mut self,
        rules: &'s ObjectRules,
        scanner: &mut Scanner<'a>,
        object: &mut OpenObject<'a>,
    ) -> Result<Option<usize>, Stop> {
        let name = self.reader.name(scanner)?;
        let property = rules.named(&name);
        if property.is_none() {
            self.reader.add_member(scanner, object, name)?;
        }
        Ok(property)
    }

    /// Holds the value of a member against all schemas that are for it, where there is not just one. `start` is where its name
    /// begins.
    #[inline(never)]
    fn member(
        &mut self,
        rules: &'s ObjectRules,
        declared: Option<NodeId>,
        start: usize,
        scanner: &mut Scanner<'a>,
        depth: usize,
    ) -> Checked {
        let name_here = scanner.clone();
        let within = |stop: Stop| stop.within(|| name_at(&name_here, start));
        let mut names = scanner.clone();
        names.go_to(start);
        let name = self.reader.name(&mut names)?;
        let mut nodes: Vec<NodeId> = declared.into_iter().collect();
        for (pattern, node) in &rules.patterns {
            self.spend(name.len() + SCALAR_EFFORT)?;
            if pattern.is_match(&name) {
                nodes.push(*node);
            }
        }
        if nodes.is_empty() {
            if rules.additional == NOTHING {
                return self.extraneous(scanner, start);
            }
            nodes.push(rules.additional);
        }
        let value = scanner.clone();
        for (index, node) in nodes.into_iter().enumerate() {
            match index {
                0 => self.value(node, scanner, depth + 1),
                _ => self.again(node, &value, scanner.position(), depth + 1),
            }
            .map_err(within)?;
        }
        Ok(())
    }

    /// Holds a value that was read over against one more schema.
    fn again(&mut self, id: NodeId, value: &Scanner<'a>, end: usize, depth: usize) -> Checked {
        let subject = Subject::List {
            start: value,
            depth,
            // Whatever it is.
            kinds: Kinds::ALL,
            length: end - value.position(),
        };
        self.hold(id, &subject)
    }

    #[cold]
    fn extraneous(&self, scanner: &Scanner<'a>, start: usize) -> Checked {
        self.mismatch(|| Mismatch::extraneous(&name_at(scanner, start)))
    }

    fn items(&mut self, rules: &'s ArrayRules, scanner: &mut Scanner<'a>, depth: usize) -> Checked {
        scanner.expect(b'[', "an array was expected")?;
        let mut known = rules.unique.then(HashSet::new);
        let mut repeated = false;
        let mut count = 0;
        while scanner.another(count == 0, b']')? {
            let node = rules.first.get(count).copied().unwrap_or(rules.rest);
            if node == NOTHING && count >= rules.first.len() {
                return self.mismatch(|| Mismatch::additional_items(rules.first.len()));
            }
            let start = scanner.clone();
            self.value(node, scanner, depth + 1)
                .map_err(|stop| stop.within(|| count.to_string()))?;
            count += 1;
            if let Some(known) = &mut known {
                let mut text = String::new();
                self.spend(scanner.position() - start.position())?;
                canonical::write(&mut start.clone(), &mut text)?;
                repeated |= !known.insert(text);
            }
        }
        if let Some(limit) = out_of_bounds(count, rules.min, rules.max) {
            return self.mismatch(|| Mismatch::item_count(limit, count));
        }
        match repeated {
            true => self.mismatch(Mismatch::not_unique),
            false => Ok(()),
        }
    }
}

impl ObjectRules {
    /// The property whose name stands here, if it is one of those that are expected next; consumes the name and its colon.
    #[inline(always)]
    fn expected(&self, scanner: &mut Scanner<'_>, from: usize) -> Option<usize> {
        match self.properties.get(from) {
            Some(next) if scanner.known_word(&next.head) => Some(from),
            Some(_) => self.expected_later(scanner, from + 1),
            None => None,
        }
    }

    #[inline(never)]
    fn expected_later(&self, scanner: &mut Scanner<'_>, from: usize) -> Option<usize> {
        let ahead = self.properties.get(from..)?.iter().take(LOOK_AHEAD - 1);
        ahead
            .enumerate()
            .find(|(_, property)| scanner.known_word(&property.head))
            .map(|(offset, _)| from + offset)
    }
}

/// The name that begins at a position.
#[cold]
fn name_at(scanner: &Scanner<'_>, position: usize) -> String {
    let mut scanner = scanner.clone();
    scanner.go_to(position);
    match scanner.string() {
        Ok(name) => unescape(name).unwrap_or(name.text.into()).into_owned(),
        Err(_) => String::new(),
    }
}

/// The limit that a count does not keep.
fn out_of_bounds(count: usize, min: Option<u64>, max: Option<u64>) -> Option<u64> {
    let count = count as u64;
    min.filter(|min| count < *min)
        .or(max.filter(|max| count > *max))
}
