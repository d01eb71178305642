//! The rules of a metadata update: what may be sent, and which of several mistakes is named.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

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
        for (id, entries) in self.by_stream() {
            let Some(metadata) = known.get_mut(id) else {
                continue;
            };
            for (breadcrumb, changes) in by_breadcrumb(entries) {
                metadata.choose(breadcrumb, &changes);
            }
            touched.push(id.to_owned());
        }
        Ok(touched)
    }

    /// One pass per rule, so that the rule decides which mistake is named and not its place in the body.
    fn check(&self, known: &HashMap<String, StreamMetadata>) -> Result<(), ControlError> {
        let unknown = distinct(self.0.iter().filter_map(|stream| {
            let id = &stream.tap_stream_id;
            let known = id.as_ref().is_some_and(|id| known.contains_key(id));
            (!known).then_some(id)
        }));
        if !unknown.is_empty() {
            let unknown = unknown.into_iter().cloned().collect();
            return Err(ControlError::UnknownTapStreams(unknown));
        }

        let listed: HashMap<&str, _> = known
            .iter()
            .map(|(id, metadata)| (id.as_str(), metadata.listed()))
            .collect();
        let mut selects_unsupported = false;
        for (id, entries) in self.named() {
            for entry in entries {
                let Some(inclusion) = listed[id].get(&entry.breadcrumb[..]) else {
                    return Err(ControlError::UnknownBreadcrumb(entry.breadcrumb.clone()));
                };
                selects_unsupported |= *inclusion == Inclusion::Unsupported
                    && entry.metadata.get("selected") == Some(&Value::Bool(true));
            }
        }

        let values = || {
            self.0
                .iter()
                .flat_map(|stream| &stream.entries)
                .flat_map(|entry| &entry.metadata)
        };
        let read_only = distinct(values().map(|(key, _)| key).filter(|key| !settable(key)));
        if !read_only.is_empty() {
            let read_only = read_only.into_iter().cloned().collect();
            return Err(ControlError::ReadOnlyMetadata(read_only));
        }
        if let Some((key, _)) = values().find(|(key, value)| !well_typed(key, value)) {
            return Err(ControlError::InvalidMetadataValue(key.clone()));
        }

        if selects_unsupported {
            return Err(ControlError::UnsupportedFieldSelected);
        }
        Ok(())
    }

    /// What was sent for each stream that is named, in the order in which they are named first.
    fn by_stream(&self) -> Vec<(&str, Vec<&MetadataEntry>)> {
        let mut found: Vec<(&str, Vec<&MetadataEntry>)> = Vec::new();
        let mut places = HashMap::new();
        for (id, entries) in self.named() {
            let place = *places.entry(id).or_insert_with(|| {
                found.push((id, Vec::new()));
                found.len() - 1
            });
            found[place].1.extend(entries);
        }
        found
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

/// One change for each breadcrumb: of several values of a key the last one counts.
fn by_breadcrumb(entries: Vec<&MetadataEntry>) -> Vec<(&[String], Map<String, Value>)> {
    let mut found: Vec<(&[String], Map<String, Value>)> = Vec::new();
    let mut places = HashMap::new();
    for MetadataEntry {
        breadcrumb,
        metadata,
    } in entries
    {
        let place = *places.entry(breadcrumb).or_insert_with(|| {
            found.push((breadcrumb, Map::new()));
            found.len() - 1
        });
        found[place].1.extend(metadata.clone());
    }
    found
}

/// Each item once, in the order in which they come first. A body has room for a million of them.
fn distinct<T: Copy + Eq + Hash>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.filter(|item| seen.insert(*item)).collect()
}

#[cfg(test)]
mod tests;
