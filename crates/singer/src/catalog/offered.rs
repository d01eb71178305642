//! What a tap offers, in one shape: metadata in lists as taps of today write them, also for those that wrote it into their
//! schemas or beside them.

use std::collections::{HashMap, HashSet};

use selvedge_connector::{
    ConnectorError, ErrorKind, MAX_STREAMS, TapCatalog, TapMetadata, TapStream,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::CHOICES;

/// Known by heart to those who wait for it.
const TOO_MANY: &str = "Stitch has discovered more than the maximum supported limit of 10,000 tables in your integration.";

/// A stream as taps write it.
#[derive(Deserialize)]
struct Entry {
    tap_stream_id: Option<String>,
    stream: Option<String>,
    #[serde(default)]
    schema: Value,
    #[serde(default)]
    metadata: Option<Vec<EntryMetadata>>,
    key_properties: Option<Vec<String>>,
    replication_key: Option<String>,
    replication_method: Option<String>,
}

#[derive(Deserialize)]
struct EntryMetadata {
    breadcrumb: Vec<String>,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// The offer of a catalogue.
pub(crate) fn offer(document: Value) -> Result<TapCatalog, ConnectorError> {
    let entries = document.get("streams").and_then(Value::as_array);
    let entries = entries.map(Vec::as_slice).unwrap_or_default();
    if entries.len() > MAX_STREAMS {
        return Err(ConnectorError::configuration(TOO_MANY));
    }
    let mut ids = HashSet::with_capacity(entries.len());
    let mut streams = Vec::with_capacity(entries.len());
    for (number, entry) in (1..).zip(entries) {
        let stream = Entry::deserialize(entry)
            .map_err(|error| {
                wrong(format!(
                    "stream {number} of the tap's catalogue cannot be read"
                ))
                .with_detail(error.to_string())
            })
            .and_then(|entry| stream(entry, number))?;
        if !ids.insert(stream.tap_stream_id.clone()) {
            let id = &stream.tap_stream_id;
            return Err(wrong(format!(
                "the tap's catalogue has two streams with the id {id}"
            )));
        }
        streams.push(stream);
    }
    Ok(TapCatalog { streams, document })
}

fn stream(entry: Entry, number: usize) -> Result<TapStream, ConnectorError> {
    let Entry {
        tap_stream_id,
        stream,
        schema,
        metadata,
        key_properties,
        replication_key,
        replication_method,
    } = entry;
    let name = stream.or_else(|| tap_stream_id.clone());
    let (Some(stream_name), tap_stream_id) = (name, tap_stream_id) else {
        return Err(wrong(format!(
            "stream {number} of the tap's catalogue has no name"
        )));
    };
    let tap_stream_id = tap_stream_id.unwrap_or_else(|| stream_name.clone());
    let schema = match schema {
        Value::Null => Value::Object(Map::new()),
        schema @ Value::Object(_) => schema,
        _ => {
            return Err(wrong(format!(
                "the schema of stream {tap_stream_id} in the tap's catalogue is no object"
            )));
        }
    };

    let mut collected = Collected::default();
    for EntryMetadata {
        breadcrumb,
        metadata,
    } in metadata.unwrap_or_default()
    {
        collected.merge(breadcrumb, metadata);
    }
    collected.add_legacy(&schema);
    let table = collected.of(Vec::new());
    let mut fold = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            table.entry(name).or_insert(value);
        }
    };
    let keys = key_properties.filter(|keys| !keys.is_empty());
    fold("table-key-properties", keys.map(Value::from));
    fold(
        "valid-replication-keys",
        replication_key.map(|key| Value::from(vec![key])),
    );
    fold(
        "forced-replication-method",
        replication_method.map(Value::from),
    );
    collected.add_defaults();
    Ok(TapStream {
        tap_stream_id,
        stream_name,
        schema,
        metadata: collected.without_choices(),
    })
}

/// Metadata by breadcrumb, in the order of their first mention.
#[derive(Default)]
struct Collected {
    entries: Vec<TapMetadata>,
    places: HashMap<Vec<String>, usize>,
}

impl Collected {
    fn of(&mut self, breadcrumb: Vec<String>) -> &mut Map<String, Value> {
        let entries = &mut self.entries;
        let place = *self
            .places
            .entry(breadcrumb)
            .or_insert_with_key(|breadcrumb| {
                entries.push(TapMetadata {
                    breadcrumb: breadcrumb.clone(),
                    metadata: Map::new(),
                });
                entries.len() - 1
            });
        &mut entries[place].metadata
    }

    fn merge(&mut self, breadcrumb: Vec<String>, metadata: Map<String, Value>) {
        self.of(breadcrumb).extend(metadata);
    }

