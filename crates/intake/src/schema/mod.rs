//! JSON Schema, held against the text of records.
//!
//! A schema is compiled once per request: [`Tree`] reads its text, `compile` makes rules of it, in which references are
//! resolved. [`Checker`] holds each record against them while it reads over its text. Numbers are compared by their digits.

mod canonical;
mod check;
mod compile;
mod decimal;
mod mismatch;
mod rules;
mod tree;

pub(crate) use check::{Checker, Notes, Unfit};
pub(crate) use compile::Invalid;
pub(crate) use tree::Tree;

use rules::{Node, NodeId, ObjectRules};

/// A schema that is valid.
#[derive(Debug)]
pub(crate) struct Schema {
    nodes: Vec<Node>,
    root: NodeId,
    /// Rules of a root that has none.
    no_rules: ObjectRules,
}

impl Schema {
    /// # Errors
    ///
    /// It is no schema, or takes more than its share.
    pub(crate) fn compile(tree: &Tree<'_>) -> Result<Self, Invalid> {
        let (mut nodes, root) = compile::compile(tree)?;
        Node::settle(&mut nodes);
        Ok(Self {
            nodes,
            root,
            no_rules: ObjectRules::default(),
        })
    }

    /// Whether these are properties that a checker found in all records with values that may be part of a key. If not, there
    /// may still be members of these names: those that the schema does not declare were not looked at.
    pub(crate) fn all_keyable(&self, names: &[String], keyable: &[u64]) -> bool {
        let rules = self.root_rules();
        names.iter().all(|name| {
            let index = rules.named(name);
            index.is_some_and(|index| keyable[index / 64] & (1 << (index % 64)) != 0)
        })
    }

    #[inline]
    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    fn root_rules(&self) -> &ObjectRules {
        match &self.nodes[self.root].object {
            Some(rules) => rules,
            None => &self.no_rules,
        }
    }
}
