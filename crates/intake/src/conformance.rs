//! A schema that records are held against one by one, wherever they come from.

use selvedge_json::{Malformed, Scanner};

use crate::schema::{Checker, Schema, Tree, Unfit};

/// A JSON Schema that is valid.
#[derive(Debug)]
pub struct RecordSchema(Schema);

/// Why a record is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Where and what, in the words of the validator that the contract quotes: `#/id: expected: Number, found: String`.
    #[error("{0}")]
    Mismatch(String),
}

impl RecordSchema {
    /// # Errors
    /// The text is no schema, or asks for what is not understood here: what it is, in a sentence.
    pub fn compile(text: &str) -> Result<Self, String> {
        let tree = Tree::parse(text).map_err(|flaw| flaw.to_string())?;
        match Schema::compile(&tree) {
            Ok(schema) => Ok(Self(schema)),
            Err(invalid) => Err(invalid.0),
        }
    }

    /// Reads over the record that begins here. A record that repeats a member, holds half of a surrogate pair, or takes too
    /// long to be held against the schema is only seen to be JSON: what becomes of it is decided when it is shaped.
    ///
    /// # Errors
    /// The text is malformed, or the record does not conform.
    pub fn read_over<'a>(&self, scanner: &mut Scanner<'a>) -> Result<(), NotTaken> {
        let start = scanner.clone();
        let unfit = match self.checker(scanner).record(scanner) {
            Ok(()) => return Ok(()),
            Err(unfit) => unfit,
        };
        *scanner = start.clone();
        match unfit {
            Unfit::Mismatch(_) => {
                let explained = self.checker(scanner).explaining().record(scanner);
                let text = match explained {
                    Err(Unfit::Mismatch(Some(text))) => text,
                    _ => "#: it does not conform".to_owned(),
                };
                Err(NotTaken::Mismatch(text))
            }
            // What is malformed is found again.
            Unfit::Flaw(_) | Unfit::TooLarge | Unfit::Exhausted => Ok(scanner.skip_value(0)?),
        }
    }

    fn checker<'a>(&self, scanner: &Scanner<'a>) -> Checker<'_, 'a> {
        Checker::new(&self.0, scanner.remaining())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_over(schema: &str, record: &str) -> Result<usize, NotTaken> {
        let mut scanner = Scanner::new(record);
        RecordSchema::compile(schema)
            .unwrap()
            .read_over(&mut scanner)?;
        Ok(scanner.position())
    }

    #[test]
    fn a_record_that_conforms_is_read_over_and_one_that_does_not_is_explained() {
        let schema = r#"{"properties":{"id":{"type":["null","integer"]}}}"#;
        assert_eq!(read_over(schema, r#"{"id":1} ..."#), Ok(8));
        assert_eq!(read_over(schema, r#"{"id":NaN}"#), Ok(10));
        let Err(NotTaken::Mismatch(text)) = read_over(schema, r#"{"id":"x"}"#) else {
            panic!("a text was taken for an integer");
        };
        assert!(text.starts_with("#/id: expected: "), "{text}");
    }

    #[test]
    fn what_only_shaping_can_judge_is_taken_if_it_is_json() {
        let schema = r#"{"properties":{"id":{"type":"string"}}}"#;
        for record in [r#"{"id":"a","id":"b"}"#, r#"{"id":"\ud800"}"#] {
            assert_eq!(read_over(schema, record), Ok(record.len()), "{record}");
        }
        for record in [r#"{"id":"a","id":"#, r#"{"id":"a"]"#, "x7"] {
            let taken = read_over(schema, record);
            assert!(taken.is_err(), "{record}");
        }
    }
}
