//! What a schema says, ready to be held against text.

use std::collections::{HashMap, HashSet};

use regex::Regex;
use selvedge_json::{Usual, Word};

use super::decimal::Divisor;

/// A place in [`super::Schema`].
pub(super) type NodeId = usize;

/// The schema that everything conforms to.
pub(super) const ANYTHING: NodeId = 0;
/// The schema that nothing conforms to.
pub(super) const NOTHING: NodeId = 1;

/// A set of kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    /// Numbers that are not written as integers.
    pub(super) const FRACTION: Self = Self(8);
    pub(super) const NUMBER: Self = Self(4 | 8);
    pub(super) const STRING: Self = Self(16);
    pub(super) const OBJECT: Self = Self(32);
    pub(super) const ARRAY: Self = Self(64);
    pub(super) const ALL: Self = Self(127);

    /// Whether values of one of the other kinds may be of these.
    #[inline]
    pub(super) fn admit(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Of a value whose text nobody needs.
    #[inline]
    pub(super) fn of_usual(usual: Usual) -> Self {
        match usual {
            Usual::Null => Self::NULL,
            Usual::Boolean => Self::BOOLEAN,
            Usual::String => Self::STRING,
            Usual::Integer => Self::INTEGER,
            Usual::Fraction => Self::FRACTION,
        }
    }

    /// The kinds that a value may be of; null, which only says that there may be none, where there is no other.
    pub(super) fn names(self) -> String {
        let names = [
            (Self::STRING, "String"),
            (Self::FRACTION, "Number"),
            (Self::INTEGER, "Integer"),
            (Self::BOOLEAN, "Boolean"),
            (Self::OBJECT, "JSONObject"),
            (Self::ARRAY, "JSONArray"),
        ];
        let named: Vec<&str> = names
            .iter()
            .filter(|(kind, _)| self.admit(*kind))
            // Who says number need not say integer.
            .filter(|(kind, _)| *kind != Self::INTEGER || !self.admit(Self::FRACTION))
            .map(|(_, name)| *name)
            .collect();
        match named.is_empty() {
            true => "Null".to_owned(),
            false => named.join(" or "),
        }
    }
}

/// One schema: of the document, of a property, of an item, or one that another is made of.
#[derive(Debug)]
pub(super) struct Node {
    /// What `type` admits.
    pub(super) kinds: Kinds,
    /// Of these, kinds without inner parts whose values conform whatever they are. Known when all rules are ([`Node::settle`]).
    pub(super) free: Kinds,
    /// Whether a string conforms if it is an instant. As [`Node::free`].
    pub(super) takes_instants: bool,
    pub(super) number: Option<Box<NumberRules>>,
    pub(super) string: Option<Box<StringRules>>,
    pub(super) object: Option<Box<ObjectRules>>,
    pub(super) array: Option<Box<ArrayRules>>,
    pub(super) combined: Option<Box<Combined>>,
}

impl Node {
    pub(super) fn of(kinds: Kinds) -> Self {
        Self {
            kinds,
            free: Kinds::NONE,
            takes_instants: false,
            number: None,
            string: None,
            object: None,
            array: None,
            combined: None,
        }
    }

    /// What need not be looked at by the node's own rules.
    fn own_free(&self) -> Kinds {
        let mut free = self.kinds.without(Kinds::OBJECT).without(Kinds::ARRAY);
        if self.string.is_some() {
            free = free.without(Kinds::STRING);
        }
        if self.number.is_some() {
            free = free.without(Kinds::NUMBER);
        }
        free
    }

    fn own_instants(&self) -> bool {
        let by_format = self.string.as_ref().is_some_and(|rules| {
            let others =
                rules.min_length.is_some() || rules.max_length.is_some() || rules.pattern.is_some();
            rules.format == Some(Format::DateTime) && !others
        });
        by_format && self.kinds.admit(Kinds::STRING)
    }

