//! A JSON Schema of the catalogue in a reader's words: types, accepted values, keys of objects.

use serde_json::{Map, Value};

use super::property::NestedProperty;
use crate::{ConnectionType, Property};

/// What a value may be, beyond its type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Accepted {
    /// All of them, where they can be counted up.
    pub(super) values: Option<Vec<String>>,
    pub(super) words: Option<String>,
}

/// Values that are listed are ones that a request may really send.
pub(super) fn of(connection_type: &ConnectionType, property: &Property) -> Accepted {
    let mut accepted = match property.json_schema() {
        Some(schema) => in_words(schema),
        None => Accepted::default(),
    };
    if let Some(values) = &mut accepted.values {
        values.retain(|value| {
            super::example::is_accepted(connection_type, property, &Value::from(value.as_str()))
        });
    }
    accepted
}

/// JSON types, joined by a slash. Without a schema anything is taken; what is meant is text.
pub(super) fn value_type(schema: Option<&Value>) -> String {
    let mut types = Vec::new();
    if let Some(schema) = schema {
        collect_types(schema, schema, &mut types);
    }
    if types.is_empty() {
        types.push("string");
    }
    types.join("/")
}

fn collect_types<'a>(schema: &'a Value, root: &'a Value, types: &mut Vec<&'a str>) {
    let schema = resolve(schema, root);
    if let Some(name) = schema.get("type").and_then(Value::as_str) {
        if !types.contains(&name) {
            types.push(name);
        }
        return;
    }
    for branch in branches(schema) {
        collect_types(branch, root, types);
    }
}

/// Keys of an object, or of the objects in an array: those of every branch, required where every branch requires them.
pub(super) fn children(schema: &'static Value, root: &'static Value) -> Vec<NestedProperty> {
    let schema = resolve(schema, root);
    if let Some(items) = schema.get("items") {
        return children(items, root);
    }
    let mut found: Vec<NestedProperty> = Vec::new();
    for (index, branch) in branches(schema).enumerate() {
        let below = children(branch, root);
        for known in &mut found {
            match below.iter().find(|other| other.name == known.name) {
                Some(other) => {
                    known.required &= other.required;
                    if let (Some(values), Some(others)) = (&mut known.values, &other.values) {
                        values.extend(
                            others
                                .iter()
                                .filter(|value| !values.contains(value))
                                .cloned()
                                .collect::<Vec<_>>(),
                        );
                    }
                }
                None => known.required = false,
            }
        }
        for mut child in below {
            if !found.iter().any(|known| known.name == child.name) {
                child.required &= index == 0;
                found.push(child);
            }
        }
    }
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array);
        names.is_some_and(|names| names.iter().any(|other| other == name))
    };
    for (name, schema) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let Accepted { values, words } = in_words(schema);
        found.push(NestedProperty {
            name,
            value_type: value_type(Some(schema)),
            required: required(name),
            values,
            accepts: words,
            children: children(schema, root),
        });
    }
    found
}

pub(super) fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.strip_prefix('#')?))
        .unwrap_or(schema)
}

