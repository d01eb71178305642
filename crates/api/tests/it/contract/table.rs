//! The document: every row with the tests that show it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::rows::ROWS;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/conformance.md");

const HEAD: &str = "# Conformance

Every endpoint of the Connect API with its success, and every refusal with its literal body; and the tests that hold the real
server against it, byte for byte. `<NAME>` stands for a value. Where a row has no body, the OpenAPI document describes it, and
every answer of every test is checked against that document too. Rows without a documented text (`GEN-…` and those whose
id ends in a word) are this server's choice.

The table is made from `crates/api/tests/it/contract/rows.rs` and the tests in `crates/api/tests/it`; a test fails when it is
stale, when a row has no test, and when a test names a row that there is not. To renew it:

```sh
SELVEDGE_UPDATE_CONFORMANCE=1 cargo test -p selvedge-api --test it contract::table
```

| Id | Request | Cause | Status | Body | Shown by |
| --- | --- | --- | --- | --- | --- |
";

#[test]
fn the_table_in_docs_is_complete_and_up_to_date() {
    let shown = shown();
    let unknown = shown
        .keys()
        .filter(|id| !ROWS.iter().any(|row| row.id == **id));
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&String>::new());
    let missing = ROWS.iter().filter(|row| !shown.contains_key(row.id));
    let missing: Vec<&str> = missing.map(|row| row.id).collect();
    assert_eq!(missing, Vec::<&str>::new(), "rows that no test shows");

    let mut text = HEAD.to_owned();
    for row in ROWS {
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
        .unwrap();
    }
    if std::env::var_os("SELVEDGE_UPDATE_CONFORMANCE").is_some() {
        std::fs::write(DOCUMENT, text).unwrap();
        return;
    }
    let found = std::fs::read_to_string(DOCUMENT).unwrap_or_default();
    assert!(
        found == text,
        "docs/conformance.md is stale; renew it:\n  \
         SELVEDGE_UPDATE_CONFORMANCE=1 cargo test -p selvedge-api --test it contract::table"
    );
}

#[test]
fn ids_are_unique() {
    for (index, row) in ROWS.iter().enumerate() {
        let twins = ROWS[index + 1..].iter().filter(|other| other.id == row.id);
        assert_eq!(twins.count(), 0, "{}", row.id);
    }
}

/// Per row the tests that show it, as `file: test`.
fn shown() -> BTreeMap<String, Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    let mut shown = BTreeMap::<String, Vec<String>>::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let module = file.strip_prefix(&root).unwrap().with_extension("");
        let module = module.display().to_string();
        for (position, call) in text.match_indices(".shows(") {
            let arguments = text[position + call.len()..].trim_start();
            let Some(id) = arguments
                .strip_prefix('"')
                .and_then(|rest| rest.split('"').next())
            else {
                panic!("{module}: the row is a literal, or nobody finds it");
            };
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
    let start = text.rfind("test]\n").unwrap_or_else(|| {
        panic!("{module}: only tests show rows");
    });
    let signature = text[start..].lines().nth(1).unwrap();
    let name = signature.split("fn ").nth(1).unwrap();
    assert!(
        !text[start..].contains("\n}\n"),
        "{module}: only tests show rows, not what is behind {name}"
    );
    name.split('(').next().unwrap()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.file_stem().is_some_and(|name| name != "table")
            && !path.ends_with("contract/mod.rs")
        {
            files.push(path);
        }
    }
}
