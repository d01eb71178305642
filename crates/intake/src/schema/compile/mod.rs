//! From the text of a schema to its rules.
//!
//! Draft 4, and of later drafts what is written differently: numbers for `exclusiveMinimum` and `exclusiveMaximum`, `const`,
//! and `true` and `false` for schemas. Of draft 3, `required` as a boolean. Keywords that are not known are ignored, as are
//! `dependencies`, `contains`, `propertyNames` and `if`.

mod chain;
mod keyword;
mod scalar;

use std::borrow::Cow;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};
use selvedge_json::Word;

use super::Tree;
use super::rules::{
    ANYTHING, ArrayRules, Combined, Format, Kinds, NOTHING, Node, NodeId, ObjectRules, Property,
    StringRules,
};
use keyword::{array, count, flag, object, text, wrong_type};
use scalar::{kinds, number_rules, values};

/// Schemas in a schema.
const MAX_NODES: usize = 20_000;
/// Different patterns in a schema, and bytes that each may take when it is compiled.
const MAX_PATTERNS: usize = 256;
const MAX_PATTERN_BYTES: usize = 1 << 18;
/// References that refer to one another.
const MAX_HOPS: usize = 64;

/// Why a schema is none, in the words of the refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invalid(pub(crate) String);

type Compiled<T> = Result<T, Invalid>;

/// All nodes of a schema and which of them is the schema itself.
pub(super) fn compile(tree: &Tree<'_>) -> Compiled<(Vec<Node>, NodeId)> {
    let mut compiler = Compiler {
        document: tree,
        nodes: vec![Node::of(Kinds::ALL), Node::of(Kinds::NONE)],
        known: HashMap::new(),
        references: HashMap::new(),
        patterns: HashMap::new(),
        pending: Vec::new(),
    };
    let root = compiler.node(tree)?;
    while let Some((id, members)) = compiler.pending.pop() {
        compiler.nodes[id] = compiler.rules(members)?;
    }
    chain::ends(&compiler.nodes)?;
    Ok((compiler.nodes, root))
}

type Members<'t> = [(Cow<'t, str>, Tree<'t>)];

struct Compiler<'v, 't> {
    document: &'v Tree<'t>,
    nodes: Vec<Node>,
    /// Nodes by the address of their tree, which does not move.
    known: HashMap<*const Tree<'t>, NodeId>,
    references: HashMap<&'v str, NodeId>,
    patterns: HashMap<&'v str, Regex>,
    /// Nodes that have no rules yet. Not recursive, as references may form long chains.
    pending: Vec<(NodeId, &'v Members<'t>)>,
}

impl<'v, 't> Compiler<'v, 't> {
    /// The node of a schema, or of what it refers to.
    fn node(&mut self, tree: &'v Tree<'t>) -> Compiled<NodeId> {
        let mut tree = tree;
        let mut passed = Vec::new();
        let id = loop {
            let members = match tree {
                Tree::Boolean(true) => break ANYTHING,
                Tree::Boolean(false) => break NOTHING,
                Tree::Object(members) => members,
                other => return Err(wrong_type("schema", "JSONObject", other)),
            };
            let Some(reference) = tree.get("$ref") else {
                break self.node_of(tree, members)?;
            };
            let reference = text("$ref", reference)?;
            if let Some(known) = self.references.get(reference) {
                break *known;
            }
            if passed.len() == MAX_HOPS {
                return Err(Invalid(format!(
                    "[{reference}] refers to itself without end"
                )));
            }
            passed.push(reference);
            tree = self.resolve(reference)?;
        };
        self.references
            .extend(passed.into_iter().map(|reference| (reference, id)));
        Ok(id)
    }

