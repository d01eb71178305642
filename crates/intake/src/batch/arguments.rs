//! What a batch says about all of its records.

use std::collections::HashSet;

use selvedge_json::{RawString, Scalar, Scanner, literal};

use super::Problem;
use super::outline::Outline;
use super::violation::Violation;
use crate::kind::Kind;
use crate::record::{characters, string};
use crate::schema::Tree;

/// The arguments, their types as documented. What they say is for [`Arguments::check`].
#[derive(Debug)]
pub(super) struct Arguments<'a> {
    pub(super) table_name: String,
    /// Text of the schema, an object.
    pub(super) schema: &'a str,
    /// The array of messages, with its brackets.
    pub(super) messages: &'a str,
    /// Where the array begins in the body.
    pub(super) messages_at: usize,
    /// Each name once.
    pub(super) key_names: Vec<String>,
    table_version: Option<&'a str>,
    pub(super) bookmark_names: Vec<String>,
}

impl<'a> Arguments<'a> {
    pub(super) fn read(text: &'a str, outline: &Outline) -> Result<Self, Problem> {
        let of = |argument: &'static str| {
            let place = outline.place(argument)?;
            Some(Argument {
                name: argument,
                text: text.get(place).unwrap_or_default(),
            })
        };
        let required = |argument| of(argument).ok_or_else(|| Violation::required(argument));
        let table_name = required("table_name")?.string()?;
        let schema = required("schema")?.text_of(b'{', "JSONObject")?;
        let messages = required("messages")?.text_of(b'[', "JSONArray")?;
        Ok(Self {
            table_name,
            schema,
            messages,
            messages_at: outline.place("messages").unwrap_or_default().start,
            key_names: of("key_names").map_or(Ok(Vec::new()), Argument::names)?,
            table_version: of("table_version").map(Argument::integer).transpose()?,
            bookmark_names: of("bookmark_names").map_or(Ok(Vec::new()), Argument::names)?,
        })
    }

    /// What the arguments say, beside what types they are of.
    pub(super) fn check(&self, schema: &Tree<'_>) -> Result<(), Violation> {
        if self.table_name.trim().is_empty() {
            return Err(Violation::blank_table_name());
        }
        let properties: HashSet<&str> = match schema.get("properties") {
            Some(Tree::Object(members)) if !self.key_names.is_empty() => {
                members.iter().map(|(name, _)| &**name).collect()
            }
            _ => HashSet::new(),
        };
        let is_property = |key: &&String| properties.contains(key.as_str());
        match self.key_names.iter().find(|key| !is_property(key)) {
            Some(key) => Err(Violation::unknown_key(key)),
            None => self.table_version().map(drop),
        }
    }

    pub(super) fn table_version(&self) -> Result<Option<i64>, Violation> {
        let Some(text) = self.table_version else {
            return Ok(None);
        };
        match literal::integer(text) {
            Some(version) => Ok(Some(version)),
            None => Err(Violation::out_of_range("table_version", text)),
        }
    }
}

/// One argument and its well-formed text.
#[derive(Clone, Copy)]
struct Argument<'a> {
    name: &'static str,
    text: &'a str,
}

impl<'a> Argument<'a> {
    fn scanner(self) -> Scanner<'a> {
        Scanner::new(self.text)
    }

    fn wrong_type(self, expected: &str) -> Violation {
        let found = Kind::of_next(&self.scanner());
        Violation::wrong_type(&format!("/{}", self.name), expected, found)
    }

    /// The text of what must begin with a certain byte.
    fn text_of(self, first: u8, expected: &str) -> Result<&'a str, Violation> {
        match self.scanner().peek() == first {
            true => Ok(self.text),
            false => Err(self.wrong_type(expected)),
        }
    }

    fn string(self) -> Result<String, Problem> {
        self.text_of(b'"', "String")?;
        owned(&mut self.scanner())
    }

    /// The literal.
    fn integer(self) -> Result<&'a str, Violation> {
        match self.scanner().scalar() {
            Ok(Scalar::Number(number)) if number.integer => Ok(number.text),
            _ => Err(self.wrong_type("Integer")),
        }
    }

    /// An array of strings, each of them once.
    fn names(self) -> Result<Vec<String>, Problem> {
        self.text_of(b'[', "JSONArray")?;
        let mut scanner = self.scanner();
        scanner.skip_byte();
        let mut names = Vec::new();
        let mut known = HashSet::new();
        let mut count = 0;
        while scanner.another(count == 0, b']')? {
            if scanner.peek() != b'"' {
                let place = format!("/{}/{count}", self.name);
                let found = Kind::of_next(&scanner);
                return Err(Violation::wrong_type(&place, "String", found).into());
            }
            count += 1;
            let name = owned(&mut scanner)?;
            if known.insert(name.clone()) {
                names.push(name);
            }
        }
        Ok(names)
    }
}

fn owned(scanner: &mut Scanner<'_>) -> Result<String, Problem> {
    let raw: RawString<'_> = string(scanner)?;
    Ok(characters(raw, scanner)?.into_owned())
}
