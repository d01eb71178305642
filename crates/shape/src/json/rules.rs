//! What a JSON Schema says about the types of values.
//!
//! Only typing: whether a record conforms to its schema is somebody else's question. A value takes the first member of a union
//! that it matches; what no member covers is typed by its literal. Of arrays with a schema for each place the items share
//! one union. Remote references are not followed.

use std::collections::HashMap;

use serde_json::Value;

/// Index in [`Rules`].
pub(crate) type RuleId = u32;

/// The rule of values that nothing is said about.
pub(crate) const BY_VALUE: RuleId = 0;

/// A schema has so many different places at most; beyond, values are typed by their literals.
const MAX_RULES: usize = 100_000;

/// What a number becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberKind {
    Integer,
    Double,
    Decimal,
}

/// The format of texts that a database prints its dates as: infinities and years beyond four digits are NULL.
pub(crate) const CALENDAR: &str = "selvedge.calendar";

/// What a string may be read as, in the order to be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextKind {
    Instant,
    /// An instant, or one that no calendar of ours holds.
    Calendar,
    Decimal,
    Plain,
    /// By its own tag.
    Tagged,
}

/// How values of one place are typed.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// For literals with neither fraction nor exponent.
    pub(crate) integer: NumberKind,
    /// For the others.
    pub(crate) fraction: NumberKind,
    /// Empty for plain text.
    pub(crate) texts: Vec<TextKind>,
    properties: HashMap<String, RuleId>,
    other_properties: RuleId,
    pub(crate) items: RuleId,
}

impl Rule {
    fn by_value() -> Self {
        Self {
            integer: NumberKind::Integer,
            fraction: NumberKind::Double,
            texts: Vec::new(),
            properties: HashMap::new(),
            other_properties: BY_VALUE,
            items: BY_VALUE,
        }
    }

    /// The rule of a property.
    pub(crate) fn property(&self, name: &str) -> RuleId {
        let declared = self.properties.get(name).copied();
        declared.unwrap_or(self.other_properties)
    }
}

/// The rules of a schema.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    pub(crate) root: RuleId,
}

impl Rules {
    /// Every value is typed by its literal.
    pub(crate) fn by_value() -> Self {
        Self {
            rules: vec![Rule::by_value()],
            root: BY_VALUE,
        }
    }

    /// The same, but that strings may be tagged.
    pub(crate) fn by_tag() -> Self {
        let mut rules = Self::by_value();
        rules.rules[BY_VALUE as usize].texts = vec![TextKind::Tagged];
        rules
    }

    pub(crate) fn from_schema(schema: &Value) -> Self {
        let mut compiler = Compiler {
            document: schema,
            rules: vec![Rule::by_value()],
            known: HashMap::new(),
        };
        let root = compiler.compile(vec![schema]);
        Self {
            rules: compiler.rules,
            root,
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: RuleId) -> &Rule {
        &self.rules[id as usize]
    }
}

struct Compiler<'a> {
    document: &'a Value,
    rules: Vec<Rule>,
    /// By the addresses of the schemas that make up a union: a recursive schema comes back to where it was.
    known: HashMap<Vec<usize>, RuleId>,
}

impl<'a> Compiler<'a> {
    /// The rule of values to which all of `schemas` apply, as a union.
    fn compile(&mut self, schemas: Vec<&'a Value>) -> RuleId {
        let mut members = Vec::new();
        for schema in schemas {
            self.flatten(schema, &mut members);
        }
        let addresses: Vec<usize> = members
            .iter()
            .map(|member| std::ptr::from_ref(*member).addr())
            .collect();
        if let Some(known) = self.known.get(&addresses) {
            return *known;
        }
        let Some(id) = u32::try_from(self.rules.len())
            .ok()
            .filter(|_| self.rules.len() < MAX_RULES)
        else {
            return BY_VALUE;
        };
        self.rules.push(Rule::by_value());
        self.known.insert(addresses, id);
        let rule = self.rule(&members);
        self.rules[id as usize] = rule;
        id
    }