    fn node_of(&mut self, tree: &'v Tree<'t>, members: &'v Members<'t>) -> Compiled<NodeId> {
        let address = std::ptr::from_ref(tree);
        if let Some(known) = self.known.get(&address) {
            return Ok(*known);
        }
        let id = self.nodes.len();
        if id == MAX_NODES {
            return Err(Invalid(format!("it has more than {MAX_NODES} subschemas")));
        }
        self.nodes.push(Node::of(Kinds::ALL));
        self.known.insert(address, id);
        self.pending.push((id, members));
        Ok(id)
    }

    /// What a JSON pointer within the document points to.
    fn resolve(&self, reference: &str) -> Compiled<&'v Tree<'t>> {
        let unresolved = || Invalid(format!("failed to resolve [{reference}]"));
        let Some(pointer) = reference.strip_prefix('#') else {
            let text = format!("remote reference [{reference}] is not supported");
            return Err(Invalid(text));
        };
        let mut tree = self.document;
        let mut segments = pointer.split('/');
        if segments.next() != Some("") {
            return Err(unresolved());
        }
        for segment in segments {
            let decoded = percent_decoded(segment).ok_or_else(unresolved)?;
            let name = decoded.replace("~1", "/").replace("~0", "~");
            tree = match tree {
                Tree::Array(items) => name.parse().ok().and_then(|index: usize| items.get(index)),
                tree => tree.get(&name),
            }
            .ok_or_else(unresolved)?;
        }
        Ok(tree)
    }

    fn nodes(&mut self, keyword: &str, tree: &'v Tree<'t>) -> Compiled<Vec<NodeId>> {
        array(keyword, tree)?
            .iter()
            .map(|member| self.node(member))
            .collect()
    }

    fn rules(&mut self, members: &'v Members<'t>) -> Compiled<Node> {
        let mut node = Node::of(Kinds::ALL);
        let mut combined = Combined::default();
        for (keyword, value) in members {
            match &**keyword {
                "type" => node.kinds = kinds(value)?,
                "allOf" => combined.all = self.nodes("allOf", value)?,
                "anyOf" => combined.any = self.nodes("anyOf", value)?,
                "oneOf" => combined.one = self.nodes("oneOf", value)?,
                "not" => combined.not = Some(self.node(value)?),
                "enum" => combined.values = Some(values(array("enum", value)?)),
                "const" => combined.constant = Some(values(std::slice::from_ref(value))),
                _ => {}
            }
        }
        let get = |name: &str| {
            let found = members.iter().find(|(keyword, _)| keyword == name);
            found.map(|(_, value)| value)
        };
        node.number = number_rules(get)?.map(Box::new);
        node.string = self.string_rules(get)?.map(Box::new);
        node.object = self.object_rules(get)?.map(Box::new);
        node.array = self.array_rules(get)?.map(Box::new);
        let is_combined = combined.not.is_some()
            || combined.values.is_some()
            || combined.constant.is_some()
            || [&combined.all, &combined.any, &combined.one]
                .iter()
                .any(|members| !members.is_empty());
        node.combined = is_combined.then(|| Box::new(combined));
        Ok(node)
    }

    fn string_rules(
        &mut self,
        get: impl Fn(&str) -> Option<&'v Tree<'t>>,
    ) -> Compiled<Option<StringRules>> {
        let format = match get("format") {
            Some(value) => match text("format", value)? {
                "date-time" => Some(Format::DateTime),
                "singer.decimal" => Some(Format::Decimal),
                _ => None,
            },
            None => None,
        };
        let pattern = match get("pattern") {
            Some(value) => Some(self.pattern(text("pattern", value)?)?),
            None => None,
        };
        let rules = StringRules {
            min_length: count("minLength", get("minLength"))?,
            max_length: count("maxLength", get("maxLength"))?,
            pattern,
            format,
        };
        let any = rules.min_length.is_some()
            || rules.max_length.is_some()
            || rules.pattern.is_some()
            || rules.format.is_some();
        Ok(any.then_some(rules))
    }

