//! The contract, row by row. `docs/conformance.md` says which test shows which row, and is made from the rows and from the
//! tests themselves: a test shows a row by holding an answer against it with [`Answer::shows`].

mod accounts;
mod destinations;
mod general;
mod jobs;
mod notifications;
mod rows;
mod sources;
mod streams;
mod table;
mod types;

use crate::app::Answer;
use rows::{ROWS, Row};

impl Answer {
    /// Compares status and body with a row, byte for byte, after its `<NAME>`s have been given values.
    #[track_caller]
    pub(crate) fn shows(&self, id: &str, values: &[(&str, &str)]) -> &Self {
        let row = ROWS.iter().find(|row| row.id == id);
        let Row { status, body, .. } = row.unwrap_or_else(|| panic!("there is no row {id}"));
        assert_eq!(self.status.as_u16(), *status, "{id}: {}", self.text);
        if body.is_empty() {
            return self;
        }
        let mut expected = (*body).to_owned();
        for (name, value) in values {
            let placeholder = format!("<{name}>");
            assert!(expected.contains(&placeholder), "{id} has no {placeholder}");
            expected = expected.replace(&placeholder, value);
        }
        assert_eq!(self.text, expected, "{id}");
        assert_eq!(
            self.headers["content-type"],
            "application/json;charset=utf-8"
        );
        self
    }
}
