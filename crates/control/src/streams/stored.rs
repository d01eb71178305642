//! Between a stream's stored form and its metadata.

use selvedge_store::streams::{StreamRecord, StreamSummary};
use selvedge_types::StreamId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::metadata::{MetadataEntry, StreamMetadata};
use crate::ControlError;

/// The stored form of what the user chose.
#[derive(Default, Serialize, Deserialize)]
struct Choices {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    entries: Vec<MetadataEntry>,
}

/// Everything known about a stream.
pub(super) fn metadata(record: &StreamRecord) -> Result<StreamMetadata, ControlError> {
    let fields: Vec<MetadataEntry> = read(record.id, "field metadata", &record.field_metadata)?;
    let mut discovered = vec![stream_level(&record.metadata)];
    discovered.extend(fields);
    Ok(StreamMetadata {
        discovered,
        chosen: chosen(record.id, &record.choices)?,
    })
}

/// What is known without the fields: enough for lists.
pub(super) fn stream_metadata(summary: &StreamSummary) -> Result<StreamMetadata, ControlError> {
    Ok(StreamMetadata {
        discovered: vec![stream_level(&summary.metadata)],
        chosen: chosen(summary.id, &summary.choices)?,
    })
}

/// The form in which choices are stored.
pub(super) fn stored_choices(entries: &[MetadataEntry]) -> Value {
    let entries = entries.iter().map(|entry| {
        let mut object = Map::new();
        object.insert("breadcrumb".to_owned(), entry.breadcrumb.clone().into());
        object.insert("metadata".to_owned(), entry.metadata.clone().into());
        Value::Object(object)
    });
    Value::Object(Map::from_iter([("entries".to_owned(), entries.collect())]))
}

fn stream_level(metadata: &Map<String, Value>) -> MetadataEntry {
    MetadataEntry {
        breadcrumb: Vec::new(),
        metadata: metadata.clone(),
    }
}

fn chosen(stream: StreamId, choices: &Value) -> Result<Vec<MetadataEntry>, ControlError> {
    let choices: Choices = read(stream, "choices", choices)?;
    Ok(choices.entries)
}

fn read<T: for<'de> Deserialize<'de>>(
    stream: StreamId,
    what: &'static str,
    value: &Value,
) -> Result<T, ControlError> {
    T::deserialize(value).map_err(|source| ControlError::StoredStream {
        stream,
        what,
        source,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn choices_read_back_as_they_were_stored() {
        let text =
            r#"{"entries":[{"breadcrumb":["properties","id"],"metadata":{"selected":true}}]}"#;
        let entries = chosen(StreamId(1), &serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(stored_choices(&entries).to_string(), text);
        assert!(chosen(StreamId(1), &json!({})).unwrap().is_empty());
        assert!(chosen(StreamId(1), &json!({"entries": 1})).is_err());
    }
}