    /// Works out for all nodes what need not be looked at.
    pub(super) fn settle(nodes: &mut [Self]) {
        for node in nodes.iter_mut().filter(|node| node.combined.is_none()) {
            node.free = node.own_free();
            node.takes_instants = node.own_instants();
        }
        for id in 0..nodes.len() {
            let node = &nodes[id];
            let Some(any) = node.combined.as_ref().and_then(|all| all.only_any()) else {
                continue;
            };
            // One of them is enough. What those are made of is not looked into.
            let simple = any.iter().map(|id| &nodes[*id]);
            let simple = simple.filter(|member| member.combined.is_none());
            let (mut free, mut takes_instants) = (Kinds::NONE, false);
            for member in simple {
                free = free.with(member.free);
                takes_instants |= member.takes_instants;
            }
            let own_free = node.own_free();
            let takes_instants = takes_instants && own_free.admit(Kinds::STRING);
            let node = &mut nodes[id];
            node.free = free.both(own_free);
            node.takes_instants = takes_instants;
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct NumberRules {
    pub(super) bounds: Vec<Bound>,
    /// With its literal.
    pub(super) multiple_of: Option<(Divisor, Box<str>)>,
}

/// A least or a greatest value.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) lower: bool,
    pub(super) exclusive: bool,
    pub(super) literal: Box<str>,
    /// The value, if it is an integer of 64 bits.
    pub(super) integer: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct StringRules {
    /// Characters.
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) pattern: Option<Regex>,
    pub(super) format: Option<Format>,
}

/// The formats that mean something to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    DateTime,
    Decimal,
}

#[derive(Debug, Default)]
pub(super) struct ObjectRules {
    /// Declared ones first, as declared; then those that are only required.
    pub(super) properties: Vec<Property>,
    pub(super) declared_count: usize,
    pub(super) by_name: HashMap<Box<str>, usize>,
    /// Which lengths their names have, one bit each, the last for all that are longer.
    pub(super) lengths: u64,
    /// Which properties are required, 64 to a word.
    pub(super) required: Vec<u64>,
    pub(super) patterns: Vec<(Regex, NodeId)>,
    pub(super) additional: NodeId,
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
}

impl ObjectRules {
    /// Index of the property of this name.
    #[inline]
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        match self.lengths & Self::length_bit(name) {
            // Most names that are not declared are found out without a look at the table.
            0 => None,
            _ => self.by_name.get(name).copied(),
        }
    }

    /// What is declared of a property, if anything is.
    #[inline]
    pub(super) fn declared(&self, index: usize) -> Option<NodeId> {
        let declared = self.properties.get(..self.declared_count)?;
        declared.get(index).map(|property| property.node)
    }

    pub(super) fn length_bit(name: &str) -> u64 {
        1 << name.len().min(63)
    }
}

#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: Box<str>,
    /// The name as it is usually written, with its quotes and the colon behind it.
    pub(super) head: Word,
    pub(super) node: NodeId,
}

#[derive(Debug, Default)]
pub(super) struct ArrayRules {
    /// Schemas of the first items.
    pub(super) first: Vec<NodeId>,
    /// Schema of all others.
    pub(super) rest: NodeId,
    pub(super) min: Option<u64>,
    pub(super) max: Option<u64>,
    pub(super) unique: bool,
}

/// What a schema is made of besides its own rules.
#[derive(Debug, Default)]
pub(super) struct Combined {
    pub(super) all: Vec<NodeId>,
    pub(super) any: Vec<NodeId>,
    pub(super) one: Vec<NodeId>,
    pub(super) not: Option<NodeId>,
    pub(super) values: Option<Values>,
    pub(super) constant: Option<Values>,
}

impl Combined {
    /// The members of a choice, if there is nothing else.
    fn only_any(&self) -> Option<&[NodeId]> {
        let others = self.not.is_some() || self.values.is_some() || self.constant.is_some();
        (!others && self.all.is_empty() && self.one.is_empty()).then_some(&self.any)
    }
}

/// Values that a schema lists.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) strings: HashSet<Box<str>>,
    /// Canonical texts of all others.
    pub(super) others: HashSet<String>,
}
