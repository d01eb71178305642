//! The cases that every destination has to pass alike, as far as they are for files: nothing that is there is ever changed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use selvedge_connector::{Destination, LoadContext};
use selvedge_testkit::conformance;
use selvedge_testkit::conformance::{Character, OtherKey, Splits, Stored, Subject, canonical};
use serde_json::json;
use serde_json::value::RawValue;

use crate::support::{Lake, context};

#[async_trait]
impl Subject for Lake {
    fn character(&self) -> Character {
        Character {
            display_name: "local files",
            splits: Splits::Never,
            other_key: OtherKey::Appends,
            shared_name: None,
        }
    }

    fn destination(&self) -> &dyn Destination {
        &self.destination
    }

    fn context(&self, fence: i64) -> LoadContext {
        context(fence)
    }

    fn schema_name(&self) -> String {
        "shop".to_owned()
    }

    /// All objects of the table, one behind the other.
    async fn stored(&self, table: &str) -> Option<Stored> {
        let mut stored = Stored::default();
        let mut lines: Vec<BTreeMap<String, Box<RawValue>>> = Vec::new();
        let prefix = format!("shop/{table}/");
        for key in self.keys().iter().filter(|key| key.starts_with(&prefix)) {
            for line in self.text(key).lines() {
                lines.push(serde_json::from_str(line).unwrap());
            }
        }
        for name in lines.iter().flat_map(BTreeMap::keys) {
            if !stored.columns.contains(name) {
                stored.columns.push(name.clone());
            }
        }
        for line in &lines {
            let cell = |name: &String| match line.get(name)?.get() {
                "null" => None,
                text if text.starts_with('"') => Some(serde_json::from_str(text).unwrap()),
                text => Some(text.to_owned()),
            };
            let cells = stored.columns.iter().map(cell);
            let cells = cells.map(|text: Option<String>| text.map(|text| canonical(&text)));
            stored.rows.push(cells.collect());
        }
        (!lines.is_empty()).then_some(stored)
    }
}

conformance!(
    Lake::new(&json!({ "format": "jsonl" }));
    keyless, columns, names, whole, values, runs
);
