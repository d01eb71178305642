//! Where the arguments stand in a body.

use std::ops::Range;

use selvedge_json::{Scanner, array_length};

use super::Problem;
use super::violation::Violation;
use crate::kind::Kind;
use crate::record::{NotFinite, REPEATED_MEMBER, Reader};

/// Arguments of a batch: those that are required, then the others, each as the documentation lists them.
const ARGUMENTS: [&str; 6] = [
    "table_name",
    "schema",
    "messages",
    "key_names",
    "table_version",
    "bookmark_names",
];
const REQUIRED: usize = 3;

/// Where the value of each argument stands. That of `messages` was not looked at if it is an array.
#[derive(Debug, Default)]
pub(super) struct Outline {
    places: [Option<Range<usize>>; ARGUMENTS.len()],
}

impl Outline {
    /// Splits the root; all arguments that are required are there, and no others but those of the documentation. `messages`
    /// reads over their array, or skips it, and is told where the schema stands if that came first.
    pub(super) fn read<'a>(
        text: &'a str,
        mut messages: impl FnMut(&mut Scanner<'a>, Option<Range<usize>>) -> Result<(), Problem>,
    ) -> Result<Self, Problem> {
        let mut scanner = Scanner::new(text);
        let mut reader = Reader::new(NotFinite::Malformed);
        if scanner.peek() != b'{' {
            reader.value(&mut scanner, 0)?;
            scanner.end()?;
            let found = Kind::of_next(&Scanner::new(text));
            return Err(Violation::wrong_type("", "JSONObject", found).into());
        }
        scanner.skip_byte();
        let mut outline = Self::default();
        let mut first = true;
        while scanner.another(first, b'}')? {
            first = false;
            let name = reader.name(&mut scanner)?;
            let Some(index) = ARGUMENTS.iter().position(|argument| *argument == name) else {
                return Err(Violation::extraneous(&name).into());
            };
            let is_array = scanner.peek() == b'[';
            let start = scanner.position();
            if ARGUMENTS[index] == "messages" && is_array {
                messages(&mut scanner, outline.place("schema"))?;
            } else {
                reader.value(&mut scanner, 0)?;
            }
            let place = start..scanner.position();
            if outline.places[index].replace(place).is_some() {
                return Err(scanner.malformed(REPEATED_MEMBER).into());
            }
        }
        scanner.end()?;
        match (0..REQUIRED).find(|index| outline.places[*index].is_none()) {
            Some(missing) => Err(Violation::required(ARGUMENTS[missing]).into()),
            None => Ok(outline),
        }
    }

    /// Where the value of an argument stands, if it was given.
    pub(super) fn place(&self, argument: &str) -> Option<Range<usize>> {
        let index = ARGUMENTS.iter().position(|name| *name == argument)?;
        self.places[index].clone()
    }
}

/// Skips the array that begins here without looking at what is in it.
pub(super) fn skip<'a>(text: &'a str, scanner: &mut Scanner<'a>) -> Result<(), Problem> {
    let start = scanner.position() + 1;
    match text.get(start..).and_then(array_length) {
        Some(length) => {
            scanner.go_to(start + length + 1);
            Ok(())
        }
        None => Err(scanner.malformed("an array does not end").into()),
    }
}
