//! A schema as a tree of JSON values, whose numbers keep their digits.

use std::borrow::Cow;

use selvedge_json::{Number, Scalar, Scanner};

use crate::record::{Flaw, NotFinite, Reader, characters, string, within_depth};

/// A JSON value.
#[derive(Debug)]
pub(crate) enum Tree<'t> {
    Null,
    Boolean(bool),
    Number(Number<'t>),
    String(Cow<'t, str>),
    Array(Vec<Tree<'t>>),
    Object(Vec<(Cow<'t, str>, Tree<'t>)>),
}

impl<'t> Tree<'t> {
    /// The value that the text is.
    pub(crate) fn parse(text: &'t str) -> Result<Self, Flaw> {
        let mut scanner = Scanner::new(text);
        let mut reader = Reader::new(NotFinite::Malformed);
        let tree = Self::read(&mut scanner, &mut reader, 0)?;
        scanner.end()?;
        Ok(tree)
    }

    fn read(
        scanner: &mut Scanner<'t>,
        reader: &mut Reader<'t>,
        depth: usize,
    ) -> Result<Self, Flaw> {
        within_depth(scanner, depth)?;
        match scanner.peek() {
            b'{' => {
                scanner.skip_byte();
                let mut object = reader.members.open();
                let mut members = Vec::new();
                while scanner.another(members.is_empty(), b'}')? {
                    let name = reader.name(scanner)?;
                    reader.add_member(scanner, &mut object, name.clone())?;
                    members.push((name, Self::read(scanner, reader, depth + 1)?));
                }
                reader.members.close(object);
                Ok(Self::Object(members))
            }
            b'[' => {
                scanner.skip_byte();
                let mut items = Vec::new();
                while scanner.another(items.is_empty(), b']')? {
                    items.push(Self::read(scanner, reader, depth + 1)?);
                }
                Ok(Self::Array(items))
            }
            b'"' => {
                let string = string(scanner)?;
                Ok(Self::String(characters(string, scanner)?))
            }
            _ => Ok(match reader.scalar(scanner)? {
                Scalar::Null | Scalar::NotFinite => Self::Null,
                Scalar::Boolean(value) => Self::Boolean(value),
                Scalar::Number(number) => Self::Number(number),
            }),
        }
    }

    /// The member of an object that has this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members
                .iter()
                .find_map(|(member, value)| (member == name).then_some(value)),
            _ => None,
        }
    }
}
