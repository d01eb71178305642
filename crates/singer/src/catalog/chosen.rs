//! The catalogue with the choices marked, in every way that a tap may look for them.

use std::collections::{HashMap, HashSet};

use selvedge_connector::{ConnectorError, ErrorKind, TapMetadata, TapSelection};
use serde_json::{Map, Value, json};

/// Marks what is to be read in the document of a discovery.
pub(crate) fn choose(
    mut document: Value,
    selected: &[TapSelection],
) -> Result<Value, ConnectorError> {
    let mut wanted: HashMap<&str, &TapSelection> = selected
        .iter()
        .map(|selection| (selection.tap_stream_id.as_str(), selection))
        .collect();
    let streams = document.get_mut("streams").and_then(Value::as_array_mut);
    for stream in streams.into_iter().flatten() {
        let Value::Object(stream) = stream else {
            continue;
        };
        let id = stream.get("tap_stream_id").or_else(|| stream.get("stream"));
        let id = id.and_then(Value::as_str).unwrap_or_default();
        match wanted.remove(id) {
            Some(selection) => mark(stream, selection),
            None => deselect(stream),
        }
    }
    match wanted.keys().min() {
        None => Ok(document),
        Some(missing) => Err(ConnectorError::new(
            ErrorKind::Data,
            format!("the tap does not offer the selected stream {missing}"),
        )),
    }
}

fn deselect(stream: &mut Map<String, Value>) {
    annotate_schema(stream, &[], "selected", &json!(false));
    let mut metadata = Metadata::take(stream);
    metadata.set(&[], "selected", json!(false));
    metadata.give_back(stream);
}

fn mark(stream: &mut Map<String, Value>, selection: &TapSelection) {
    let mut metadata = Metadata::take(stream);
    metadata.set(&[], "selected", json!(true));
    let fields: HashSet<&str> = selection.fields.iter().map(String::as_str).collect();
    let properties = stream
        .get("schema")
        .and_then(|schema| schema.get("properties"));
    let names: Vec<String> = properties
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    for name in &names {
        let replicates = json!(fields.contains(name.as_str()));
        let breadcrumb = ["properties", name];
        metadata.set(&breadcrumb, "selected", replicates.clone());
        annotate_schema(stream, &breadcrumb, "selected", &replicates);
    }
    annotate_schema(stream, &[], "selected", &json!(true));
    for TapMetadata {
        breadcrumb,
        metadata: chosen,
    } in &selection.chosen
    {
        let breadcrumb: Vec<&str> = breadcrumb.iter().map(String::as_str).collect();
        let top_level = matches!(*breadcrumb, [_, _]);
        for (key, value) in chosen {
            // Of streams and columns the fields have decided, with everything that goes into that.
            if key == "selected" && (breadcrumb.is_empty() || top_level) {
                continue;
            }
            metadata.set(&breadcrumb, key, value.clone());
            let beside = match key.as_str() {
                "replication-method" => "replication_method",
                "replication-key" => "replication_key",
                _ => continue,
            };
            if breadcrumb.is_empty() {
                stream.insert(beside.to_owned(), value.clone());
            }
        }
    }
    metadata.give_back(stream);
}

/// Marks a schema itself, for taps that look there.
fn annotate_schema(stream: &mut Map<String, Value>, breadcrumb: &[&str], key: &str, value: &Value) {
    let mut place = stream.get_mut("schema");
    for step in breadcrumb {
        place = place.and_then(|place| place.get_mut(*step));
    }
    if let Some(Value::Object(schema)) = place {
        schema.insert(key.to_owned(), value.clone());
    }
}

/// The list of a stream's metadata.
struct Metadata {
    entries: Vec<Value>,
    /// Where an entry stands: lists of wide tables are long.
    places: HashMap<Vec<String>, usize>,
}