pub(super) fn branches(schema: &Value) -> impl Iterator<Item = &Value> {
    schema
        .get("anyOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn in_words(schema: &Value) -> Accepted {
    let Some(keys) = schema.as_object() else {
        return Accepted::default();
    };
    if let Some(values) = enumerated(keys) {
        return Accepted {
            values: Some(values),
            words: None,
        };
    }
    if let Some(words) = plain_words(keys) {
        return Accepted {
            values: None,
            words: Some(words),
        };
    }
    // The branches say the same in several JSON types, or several things one of which must hold.
    let mut all: Vec<Accepted> = Vec::new();
    for accepted in branches(schema).map(in_words) {
        if accepted != Accepted::default() && !all.contains(&accepted) {
            all.push(accepted);
        }
    }
    match all.as_slice() {
        [] => Accepted::default(),
        [one] => one.clone(),
        several => {
            let words: Vec<_> = several
                .iter()
                .filter_map(|accepted| accepted.words.clone())
                .collect();
            Accepted {
                values: None,
                words: Some(words.join(" or ")),
            }
        }
    }
}

fn enumerated(keys: &Map<String, Value>) -> Option<Vec<String>> {
    if let Some(values) = keys.get("enum").and_then(Value::as_array) {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        return Some(values.iter().map(text).collect());
    }
    keys.get("pattern")
        .and_then(Value::as_str)
        .and_then(alternatives)
}

/// The texts a pattern chooses from, when it is nothing but a choice: `^(a|b)$`, `^a$|^b$` or `^a$`.
pub(super) fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let inner = pattern.strip_prefix("^(").and_then(|rest| {
        let rest = rest.strip_suffix('$').unwrap_or(rest);
        rest.strip_suffix(')')
    });
    let texts: Vec<String> = inner
        .unwrap_or(pattern)
        .split('|')
        .map(|text| match inner {
            Some(_) => text,
            None => text.trim_start_matches('^').trim_end_matches('$'),
        })
        .map(str::to_owned)
        .collect();
    let literal = |text: &String| {
        !text.is_empty()
            && text
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "_-".contains(character))
    };
    // One word alone is a choice of one only where nothing may stand around it.
    let anchored = pattern.starts_with('^') && pattern.ends_with('$');
    ((texts.len() > 1 || anchored) && texts.iter().all(literal)).then_some(texts)
}

fn plain_words(keys: &Map<String, Value>) -> Option<String> {
    let words = match keys.get("format").and_then(Value::as_str) {
        Some("date-time") => "date and time (RFC 3339)",
        Some("hostname") => "host name",
        Some("ipv4") => "IPv4 address",
        Some("uri") => "URL",
        Some("email") => "e-mail address",
        Some(other) => return Some(other.to_owned()),
        None => match keys.get("pattern").and_then(Value::as_str)? {
            r"^\d{4}-\d{2}-\d{2}T00:00:00Z$" => "midnight in UTC: YYYY-MM-DDT00:00:00Z",
            r"^\d+$" | r"^\d+" => "whole number",
            pattern => return Some(format!("text that matches {pattern}")),
        },
    };
    Some(words.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pattern_that_only_chooses_is_a_list() {
        let texts = |pattern| alternatives(pattern).unwrap_or_default();
        assert_eq!(texts("^(true|false)$"), ["true", "false"]);
        assert_eq!(texts("^(true|false)"), ["true", "false"]);
        assert_eq!(texts("^1$|^30$|^60$"), ["1", "30", "60"]);
        assert_eq!(
            texts("^EU$|^us-east4$|^us-west2"),
            ["EU", "us-east4", "us-west2"]
        );
        assert_eq!(texts("^s3$"), ["s3"]);
        for pattern in [
            r"^\d+$",
            r"^(\d|[1-9]\d|100)$",
            "^s3",
            r"^([1-9]|30)$",
            "^jdbc:spark://",
        ] {
            assert_eq!(alternatives(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn types_of_all_branches_are_named() {
        let of = |schema| value_type(Some(&schema));
        assert_eq!(of(json!({"type": "string"})), "string");
        assert_eq!(
            of(json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^\\d+$"}]})),
            "integer/string"
        );
        assert_eq!(
            of(
                json!({"definitions": {"a": {"type": "object"}}, "anyOf": [{"$ref": "#/definitions/a"}]})
            ),
            "object"
        );
        assert_eq!(value_type(None), "string");
    }

    #[test]
    fn branches_that_say_the_same_are_said_once() {
        let whole = in_words(
            &json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^\\d+"}]}),
        );
        assert_eq!(whole.words.as_deref(), Some("whole number"));
        let host = in_words(
            &json!({"type": "string", "anyOf": [{"format": "hostname"}, {"format": "ipv4"}]}),
        );
        assert_eq!(host.words.as_deref(), Some("host name or IPv4 address"));
    }
}