    /// Every column has an entry, and what a schema says of it in the old way is in it.
    fn add_legacy(&mut self, schema: &Value) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let field = self.of(vec!["properties".to_owned(), name.clone()]);
            for annotation in ["inclusion", "selected"] {
                if let Some(value) = property.get(annotation) {
                    field.entry(annotation).or_insert_with(|| value.clone());
                }
            }
        }
    }

    /// Where a tap says nothing of what is selected by default, everything available is: who selects a table wants its
    /// columns. A tap that marks columns as not selected means those.
    fn add_defaults(&mut self) {
        let speaks = |one: &TapMetadata| one.metadata.contains_key("selected-by-default");
        let silent = !self.fields().any(|field| speaks(field));
        for field in self.fields() {
            let metadata = &mut field.metadata;
            let inclusion = metadata.get("inclusion").and_then(Value::as_str);
            let available = inclusion.is_none_or(|inclusion| inclusion == "available");
            let unwanted = metadata.get("selected") == Some(&Value::Bool(false));
            if available {
                if inclusion.is_none() {
                    metadata.insert("inclusion".to_owned(), "available".into());
                }
                if silent {
                    metadata.insert("selected-by-default".to_owned(), (!unwanted).into());
                }
            }
        }
    }

    fn fields(&mut self) -> impl Iterator<Item = &mut TapMetadata> {
        let entries = self.entries.iter_mut();
        entries.filter(|one| !one.breadcrumb.is_empty())
    }

    fn without_choices(mut self) -> Vec<TapMetadata> {
        for one in &mut self.entries {
            one.metadata
                .retain(|key, _| !CHOICES.contains(&key.as_str()));
        }
        self.entries
    }
}

fn wrong(message: String) -> ConnectorError {
    ConnectorError::new(ErrorKind::Data, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn only(stream: Value) -> TapStream {
        let mut catalog = offer(json!({"streams": [stream]})).unwrap();
        catalog.streams.remove(0)
    }

    fn metadata(stream: &TapStream, field: &str) -> Value {
        let of = |one: &&TapMetadata| one.breadcrumb.last().map_or("", |name| name) == field;
        let found = stream.metadata.iter().find(of).unwrap();
        Value::Object(found.metadata.clone())
    }

    #[test]
    fn metadata_in_lists_is_taken_without_choices() {
        let stream = only(json!({
            "tap_stream_id": "shop-orders", "stream": "orders", "key_properties": ["x"],
            "schema": {"properties": {"id": {"type": "integer"}, "note": {}, "raw": {}}},
            "metadata": [
                {"breadcrumb": [], "metadata": {"selected": true, "replication-method": "FULL_TABLE",
                    "table-key-properties": ["id"]}},
                {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
                {"breadcrumb": ["properties", "note"], "metadata": {"inclusion": "available", "selected-by-default": false}},
                {"breadcrumb": ["properties", "raw"], "metadata": {"inclusion": "unsupported"}},
            ],
        }));
        assert_eq!(
            (stream.tap_stream_id.as_str(), stream.stream_name.as_str()),
            ("shop-orders", "orders")
        );
        assert_eq!(
            metadata(&stream, ""),
            json!({"table-key-properties": ["id"]})
        );
        assert_eq!(metadata(&stream, "id"), json!({"inclusion": "automatic"}));
        assert_eq!(
            metadata(&stream, "note"),
            json!({"inclusion": "available", "selected-by-default": false})
        );
        assert_eq!(
            metadata(&stream, "raw"),
            json!({"inclusion": "unsupported"})
        );
    }

    #[test]
    fn an_old_catalogue_reads_like_a_new_one() {
        let stream = only(json!({
            "stream": "orders", "key_properties": ["id"], "replication_key": "changed",
            "replication_method": "INCREMENTAL",
            "schema": {"type": "object", "selected": true, "properties": {
                "id": {"type": "integer", "inclusion": "automatic"},
                "changed": {"type": "string", "inclusion": "available", "selected": true},
                "secret": {"type": "string", "inclusion": "available", "selected": false},
                "odd": {"inclusion": "unsupported"},
            }},
        }));
        assert_eq!(stream.tap_stream_id, "orders");
        assert_eq!(
            metadata(&stream, ""),
            json!({"table-key-properties": ["id"], "valid-replication-keys": ["changed"],
                "forced-replication-method": "INCREMENTAL"})
        );
        assert_eq!(metadata(&stream, "id"), json!({"inclusion": "automatic"}));
        let chosen =
            |choice: bool| json!({"inclusion": "available", "selected-by-default": choice});
        assert_eq!(metadata(&stream, "changed"), chosen(true));
        assert_eq!(metadata(&stream, "secret"), chosen(false));
        assert_eq!(
            metadata(&stream, "odd"),
            json!({"inclusion": "unsupported"})
        );
    }

    #[test]
    fn columns_that_nobody_speaks_of_come_with_their_table() {
        let stream = only(json!({"stream": "a", "schema": {"properties": {"x": {}}}}));
        assert_eq!(
            metadata(&stream, "x"),
            json!({"inclusion": "available", "selected-by-default": true})
        );
        let stream = only(json!({"stream": "a"}));
        assert_eq!(stream.schema, json!({}));
    }

    #[test]
    fn catalogues_that_cannot_be_are_refused() {
        let message = |streams: Value| offer(json!({"streams": streams})).unwrap_err().message;
        let twice = json!([{"stream": "a"}, {"tap_stream_id": "a", "stream": "b"}]);
        assert!(message(twice).contains("two streams with the id a"));
        assert!(message(json!([{}])).contains("stream 1"));
        assert!(message(json!([{"stream": "a", "schema": 3}])).contains("no object"));
        assert!(message(json!([{"stream": "a", "metadata": 3}])).contains("cannot be read"));
        let many = vec![json!({"stream": "a"}); MAX_STREAMS + 1];
        assert_eq!(message(Value::from(many)), TOO_MANY);
    }
}