impl Metadata {
    fn take(stream: &mut Map<String, Value>) -> Self {
        let entries = match stream.get_mut("metadata").map(Value::take) {
            Some(Value::Array(entries)) => entries,
            _ => Vec::new(),
        };
        let mut places = HashMap::new();
        for (place, entry) in entries.iter().enumerate() {
            let steps = entry.get("breadcrumb").and_then(Value::as_array);
            let steps = steps.map(|steps| {
                let names = steps.iter().filter_map(Value::as_str);
                names.map(str::to_owned).collect()
            });
            places.entry(steps.unwrap_or_default()).or_insert(place);
        }
        Self { entries, places }
    }

    fn set(&mut self, breadcrumb: &[&str], key: &str, value: Value) {
        let breadcrumb: Vec<String> = breadcrumb.iter().map(|&step| step.to_owned()).collect();
        let entries = &mut self.entries;
        let place = *self
            .places
            .entry(breadcrumb)
            .or_insert_with_key(|breadcrumb| {
                entries.push(json!({"breadcrumb": breadcrumb, "metadata": {}}));
                entries.len() - 1
            });
        if let Some(Value::Object(entry)) = self.entries.get_mut(place) {
            let metadata = entry.entry("metadata").or_insert_with(|| json!({}));
            if let Value::Object(metadata) = metadata {
                metadata.insert(key.to_owned(), value);
            }
        }
    }

    fn give_back(self, stream: &mut Map<String, Value>) {
        stream.insert("metadata".to_owned(), Value::Array(self.entries));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({"streams": [
            {"tap_stream_id": "shop-orders", "stream": "orders", "own": 1,
                "schema": {"properties": {"id": {"type": "integer"}, "note": {}, "doc": {"properties": {"a": {}}}}},
                "metadata": [{"breadcrumb": [], "metadata": {"is-view": false}},
                    {"breadcrumb": ["properties", "note"], "metadata": {"inclusion": "available"}}]},
            {"stream": "items", "schema": {"selected": true}},
        ]})
    }

    fn metadata(breadcrumb: &[&str], metadata: Value) -> TapMetadata {
        TapMetadata {
            breadcrumb: breadcrumb.iter().map(|&step| step.to_owned()).collect(),
            metadata: metadata.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn choices_are_marked_in_metadata_and_schema() {
        let selection = TapSelection {
            tap_stream_id: "shop-orders".to_owned(),
            chosen: vec![
                metadata(
                    &[],
                    json!({"selected": true, "replication-method": "INCREMENTAL", "replication-key": "id"}),
                ),
                metadata(&["properties", "note"], json!({"selected": true})),
                metadata(
                    &["properties", "doc", "properties", "a"],
                    json!({"selected": false}),
                ),
            ],
            fields: vec!["id".to_owned(), "doc".to_owned()],
        };
        let chosen = choose(document(), &[selection]).unwrap();
        assert_eq!(
            chosen,
            json!({"streams": [
                {"tap_stream_id": "shop-orders", "stream": "orders", "own": 1,
                    "schema": {"properties": {"id": {"type": "integer", "selected": true}, "note": {"selected": false},
                        "doc": {"properties": {"a": {}}, "selected": true}}, "selected": true},
                    "metadata": [
                        {"breadcrumb": [], "metadata": {"is-view": false, "selected": true,
                            "replication-method": "INCREMENTAL", "replication-key": "id"}},
                        {"breadcrumb": ["properties", "note"], "metadata": {"inclusion": "available", "selected": false}},
                        {"breadcrumb": ["properties", "id"], "metadata": {"selected": true}},
                        {"breadcrumb": ["properties", "doc"], "metadata": {"selected": true}},
                        {"breadcrumb": ["properties", "doc", "properties", "a"], "metadata": {"selected": false}}],
                    "replication_method": "INCREMENTAL", "replication_key": "id"},
                {"stream": "items", "schema": {"selected": false},
                    "metadata": [{"breadcrumb": [], "metadata": {"selected": false}}]},
            ]})
        );
    }

    #[test]
    fn a_selected_stream_that_is_not_there_is_an_error() {
        let selection = TapSelection {
            tap_stream_id: "gone".to_owned(),
            chosen: Vec::new(),
            fields: Vec::new(),
        };
        let error = choose(document(), &[selection]).unwrap_err();
        assert!(error.message.contains("selected stream gone"), "{error}");
    }
}