    /// The schemas that say something of their own: unions and references are followed.
    fn flatten(&self, schema: &'a Value, members: &mut Vec<&'a Value>) {
        let mut pending = vec![schema];
        let mut followed = Vec::new();
        while let Some(schema) = pending.pop() {
            if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
                let target = reference.strip_prefix('#');
                if !followed.contains(&reference)
                    && let Some(target) = target.and_then(|target| self.document.pointer(target))
                {
                    followed.push(reference);
                    pending.push(target);
                }
                continue;
            }
            let unions: Vec<&Value> = ["anyOf", "oneOf", "allOf"]
                .iter()
                .filter_map(|keyword| schema.get(keyword)?.as_array())
                .flatten()
                .collect();
            let speaks = [
                "type",
                "properties",
                "items",
                "format",
                "additionalProperties",
            ]
            .iter()
            .any(|keyword| schema.get(keyword).is_some());
            if speaks || unions.is_empty() {
                members.push(schema);
            }
            // A stack: the first is to come out first.
            pending.extend(unions.into_iter().rev());
        }
    }

    fn rule(&mut self, members: &[&'a Value]) -> Rule {
        let mut rule = Rule::by_value();
        let (mut integer, mut fraction) = (None, None);
        let mut properties: Vec<(&'a str, Vec<&'a Value>)> = Vec::new();
        let mut other_properties = Vec::new();
        let mut items = Vec::new();
        for member in members {
            let has = |name: &str| has_type(member, name);
            let number = match member.get("multipleOf").is_some() {
                true => NumberKind::Decimal,
                false => NumberKind::Double,
            };
            if has("integer") {
                integer.get_or_insert(NumberKind::Integer);
            }
            if has("number") {
                let explicit = member.get("type").is_some();
                integer.get_or_insert(if explicit {
                    number
                } else {
                    NumberKind::Integer
                });
                fraction.get_or_insert(number);
            }
            if has("string") {
                let format = member.get("format").and_then(Value::as_str);
                rule.texts.push(match format {
                    Some("date-time") => TextKind::Instant,
                    Some("singer.decimal") => TextKind::Decimal,
                    Some(CALENDAR) => TextKind::Calendar,
                    _ => TextKind::Plain,
                });
            }
            if has("object") {
                let declared = member.get("properties").and_then(Value::as_object);
                for (name, schema) in declared.into_iter().flatten() {
                    match properties.iter_mut().find(|(known, _)| known == name) {
                        Some((_, schemas)) => schemas.push(schema),
                        None => properties.push((name, vec![schema])),
                    }
                }
                other_properties.extend(
                    member
                        .get("additionalProperties")
                        .filter(|schema| schema.is_object()),
                );
            }
            if has("array") {
                match member.get("items") {
                    Some(Value::Array(places)) => {
                        items.extend(places);
                        let more = member.get("additionalItems");
                        items.extend(more.filter(|schema| schema.is_object()));
                    }
                    Some(schema) if schema.is_object() => items.push(schema),
                    _ => {}
                }
            }
        }
        rule.integer = integer.unwrap_or(rule.integer);
        rule.fraction = fraction.unwrap_or(rule.fraction);
        if rule.texts.iter().all(|kind| *kind == TextKind::Plain) {
            rule.texts.clear();
        }
        for (name, schemas) in properties {
            let id = self.compile(schemas);
            rule.properties.insert(name.to_owned(), id);
        }
        if !other_properties.is_empty() {
            rule.other_properties = self.compile(other_properties);
        }
        if !items.is_empty() {
            rule.items = self.compile(items);
        }
        rule
    }
}

/// Whether a schema, taken by itself, lets values of the type in. One without `type` lets everything in.
fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        None => true,
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(schema: &Value) -> Rule {
        let rules = Rules::from_schema(schema);
        rules.get(rules.root).clone()
    }

    #[test]
    fn numbers_are_what_the_first_fitting_member_says() {
        use NumberKind::{Decimal, Double, Integer};
        for (schema, integer, fraction) in [
            (json!({}), Integer, Double),
            (json!({"type": "integer"}), Integer, Double),
            (json!({"type": ["null", "number"]}), Double, Double),
            (
                json!({"type": "number", "multipleOf": 0.01}),
                Decimal,
                Decimal,
            ),
            (json!({"type": ["integer", "number"]}), Integer, Double),
            (
                json!({"anyOf": [{"type": "number", "multipleOf": 1e-2}, {"type": "integer"}]}),
                Decimal,
                Decimal,
            ),
            (
                json!({"anyOf": [{"type": "string", "format": "date-time"}, {}]}),
                Integer,
                Double,
            ),
            (json!({"type": "string"}), Integer, Double),
        ] {
            let rule = of(&schema);
            assert_eq!(
                (rule.integer, rule.fraction),
                (integer, fraction),
                "{schema}"
            );
        }
    }

    #[test]
    fn strings_are_tried_in_the_order_of_the_union() {
        let schema = json!({"anyOf": [
            {"type": "string", "format": "singer.decimal"},
            {"type": ["null", "string"], "format": "date-time"},
            {"type": "string"},
        ]});
        assert_eq!(
            of(&schema).texts,
            [TextKind::Decimal, TextKind::Instant, TextKind::Plain]
        );
        assert!(
            of(&json!({"type": "string", "format": "uri"}))
                .texts
                .is_empty()
        );
    }

    #[test]
    fn properties_and_items_are_found_through_unions_and_references() {
        let schema = json!({
            "definitions": {
                "list": {"type": ["null", "array", "integer"], "items": {"$ref": "#/definitions/list"}},
                "loop": {"$ref": "#/definitions/loop"},
            },
            "properties": {
                "a": {"anyOf": [
                    {"type": "object", "properties": {"x": {"type": "number", "multipleOf": 0.1}}},
                    {"type": "array", "items": {"type": "string", "format": "date-time"}},
                ]},
                "m": {"$ref": "#/definitions/list"},
                "l": {"$ref": "#/definitions/loop"},
                "far": {"$ref": "http://example.com/schema"},
            },
            "additionalProperties": {"type": "number"},
        });
        let rules = Rules::from_schema(&schema);
        let root = rules.get(rules.root);
        let a = rules.get(root.property("a"));
        assert_eq!(rules.get(a.property("x")).integer, NumberKind::Decimal);
        assert_eq!(rules.get(a.items).texts, [TextKind::Instant]);
        assert_eq!(a.property("y"), BY_VALUE);
        let list = root.property("m");
        assert_eq!(
            rules.get(list).items,
            list,
            "a recursive list comes back to itself"
        );
        assert_eq!(rules.get(root.property("l")).integer, NumberKind::Integer);
        assert_eq!(rules.get(root.property("far")).integer, NumberKind::Integer);
        assert_eq!(
            rules.get(root.property("undeclared")).integer,
            NumberKind::Double
        );
    }
}
