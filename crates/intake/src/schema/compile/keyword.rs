//! Values of keywords, which must be of the right type.

use std::borrow::Cow;

use super::{Compiled, Invalid};
use crate::kind::Kind;
use crate::schema::Tree;

pub(super) fn wrong_type(keyword: &str, expected: &str, found: &Tree<'_>) -> Invalid {
    let found = match found {
        Tree::Null => Kind::Null,
        Tree::Boolean(_) => Kind::Boolean,
        Tree::Number(number) => Kind::of_number(number.text, number.integer),
        Tree::String(_) => Kind::String,
        Tree::Array(_) => Kind::JsonArray,
        Tree::Object(_) => Kind::JsonObject,
    };
    let found = found.name();
    Invalid(format!(
        "{keyword}: expected type: {expected}, found: {found}"
    ))
}

pub(super) fn text<'v>(keyword: &str, value: &'v Tree<'_>) -> Compiled<&'v str> {
    match value {
        Tree::String(text) => Ok(text),
        other => Err(wrong_type(keyword, "String", other)),
    }
}

pub(super) fn number<'t>(keyword: &str, value: &Tree<'t>) -> Compiled<&'t str> {
    match value {
        Tree::Number(number) => Ok(number.text),
        other => Err(wrong_type(keyword, "Number", other)),
    }
}

pub(super) fn flag(keyword: &str, value: Option<&Tree<'_>>) -> Compiled<bool> {
    match value {
        None => Ok(false),
        Some(Tree::Boolean(value)) => Ok(*value),
        Some(other) => Err(wrong_type(keyword, "Boolean", other)),
    }
}

/// A number of things, which is not negative.
pub(super) fn count(keyword: &str, value: Option<&Tree<'_>>) -> Compiled<Option<u64>> {
    match value {
        None => Ok(None),
        Some(Tree::Number(number)) if number.integer => match number.text.parse() {
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(Invalid(format!(
                "{keyword}: [{}] is out of range",
                number.text
            ))),
        },
        Some(other) => Err(wrong_type(keyword, "Integer", other)),
    }
}

/// An array that is not empty, but for `required`.
pub(super) fn array<'v, 't>(keyword: &str, value: &'v Tree<'t>) -> Compiled<&'v [Tree<'t>]> {
    match value {
        Tree::Array(items) if items.is_empty() && keyword != "required" => Err(Invalid(format!(
            "{keyword}: expected minimum item count: 1, found: 0"
        ))),
        Tree::Array(items) => Ok(items),
        other => Err(wrong_type(keyword, "JSONArray", other)),
    }
}

pub(super) fn object<'v, 't>(
    keyword: &str,
    value: Option<&'v Tree<'t>>,
) -> Compiled<&'v [(Cow<'t, str>, Tree<'t>)]> {
    match value {
        None => Ok(&[]),
        Some(Tree::Object(members)) => Ok(members),
        Some(other) => Err(wrong_type(keyword, "JSONObject", other)),
    }
}
