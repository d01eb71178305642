//! What is known about a stream and its fields: what discovery wrote, and over it what the user chose.

use std::collections::HashMap;

use selvedge_types::stream::{self, Inclusion};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Keys that every stream lets the user set; discovery never writes them.
pub const SETTABLE_KEYS: [&str; 4] = [
    "selected",
    "replication-method",
    "replication-key",
    "view-key-properties",
];

/// Metadata of a stream (`breadcrumb` empty) or of one of its fields (`["properties", "<field>"]`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataEntry {
    pub breadcrumb: Vec<String>,
    pub metadata: Map<String, Value>,
}

/// A stream's metadata in its two layers. The layers share no key, so merging them loses nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamMetadata {
    pub discovered: Vec<MetadataEntry>,
    pub chosen: Vec<MetadataEntry>,
}

impl StreamMetadata {
    /// Value of a stream-level key, chosen or discovered; null counts as absent.
    pub fn stream_value(&self, key: &str) -> Option<&Value> {
        [&self.chosen, &self.discovered]
            .into_iter()
            .filter_map(|layer| find(layer, &[])?.metadata.get(key))
            .find(|value| !value.is_null())
    }

    /// `Some` once the user has selected or de-selected the stream.
    pub fn selected(&self) -> Option<bool> {
        self.stream_value("selected").and_then(Value::as_bool)
    }

    /// The breadcrumbs that discovery listed, with what it says about choosing them. The stream itself always counts as
    /// listed.
    pub fn listed(&self) -> HashMap<&[String], Inclusion> {
        let stream = (&[][..], Inclusion::Available);
        let entries = self.discovered.iter();
        std::iter::once(stream)
            .chain(entries.map(|entry| (&entry.breadcrumb[..], inclusion_of(entry))))
            .collect()
    }

    /// Whether a job would replicate the stream: it is selected, and at least one of its fields goes along. Streams of
    /// sources that list no fields (document stores) need only the selection.
    pub fn replicates(&self) -> bool {
        self.selected() == Some(true)
            && (self.fields().next().is_none() || self.replicated_fields().next().is_some())
    }

    /// Names of the top-level fields that replicate, in the order discovery listed them.
    pub fn replicated_fields(&self) -> impl Iterator<Item = &str> {
        self.fields()
            .filter(|(field, discovered)| self.field_replicates(field, discovered))
            .map(|(field, _)| field)
    }

    /// All entries with both layers merged: the stream first, then by breadcrumb; keys sorted.
    pub fn entries(&self) -> Vec<MetadataEntry> {
        let mut entries: Vec<MetadataEntry> = self.discovered.clone();
        if find(&entries, &[]).is_none() {
            entries.push(MetadataEntry {
                breadcrumb: Vec::new(),
                metadata: Map::new(),
            });
        }
        for entry in &mut entries {
            if let Some(chosen) = find(&self.chosen, &entry.breadcrumb) {
                entry.metadata.extend(chosen.metadata.clone());
            }
            entry.metadata.sort_keys();
        }
        entries.sort_by(|left, right| left.breadcrumb.cmp(&right.breadcrumb));
        entries
    }

    /// The stream-level keys with both layers merged and sorted, `selected` always among them.
    pub fn stream_level(&self) -> Map<String, Value> {
        let mut level = Map::new();
        for layer in [&self.discovered, &self.chosen] {
            if let Some(entry) = find(layer, &[]) {
                level.extend(entry.metadata.clone());
            }
        }
        level.insert("selected".to_owned(), self.selected().into());
        level.sort_keys();
        level
    }

    /// Merges `changes` into the user's choices; a null value clears the key.
    pub fn choose(&mut self, breadcrumb: &[String], changes: &Map<String, Value>) {
        let index = self
            .chosen
            .iter()
            .position(|entry| entry.breadcrumb == breadcrumb);
        let index = index.unwrap_or_else(|| {
            self.chosen.push(MetadataEntry {
                breadcrumb: breadcrumb.to_vec(),
                metadata: Map::new(),
            });
            self.chosen.len() - 1
        });
        let metadata = &mut self.chosen[index].metadata;
        // All at once: taking keys out one by one moves those behind it each time.
        metadata.retain(|key, _| !changes.get(key).is_some_and(Value::is_null));
        for (key, value) in changes.iter().filter(|(_, value)| !value.is_null()) {
            metadata.insert(key.clone(), value.clone());
        }
        if metadata.is_empty() {
            self.chosen.remove(index);
        }
    }

    /// What decides how the table in the destination is filled: a change of it starts the stream over.
    pub fn replication(&self) -> [Option<&Value>; 3] {
        [
            "replication-method",
            "replication-key",
            "view-key-properties",
        ]
        .map(|key| self.stream_value(key))
    }

    fn fields(&self) -> impl Iterator<Item = (&str, &MetadataEntry)> {
        self.discovered
            .iter()
            .filter_map(|entry| match &entry.breadcrumb[..] {
                [properties, field] if properties == "properties" => Some((field.as_str(), entry)),
                _ => None,
            })
    }

