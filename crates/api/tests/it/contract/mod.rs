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
mod types;

use crate::app::Answer;
use rows::CONTRACT;

impl Answer {
    /// Compares status and body with a row, byte for byte, after its `<NAME>`s have been given values.
    #[track_caller]
    pub(crate) fn shows(&self, id: &str, values: &[(&str, &str)]) -> &Self {
        let row = CONTRACT.row(id);
        assert_eq!(self.status.as_u16(), row.status, "{id}: {}", self.text);
        if let Some(body) = row.body_with(values) {
            assert_eq!(self.text, body, "{id}");
            assert_eq!(
                self.headers["content-type"],
                "application/json;charset=utf-8"
            );
        }
        self
    }
}

#[test]
fn the_table_in_docs_is_complete_and_up_to_date() {
    CONTRACT.is_documented();
}
