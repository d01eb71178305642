//! A discovered stream in the form that the API shows: JSON Schema text and metadata entries.

use selvedge_connector::DiscoveredStream;
use serde_json::{Map, Value, json};

/// One stream as it is stored and shown.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamListing {
    pub tap_stream_id: String,
    pub stream_name: String,
    /// JSON Schema, serialised.
    pub schema: String,
    /// `[{"breadcrumb": […], "metadata": {…}}, …]`: the stream first, then its fields by name. Discoverable keys only.
    pub metadata: Value,
}

/// Renders what discovery found about one stream.
pub fn listing(stream: &DiscoveredStream) -> StreamListing {
    let mut properties = Map::new();
    for field in &stream.fields {
        properties.insert(field.name.clone(), field.json_schema.clone());
    }
    let schema = json!({ "type": "object", "properties": properties });

    let mut fields: Vec<_> = stream.fields.iter().collect();
    fields.sort_by(|left, right| left.name.cmp(&right.name));
    let mut entries = vec![json!({ "breadcrumb": [], "metadata": stream_metadata(stream) })];
    entries.extend(fields.into_iter().map(|field| {
        json!({
            "breadcrumb": ["properties", field.name],
            "metadata": {
                "inclusion": field.inclusion,
                "selected-by-default": field.selected_by_default,
                "sql-datatype": field.sql_datatype,
            },
        })
    }));
    StreamListing {
        tap_stream_id: stream.tap_stream_id.clone(),
        stream_name: stream.stream_name.clone(),
        schema: schema.to_string(),
        metadata: Value::Array(entries),
    }
}

fn stream_metadata(stream: &DiscoveredStream) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("database-name".to_owned(), json!(stream.location.database));
    metadata.insert("is-view".to_owned(), json!(stream.is_view));
    if let Some(row_count) = stream.row_count {
        metadata.insert("row-count".to_owned(), json!(row_count));
    }
    metadata.insert("schema-name".to_owned(), json!(stream.location.schema));
    metadata.insert(
        "table-key-properties".to_owned(),
        json!(stream.key_properties),
    );
    if !stream.replication_keys.is_empty() {
        metadata.insert(
            "valid-replication-keys".to_owned(),
            json!(stream.replication_keys),
        );
    }
    for (key, value) in &stream.extra_metadata {
        metadata.insert(key.clone(), value.clone());
    }
    metadata
}