    fn pattern(&mut self, pattern: &'v str) -> Compiled<Regex> {
        if let Some(known) = self.patterns.get(pattern) {
            return Ok(known.clone());
        }
        if self.patterns.len() == MAX_PATTERNS {
            return Err(Invalid(format!("it has more than {MAX_PATTERNS} patterns")));
        }
        let regex = RegexBuilder::new(pattern)
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES)
            .build()
            .map_err(|_| Invalid(format!("pattern [{pattern}] is not supported")))?;
        self.patterns.insert(pattern, regex.clone());
        Ok(regex)
    }

    fn object_rules(
        &mut self,
        get: impl Fn(&str) -> Option<&'v Tree<'t>>,
    ) -> Compiled<Option<ObjectRules>> {
        const KEYWORDS: [&str; 6] = [
            "properties",
            "patternProperties",
            "additionalProperties",
            "required",
            "minProperties",
            "maxProperties",
        ];
        if KEYWORDS.iter().all(|keyword| get(keyword).is_none()) {
            return Ok(None);
        }
        let mut rules = ObjectRules {
            min: count("minProperties", get("minProperties"))?,
            max: count("maxProperties", get("maxProperties"))?,
            ..ObjectRules::default()
        };
        if let Some(additional) = get("additionalProperties") {
            rules.additional = self.node(additional)?;
        }
        let mut required = Vec::new();
        for (name, schema) in object("properties", get("properties"))? {
            if let Some(Tree::Boolean(true)) = schema.get("required") {
                required.push(&**name);
            }
            let node = self.node(schema)?;
            rules.add(name, node);
        }
        rules.declared_count = rules.properties.len();
        for (pattern, schema) in object("patternProperties", get("patternProperties"))? {
            let pattern = self.pattern(pattern)?;
            let node = self.node(schema)?;
            rules.patterns.push((pattern, node));
        }
        match get("required") {
            None | Some(Tree::Boolean(_)) => {}
            Some(names) => {
                for name in array("required", names)? {
                    required.push(text("required", name)?);
                }
            }
        }
        for name in required {
            let index = match rules.named(name) {
                Some(index) => index,
                None => rules.add(name, rules.additional),
            };
            let words = index / 64 + 1;
            if rules.required.len() < words {
                rules.required.resize(words, 0);
            }
            rules.required[index / 64] |= 1 << (index % 64);
        }
        let words = rules.properties.len().div_ceil(64);
        rules.required.resize(words, 0);
        Ok(Some(rules))
    }

    fn array_rules(
        &mut self,
        get: impl Fn(&str) -> Option<&'v Tree<'t>>,
    ) -> Compiled<Option<ArrayRules>> {
        let mut rules = ArrayRules {
            min: count("minItems", get("minItems"))?,
            max: count("maxItems", get("maxItems"))?,
            unique: flag("uniqueItems", get("uniqueItems"))?,
            ..ArrayRules::default()
        };
        match get("items") {
            None => {}
            Some(Tree::Array(first)) => {
                for item in first {
                    let node = self.node(item)?;
                    rules.first.push(node);
                }
                if let Some(additional) = get("additionalItems") {
                    rules.rest = self.node(additional)?;
                }
            }
            Some(items) => rules.rest = self.node(items)?,
        }
        let any = rules.min.is_some()
            || rules.max.is_some()
            || rules.unique
            || rules.rest != ANYTHING
            || !rules.first.is_empty();
        Ok(any.then_some(rules))
    }
}

impl ObjectRules {
    /// Adds a property, returning its index.
    fn add(&mut self, name: &str, node: NodeId) -> usize {
        let index = self.properties.len();
        // JSON's own spelling; a record may use another, which then is found by its characters.
        let head = format!("{}:", serde_json::Value::from(name));
        self.properties.push(Property {
            name: name.into(),
            head: Word::new(&head),
            node,
        });
        self.by_name.insert(name.into(), index);
        self.lengths |= Self::length_bit(name);
        index
    }
}

fn percent_decoded(segment: &str) -> Option<String> {
    let mut parts = segment.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}
