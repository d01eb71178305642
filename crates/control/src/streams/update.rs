//! The rules of a metadata update: what may be sent, and which of several mistakes is named.

use std::collections::HashMap;

use selvedge_types::stream::{Inclusion, ReplicationMethod};
use serde_json::{Map, Value};

use super::metadata::{MetadataEntry, SETTABLE_KEYS, StreamMetadata};
use crate::ControlError;

/// A metadata update as it was sent; its parts have the right JSON types, nothing else is sure.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataUpdate(Vec<StreamUpdate>);

#[derive(Clone, Debug, PartialEq)]
struct StreamUpdate {
    /// `None` when it was left out or null.
    tap_stream_id: Option<String>,
    entries: Vec<MetadataEntry>,
}

impl MetadataUpdate {
    /// Reads the body, `None` when it is no JSON object.
    pub fn from_body(body: Option<&Map<String, Value>>) -> Result<Self, ControlError> {
        fn stream(value: &Value) -> Option<StreamUpdate> {
            let stream = value.as_object()?;
            let entries = stream.get("metadata")?.as_array()?;
            Some(StreamUpdate {
                tap_stream_id: match stream.get("tap_stream_id") {
                    None | Some(Value::Null) => None,
                    Some(Value::String(id)) => Some(id.clone()),
                    Some(other) => Some(other.to_string()),
                },
                entries: entries.iter().map(entry).collect::<Option<_>>()?,
            })
        }
        fn entry(value: &Value) -> Option<MetadataEntry> {
            let entry = value.as_object()?;
            let breadcrumb = entry.get("breadcrumb")?.as_array()?;
            Some(MetadataEntry {
                breadcrumb: breadcrumb
                    .iter()
                    .map(|part| part.as_str().map(str::to_owned))
                    .collect::<Option<_>>()?,
                metadata: entry.get("metadata")?.as_object()?.clone(),
            })
        }
        let streams = || body?.get("streams")?.as_array();
        streams()
            .and_then(|streams| streams.iter().map(stream).collect::<Option<_>>())
            .map(Self)
            .ok_or(ControlError::MalformedMetadata)
    }

    /// The streams that are named, as often as they are.
    pub(super) fn tap_stream_ids(&self) -> impl Iterator<Item = &str> {
        self.named().map(|(id, _)| id)
    }

    /// Applies the update to `known` (by `tap_stream_id`), all of it or, on the first broken rule, nothing. Answers the
    /// ids of the streams that were named, each once.
    pub(super) fn apply(
        &self,
        known: &mut HashMap<String, StreamMetadata>,
    ) -> Result<Vec<String>, ControlError> {
        self.check(known)?;
        let mut touched = Vec::new();
        for (id, entries) in self.named() {
            let Some(metadata) = known.get_mut(id) else {
                continue;
            };
            for entry in entries {
                metadata.choose(&entry.breadcrumb, &entry.metadata);
            }
            push_once(&mut touched, id.to_owned());
        }
        Ok(touched)
    }

    /// One pass per rule, so that the rule decides which mistake is named and not its place in the body.
    fn check(&self, known: &HashMap<String, StreamMetadata>) -> Result<(), ControlError> {
        let mut unknown = Vec::new();
        for stream in &self.0 {
            match &stream.tap_stream_id {
                Some(id) if known.contains_key(id) => {}
                other => push_once(&mut unknown, other.clone()),
            }
        }
        if !unknown.is_empty() {
            return Err(ControlError::UnknownTapStreams(unknown));
        }

        let of_known = || {
            self.named()
                .filter_map(|(id, entries)| Some((known.get(id)?, entries)))
        };
        for (metadata, entries) in of_known() {
            if let Some(entry) = entries
                .iter()
                .find(|entry| !metadata.lists(&entry.breadcrumb))
            {
                return Err(ControlError::UnknownBreadcrumb(entry.breadcrumb.clone()));
            }
        }

        let values = || {
            self.0
                .iter()
                .flat_map(|stream| &stream.entries)
                .flat_map(|entry| &entry.metadata)
        };
        let mut read_only = Vec::new();
        for (key, _) in values().filter(|(key, _)| !settable(key)) {
            push_once(&mut read_only, key.clone());
        }
        if !read_only.is_empty() {
            return Err(ControlError::ReadOnlyMetadata(read_only));
        }
        if let Some((key, _)) = values().find(|(key, value)| !well_typed(key, value)) {
            return Err(ControlError::InvalidMetadataValue(key.clone()));
        }

        let selects_unsupported = |metadata: &StreamMetadata, entry: &MetadataEntry| {
            entry.metadata.get("selected") == Some(&Value::Bool(true))
                && metadata.inclusion(&entry.breadcrumb) == Inclusion::Unsupported
        };
        if of_known().any(|(metadata, entries)| {
            entries
                .iter()
                .any(|entry| selects_unsupported(metadata, entry))
        }) {
            return Err(ControlError::UnsupportedFieldSelected);
        }
        Ok(())
    }

    fn named(&self) -> impl Iterator<Item = (&str, &[MetadataEntry])> {
        self.0
            .iter()
            .filter_map(|stream| Some((stream.tap_stream_id.as_deref()?, &stream.entries[..])))
    }
}

/// Keys of two extractors' own query language are the user's too, though no stream lists them as such.
fn settable(key: &str) -> bool {
    SETTABLE_KEYS.contains(&key)
        || key.starts_with("tap-mongodb.")
        || key == "tap-dynamodb.expression-attributes"
}

fn well_typed(key: &str, value: &Value) -> bool {
    if value.is_null() {
        return true;
    }
    match key {
        "selected" => value.is_boolean(),
        "replication-method" => value
            .as_str()
            .is_some_and(|method| ReplicationMethod::parse(method).is_some()),
        "view-key-properties" => value
            .as_array()
            .is_some_and(|names| names.iter().all(Value::is_string)),
        _ => value.is_string(),
    }
}

fn push_once<T: PartialEq>(items: &mut Vec<T>, item: T) {
    if !items.contains(&item) {
        items.push(item);
    }
}

#[cfg(test)]
mod tests;
