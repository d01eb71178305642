//! The contract of an interface as rows, and the document that says which test shows which of them.
//!
//! A test shows a row by calling `.shows("<id>", …)` on an answer, with the id as a literal: [`Contract::is_documented`]
//! finds it in the text of the tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What a request of some kind is answered with.
#[derive(Debug)]
pub struct Row {
    /// The address for a success, otherwise a name that tests use.
    pub id: &'static str,
    pub endpoint: &'static str,
    pub cause: &'static str,
    pub status: u16,
    /// `<NAME>` stands for a value that a test names. A body that is empty here is described by the OpenAPI document.
    pub body: &'static str,
}

impl Row {
    pub const fn new(
        id: &'static str,
        endpoint: &'static str,
        cause: &'static str,
        status: u16,
        body: &'static str,
    ) -> Self {
        Self {
            id,
            endpoint,
            cause,
            status,
            body,
        }
    }

    /// The row of an endpoint's success.
    pub const fn success(endpoint: &'static str, what: &'static str, status: u16) -> Self {
        Self::new(endpoint, endpoint, what, status, "")
    }

    /// The body with values for its names; `None` when it is described elsewhere.
    ///
    /// # Panics
    /// When the body has no such name.
    #[track_caller]
    pub fn body_with(&self, values: &[(&str, &str)]) -> Option<String> {
        let mut body = self.body.to_owned();
        for (name, value) in values {
            let placeholder = format!("<{name}>");
            assert!(
                body.contains(&placeholder),
                "{} has no {placeholder}",
                self.id
            );
            body = body.replace(&placeholder, value);
        }
        (!self.body.is_empty()).then_some(body)
    }
}

/// All rows of an interface.
#[derive(Debug)]
pub struct Contract {
    /// Heading of its section in the document.
    pub heading: &'static str,
    /// What stands before the table.
    pub introduction: &'static str,
    pub rows: &'static [Row],
    /// The folder of the tests.
    pub tests: &'static str,
    pub document: &'static str,
    /// The command that renews the section.
    pub renewal: &'static str,
}

/// Set, the section is written instead of compared.
const RENEW: &str = "SELVEDGE_UPDATE_CONFORMANCE";

impl Contract {
    /// The row of this id.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn row(&self, id: &str) -> &'static Row {
        let row = self.rows.iter().find(|row| row.id == id);
        row.unwrap_or_else(|| panic!("there is no row {id}"))
    }

    /// # Panics
    /// When a row has no test, a test names a row that there is not, or the document's section is stale.
    pub fn is_documented(&self) {
        let shown = shown(Path::new(self.tests));
        let unknown = shown
            .keys()
            .filter(|id| !self.rows.iter().any(|row| row.id == **id));
        assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new());
        let missing = self.rows.iter().filter(|row| !shown.contains_key(row.id));
        let missing: Vec<&str> = missing.map(|row| row.id).collect();
        assert_eq!(missing, Vec::<&str>::new(), "rows that no test shows");
        for (index, row) in self.rows.iter().enumerate() {
            let mut others = self.rows[index + 1..].iter();
            assert!(others.all(|other| other.id != row.id), "two {}", row.id);
        }

        let document = std::fs::read_to_string(self.document).unwrap_or_default();
        let heading = format!("## {}\n", self.heading);
        let renewed = with_section(&document, &heading, &self.section(&heading, &shown));
        if std::env::var_os(RENEW).is_some() {
            std::fs::write(self.document, renewed).expect("the document can be written");
            return;
        }
        assert!(
            document == renewed,
            "{} is stale; renew it:\n  {RENEW}=1 {}",
            self.document,
            self.renewal
        );
    }

    fn section(&self, heading: &str, shown: &BTreeMap<String, Vec<String>>) -> String {
        let mut text = format!(
            "{heading}\n{}\n\n```sh\n{RENEW}=1 {}\n```\n\n\
             | Id | Request | Cause | Status | Body | Shown by |\n\
             | --- | --- | --- | --- | --- | --- |\n",
            self.introduction, self.renewal
        );
        for row in self.rows {
            let id = if row.id == row.endpoint { "" } else { row.id };
            let body = match row.body {
                "" => String::new(),
                body => format!("`{body}`"),
            };
            let tests = shown[row.id].join(", ");
            writeln!(
                text,
                "| {id} | {} | {} | {} | {body} | {tests} |",
                row.endpoint, row.cause, row.status
            )
            .expect("writing to memory does not fail");
        }
        text
    }
}

/// The document with another section under the heading; at its end, if there was none.
fn with_section(document: &str, heading: &str, section: &str) -> String {
    let marked = format!("\n{heading}");
    let Some(found) = document.find(&marked) else {
        return format!("{}\n\n{section}", document.trim_end());
    };
    let (before, after) = document.split_at(found + 1);
    match after[heading.len()..].find("\n## ") {
        Some(next) => format!("{before}{section}{}", &after[heading.len() + next..]),
        None => format!("{before}{section}"),
    }
}

/// Per row the tests that show it, as `file: test`.
fn shown(root: &Path) -> BTreeMap<String, Vec<String>> {
    let mut files = Vec::new();
    collect(root, &mut files);
    files.sort();
    let mut shown = BTreeMap::<String, Vec<String>>::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("tests can be read");
        let module = file.strip_prefix(root).unwrap_or(&file).with_extension("");
        let module = module.display().to_string();
        for (position, call) in text.match_indices(".shows(") {
            let arguments = text[position + call.len()..].trim_start();
            let id = arguments
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
                .unwrap_or_else(|| panic!("{module}: the row is a literal, or nobody finds it"));
            let test = format!("`{module}: {}`", test_around(&text[..position], &module));
            let tests = shown.entry(id.to_owned()).or_default();
            if !tests.contains(&test) {
                tests.push(test);
            }
        }
    }
    shown
}

/// The name of the test that ends `text`.
fn test_around<'a>(text: &'a str, module: &str) -> &'a str {
    let start = text
        .rfind("test]\n")
        .unwrap_or_else(|| panic!("{module}: only tests show rows"));
    let signature = text[start..].lines().nth(1).unwrap_or_default();
    let name = signature.split("fn ").nth(1).unwrap_or_default();
    assert!(
        !text[start..].contains("\n}\n"),
        "{module}: only tests show rows, not what is behind {name}"
    );
    name.split('(').next().unwrap_or_default()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("tests are in a folder") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_where_it_is_and_others_stay() {
        let (heading, new) = ("## Two\n", "## Two\n\nnew\n");
        for (document, expected) in [
            ("# D\n\n## Two\n\nold\n", "# D\n\n## Two\n\nnew\n"),
            (
                "# D\n\n## One\n\n1\n\n## Two\n\nold\n\n## Three\n\n3\n",
                "# D\n\n## One\n\n1\n\n## Two\n\nnew\n\n## Three\n\n3\n",
            ),
            (
                "# D\n\n## Twofold\n",
                "# D\n\n## Twofold\n\n## Two\n\nnew\n",
            ),
        ] {
            let found = with_section(document, heading, new);
            assert_eq!(found, expected);
            assert_eq!(with_section(&found, heading, new), found);
        }
    }

    #[test]
    fn values_stand_for_names() {
        let row = Row::new("A", "GET /", "", 400, "<WHAT> of <WHOM>");
        let body = row.body_with(&[("WHAT", "a"), ("WHOM", "b")]);
        assert_eq!(body.as_deref(), Some("a of b"));
        assert_eq!(Row::success("GET /", "", 200).body_with(&[]), None);
    }
}
