//! What a schema says about values without inner parts: types, bounds, and values that are listed.

use selvedge_json::literal;

use super::keyword::{array, number, text};
use super::{Compiled, Invalid};
use crate::schema::decimal::Divisor;
use crate::schema::rules::{Bound, Kinds, NumberRules, Values};
use crate::schema::{Tree, canonical};

pub(super) fn number_rules<'v, 't: 'v>(
    get: impl Fn(&str) -> Option<&'v Tree<'t>>,
) -> Compiled<Option<NumberRules>> {
    let mut rules = NumberRules::default();
    for (lower, inclusive, exclusive) in [
        (true, "minimum", "exclusiveMinimum"),
        (false, "maximum", "exclusiveMaximum"),
    ] {
        let mut add = |keyword, value, exclusive| {
            let literal = number(keyword, value)?;
            rules.bounds.push(Bound {
                lower,
                exclusive,
                literal: literal.into(),
                integer: match value {
                    Tree::Number(number) if number.integer => literal::integer(literal),
                    _ => None,
                },
            });
            Ok(())
        };
        let (is_exclusive, own_bound) = match get(exclusive) {
            Some(Tree::Boolean(value)) => (*value, None),
            other => (false, other),
        };
        if let Some(value) = get(inclusive) {
            add(inclusive, value, is_exclusive)?;
        }
        if let Some(value) = own_bound {
            add(exclusive, value, true)?;
        }
    }
    if let Some(value) = get("multipleOf") {
        let literal = number("multipleOf", value)?;
        let divisor = Divisor::new(literal)
            .ok_or_else(|| Invalid(format!("multipleOf: [{literal}] is not supported")))?;
        rules.multiple_of = Some((divisor, literal.into()));
    }
    let any = !rules.bounds.is_empty() || rules.multiple_of.is_some();
    Ok(any.then_some(rules))
}

pub(super) fn kinds(value: &Tree<'_>) -> Compiled<Kinds> {
    let kind = |value: &Tree<'_>| {
        Ok(match text("type", value)? {
            "null" => Kinds::NULL,
            "boolean" => Kinds::BOOLEAN,
            "integer" => Kinds::INTEGER,
            "number" => Kinds::NUMBER,
            "string" => Kinds::STRING,
            "object" => Kinds::OBJECT,
            "array" => Kinds::ARRAY,
            unknown => return Err(Invalid(format!("unknown type: [{unknown}]"))),
        })
    };
    match value {
        Tree::Array(_) => array("type", value)?
            .iter()
            .try_fold(Kinds::NONE, |kinds, value| Ok(kinds.with(kind(value)?))),
        value => kind(value),
    }
}

pub(super) fn values(trees: &[Tree<'_>]) -> Values {
    let mut values = Values::default();
    for tree in trees {
        match tree {
            Tree::String(text) => {
                values.strings.insert((**text).into());
            }
            other => {
                let mut text = String::new();
                canonical::write_tree(other, &mut text);
                values.others.insert(text);
            }
        }
    }
    values
}
