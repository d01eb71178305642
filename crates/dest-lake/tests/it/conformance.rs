//! The cases that every destination has to pass alike, in each of the formats. Nothing that is there is ever changed, so rows of
//! all versions stay, and readers choose by key, sequence and version; CSV has a file for the items of each array, the
//! others keep arrays whole; in a Parquet file a column has one type.

use async_trait::async_trait;
use selvedge_connector::{Destination, LoadContext};
use selvedge_testkit::conformance::{Character, Loading, OtherKey, Splits, Stored, Subject};
use serde_json::json;

use crate::reading;
use crate::support::{Lake, context};

struct Files {
    lake: Lake,
    format: &'static str,
}

fn files(format: &'static str) -> Files {
    Files {
        lake: Lake::new(&json!({ "format": format })),
        format,
    }
}

#[async_trait]
impl Subject for Files {
    fn character(&self) -> Character {
        Character {
            display_name: "local files",
            loading: Loading::Append,
            splits: match self.format {
                "parquet" => Splits::WithinALoad,
                _ => Splits::Never,
            },
            other_key: OtherKey::Appends,
            shared_name: None,
            wide: true,
            keeps_json: self.format == "jsonl",
        }
    }

    fn destination(&self) -> &dyn Destination {
        &self.lake.destination
    }

    fn context(&self, fence: i64) -> LoadContext {
        context(fence)
    }

    fn schema_name(&self) -> String {
        "shop".to_owned()
    }

    /// All objects of the table, one behind the other. Those of a subtable are in folders below that of the table.
    async fn stored(&self, table: &str) -> Option<Stored> {
        let folder = format!("shop/{}", table.replace("__", "/"));
        let mut stored = Stored::default();
        for key in self.lake.keys() {
            let Some((_, name)) = key.rsplit_once('/').filter(|(place, _)| *place == folder) else {
                continue;
            };
            let path = self.lake.root().join(&key);
            append(
                &mut stored,
                match name.rsplit('.').next() {
                    Some("jsonl") => reading::json_lines(&path),
                    Some("csv") => reading::csv(&path),
                    _ => reading::parquet(&path),
                },
            );
        }
        (!stored.rows.is_empty()).then_some(stored)
    }
}

/// Files of a table may have different columns.
fn append(stored: &mut Stored, file: Stored) {
    let mut places = Vec::new();
    for name in file.columns {
        let known = stored.columns.iter().position(|column| *column == name);
        places.push(known.unwrap_or_else(|| {
            stored.columns.push(name);
            stored.columns.len() - 1
        }));
    }
    for row in &mut stored.rows {
        row.resize(stored.columns.len(), None);
    }
    for cells in file.rows {
        let mut row = vec![None; stored.columns.len()];
        for (place, cell) in places.iter().zip(cells) {
            row[*place] = cell;
        }
        stored.rows.push(row);
    }
}

mod json_lines {
    use super::*;
    selvedge_testkit::conformance!(
        files("jsonl"); keyed, keyless, replaced, columns, names, whole, values, runs
    );
}

mod csv {
    use super::*;
    selvedge_testkit::conformance!(
        files("csv"); keyed, keyless, replaced, columns, names, items, values, runs
    );
}

mod parquet {
    use super::*;
    selvedge_testkit::conformance!(
        files("parquet"); keyed, keyless, replaced, columns, names, whole, values, runs
    );
}
