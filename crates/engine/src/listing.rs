//! A discovered stream in the form that the API shows: JSON Schema and metadata.

use selvedge_connector::{DiscoveredField, DiscoveredStream, TapStream};
use serde_json::{Map, Value, json};

/// One stream as it is stored and shown. Discoverable keys only.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamListing {
    pub tap_stream_id: String,
    pub stream_name: String,
    /// JSON Schema of the rows.
    pub schema: Value,
    /// Stream-level metadata.
    pub metadata: Map<String, Value>,
    /// Metadata below the stream, by breadcrumb: `["properties", "<field>"]`, and so on inwards.
    pub fields: Vec<(Vec<String>, Map<String, Value>)>,
}

/// Renders what discovery found about one stream.
pub fn listing(stream: &DiscoveredStream) -> StreamListing {
    let mut properties = Map::new();
    for field in &stream.fields {
        properties.insert(field.name.clone(), field.json_schema.clone());
    }
    let mut fields: Vec<_> = stream
        .fields
        .iter()
        .map(|field| {
            let breadcrumb = vec!["properties".to_owned(), field.name.clone()];
            (breadcrumb, field_metadata(field))
        })
        .collect();
    fields.sort_by(|left, right| left.0.cmp(&right.0));
    StreamListing {
        tap_stream_id: stream.tap_stream_id.clone(),
        stream_name: stream.stream_name.clone(),
        schema: json!({ "type": "object", "properties": properties }),
        metadata: stream_metadata(stream),
        fields,
    }
}

/// Renders what a tap offers: what it says is shown as it is.
pub fn tap_listing(stream: &TapStream) -> StreamListing {
    let mut metadata = Map::new();
    let mut fields = Vec::new();
    for entry in &stream.metadata {
        match entry.breadcrumb.is_empty() {
            true => metadata.extend(entry.metadata.clone()),
            false => fields.push((entry.breadcrumb.clone(), entry.metadata.clone())),
        }
    }
    fields.sort_by(|left, right| left.0.cmp(&right.0));
    StreamListing {
        tap_stream_id: stream.tap_stream_id.clone(),
        stream_name: stream.stream_name.clone(),
        schema: stream.schema.clone(),
        metadata,
        fields,
    }
}

fn field_metadata(field: &DiscoveredField) -> Map<String, Value> {
    Map::from_iter([
        ("inclusion".to_owned(), json!(field.inclusion)),
        (
            "selected-by-default".to_owned(),
            json!(field.selected_by_default),
        ),
        ("sql-datatype".to_owned(), json!(field.sql_datatype)),
    ])
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
