//! A schema that records are held against one by one, wherever they come from.

use selvedge_json::{Malformed, Scanner};

use crate::schema::{Checker, Notes, Schema, Tree, Unfit};

/// A JSON Schema that is valid.
#[derive(Debug)]
pub struct RecordSchema {
    schema: Schema,
    /// Kept from record to record.
    notes: Notes,
}

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
            Ok(schema) => Ok(Self {
                schema,
                notes: Notes::default(),
            }),
            Err(invalid) => Err(invalid.0),
        }
    }

    /// Reads over the record that begins here. A record that repeats a member, holds half of a surrogate pair, or takes too
    /// long to be held against the schema is only seen to be JSON: what becomes of it is decided when it is shaped.
    ///
    /// # Errors
    /// The text is malformed, or the record does not conform.
    pub fn read_over(&mut self, scanner: &mut Scanner<'_>) -> Result<(), NotTaken> {
        let start = scanner.clone();
        let notes = std::mem::take(&mut self.notes);
        let mut checker = Checker::on(notes, &self.schema, scanner.remaining());
        let checked = checker.record(scanner);
        self.notes = checker.into_notes();
        let unfit = match checked {
            Ok(()) => return Ok(()),
            Err(unfit) => unfit,
        };
        *scanner = start.clone();
        match unfit {
            Unfit::Mismatch(_) => {
                let mut checker = Checker::new(&self.schema, scanner.remaining()).explaining();
                let explained = checker.record(scanner);
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
    fn a_record_is_judged_alike_whatever_came_before_it() {
        let schema = r#"{"required":["id"],"properties":{"id":{},"a":{"required":["b"]}}}"#;
        let mut schema = RecordSchema::compile(schema).unwrap();
        let mut fits = |record: &str| schema.read_over(&mut Scanner::new(record)).is_ok();
        for _ in 0..2 {
            assert!(fits(r#"{"id":1,"a":{"b":2}}"#));
            assert!(!fits(r#"{"a":{"b":2}}"#));
            assert!(!fits(r#"{"id":1,"a":{"id":1}}"#));
            assert!(!fits("{}"));
        }
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
