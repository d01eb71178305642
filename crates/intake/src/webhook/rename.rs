//! Other names for the members of a record.

use std::borrow::Cow;
use std::collections::HashSet;

use selvedge_json::{BadString, RawString, Scanner, unescape};
use serde_json::Value;

use crate::record::Flaw;

/// A record, apart by members.
#[derive(Debug)]
pub(super) struct Renamed<'a> {
    /// Names as they came, and texts of the values.
    members: Vec<(Cow<'a, str>, &'a str)>,
    /// The text with the new names; `None` if none is new.
    pub(super) text: Option<String>,
}

/// Gives members the names that `new_name` says. A member whose new name another one has keeps its own.
pub(super) fn rename<'a>(
    record: &'a str,
    new_name: impl Fn(&str) -> Option<String>,
) -> Result<Renamed<'a>, Flaw> {
    let members = members(record)?;
    let mut taken: HashSet<Cow<'_, str>> = members.iter().map(|(name, _)| name.clone()).collect();
    let mut changes = false;
    let names: Vec<Cow<'_, str>> = members
        .iter()
        .map(|(name, _)| match new_name(name) {
            Some(new) if taken.insert(Cow::Owned(new.clone())) => {
                changes = true;
                Cow::Owned(new)
            }
            _ => name.clone(),
        })
        .collect();
    let text = changes.then(|| {
        let mut text = String::with_capacity(record.len() + members.len());
        for (name, (_, value)) in names.iter().zip(&members) {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&Value::from(name.as_ref()).to_string());
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
    });
    Ok(Renamed { members, text })
}

impl Renamed<'_> {
    /// The text that a member is; `None` for other values and members that are not there.
    pub(super) fn member_text(&self, name: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.members.iter().find(|member| member.0 == name)?;
        unescape(Scanner::new(value).string().ok()?).ok()
    }
}

fn members(record: &str) -> Result<Vec<(Cow<'_, str>, &str)>, Flaw> {
    let mut scanner = Scanner::new(record);
    let mut members = Vec::new();
    scanner.expect(b'{', "an object was expected")?;
    while scanner.another(members.is_empty(), b'}')? {
        let raw = scanner.string()?;
        let name = characters(raw, &scanner)?;
        scanner.expect(b':', "a colon was expected")?;
        scanner.peek();
        let start = scanner.position();
        scanner.skip_value(0)?;
        members.push((name, &record[start..scanner.position()]));
    }
    Ok(members)
}

fn characters<'a>(raw: RawString<'a>, scanner: &Scanner<'_>) -> Result<Cow<'a, str>, Flaw> {
    unescape(raw).map_err(|bad| match bad {
        BadString::Malformed(problem) => scanner.malformed(problem).into(),
        BadString::LoneSurrogate => Flaw::LoneSurrogate,
    })
}

/// `messageId` and `messageID` as `message_id`; `None` for names that are no camel case.
pub(super) fn snake_case(name: &str) -> Option<String> {
    let bytes = name.as_bytes();
    let is_camel_case = bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().any(u8::is_ascii_uppercase)
        && bytes.iter().all(u8::is_ascii_alphanumeric);
    if !is_camel_case {
        return None;
    }
    let mut snake = String::with_capacity(name.len() + 2);
    for (at, byte) in bytes.iter().enumerate() {
        let begins_word = byte.is_ascii_uppercase()
            && (!bytes[at - 1].is_ascii_uppercase()
                || bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase));
        if begins_word {
            snake.push('_');
        }
        snake.push(char::from(byte.to_ascii_lowercase()));
    }
    Some(snake)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camel_case_becomes_snake_case_and_other_names_stay() {
        for (name, expected) in [
            ("messageId", Some("message_id")),
            ("messageID", Some("message_id")),
            ("originalTimestamp", Some("original_timestamp")),
            ("userHTTPAgent2", Some("user_http_agent2")),
            ("type", None),
            ("message_id", None),
            ("Message", None),
            ("größeX", None),
            ("a b", None),
            ("", None),
        ] {
            assert_eq!(snake_case(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn no_member_takes_the_name_of_another() {
        let renamed = |text| rename(text, snake_case).unwrap().text;
        assert_eq!(
            renamed(r#" { "userId" : {"aB":1} , "x\n":[ 2 ] } "#).as_deref(),
            Some(r#"{"user_id":{"aB":1},"x\n":[ 2 ]}"#)
        );
        assert_eq!(
            renamed(r#"{"userId":1,"user_id":2,"aB":3}"#).as_deref(),
            Some(r#"{"userId":1,"user_id":2,"a_b":3}"#)
        );
        assert_eq!(
            renamed(r#"{"userId":1,"userID":2}"#).as_deref(),
            Some(r#"{"user_id":1,"userID":2}"#)
        );
        assert_eq!(renamed(r#"{"type":"track"}"#), None);
    }
}