    fn field_replicates(&self, field: &str, discovered: &MetadataEntry) -> bool {
        let flag = |entry: Option<&MetadataEntry>, key: &str| entry?.metadata.get(key)?.as_bool();
        let inclusion = inclusion_of(discovered);
        stream::field_replicates(
            inclusion,
            flag(find(&self.chosen, &discovered.breadcrumb), "selected"),
            flag(Some(discovered), "selected-by-default"),
        ) || (inclusion != Inclusion::Unsupported && self.is_key(field))
    }

    /// Whether a field is part of the primary key or is the replication key: those go along without being selected.
    fn is_key(&self, field: &str) -> bool {
        let listed = |key: &str| {
            self.stream_value(key)
                .and_then(Value::as_array)
                .is_some_and(|names| names.iter().any(|name| name == field))
        };
        listed("table-key-properties")
            || listed("view-key-properties")
            || self
                .stream_value("replication-key")
                .is_some_and(|key| key == field)
    }
}

/// Fields without the key are available.
fn inclusion_of(discovered: &MetadataEntry) -> Inclusion {
    match discovered.metadata.get("inclusion").and_then(Value::as_str) {
        Some("automatic") => Inclusion::Automatic,
        Some("unsupported") => Inclusion::Unsupported,
        _ => Inclusion::Available,
    }
}

fn find<'a>(entries: &'a [MetadataEntry], breadcrumb: &[String]) -> Option<&'a MetadataEntry> {
    entries.iter().find(|entry| entry.breadcrumb == breadcrumb)
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// A table with a key, two ordinary fields and one that cannot be replicated.
    pub(crate) fn orders() -> StreamMetadata {
        let discovered = json!([
            {"breadcrumb": [], "metadata": {"table-key-properties": ["id"], "is-view": false}},
            {"breadcrumb": ["properties", "total"], "metadata": {"inclusion": "available", "selected-by-default": true}},
            {"breadcrumb": ["properties", "note"], "metadata": {"inclusion": "available", "selected-by-default": false}},
            {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
            {"breadcrumb": ["properties", "shape"], "metadata": {"inclusion": "unsupported"}},
        ]);
        StreamMetadata {
            discovered: serde_json::from_value(discovered).unwrap(),
            chosen: Vec::new(),
        }
    }

    fn field(name: &str) -> Vec<String> {
        vec!["properties".to_owned(), name.to_owned()]
    }

    fn choose(metadata: &mut StreamMetadata, breadcrumb: &[String], changes: Value) {
        metadata.choose(breadcrumb, changes.as_object().unwrap());
    }

    #[test]
    fn a_stream_replicates_when_selected_with_a_field() {
        let mut metadata = orders();
        assert!(!metadata.replicates());
        choose(&mut metadata, &[], json!({"selected": true}));
        assert!(metadata.replicates());
        assert_eq!(
            metadata.replicated_fields().collect::<Vec<_>>(),
            ["total", "id"]
        );
        metadata
            .discovered
            .retain(|entry| entry.breadcrumb.is_empty() || entry.breadcrumb == field("shape"));
        assert!(!metadata.replicates(), "its only field is unsupported");
    }

    #[test]
    fn an_explicit_choice_wins_over_the_default_and_null_gives_it_back() {
        let mut metadata = orders();
        choose(&mut metadata, &field("total"), json!({"selected": false}));
        choose(&mut metadata, &field("note"), json!({"selected": true}));
        assert_eq!(
            metadata.replicated_fields().collect::<Vec<_>>(),
            ["note", "id"]
        );
        choose(&mut metadata, &field("total"), json!({"selected": null}));
        choose(&mut metadata, &field("note"), json!({"selected": null}));
        assert_eq!(
            metadata.replicated_fields().collect::<Vec<_>>(),
            ["total", "id"]
        );
        assert!(metadata.chosen.is_empty());
    }

    #[test]
    fn the_replication_key_goes_along_without_being_selected() {
        let mut metadata = orders();
        choose(&mut metadata, &[], json!({"replication-key": "note"}));
        assert!(metadata.replicated_fields().any(|field| field == "note"));
    }

    #[test]
    fn entries_come_stream_first_with_sorted_keys_and_without_unset_choices() {
        let mut metadata = orders();
        choose(
            &mut metadata,
            &[],
            json!({"replication-method": "FULL_TABLE"}),
        );
        let entries = metadata.entries();
        let breadcrumbs: Vec<String> = entries
            .iter()
            .map(|entry| entry.breadcrumb.join("."))
            .collect();
        assert_eq!(
            breadcrumbs,
            [
                "",
                "properties.id",
                "properties.note",
                "properties.shape",
                "properties.total"
            ]
        );
        let keys: Vec<&String> = entries[0].metadata.keys().collect();
        assert_eq!(
            keys,
            ["is-view", "replication-method", "table-key-properties"]
        );
        assert_eq!(
            serde_json::to_string(&metadata.stream_level()).unwrap(),
            r#"{"is-view":false,"replication-method":"FULL_TABLE","selected":null,"table-key-properties":["id"]}"#
        );
    }
}
