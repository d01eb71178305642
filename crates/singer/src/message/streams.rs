//! The streams that a tap has described so far.

use std::collections::HashMap;
use std::sync::Arc;

use selvedge_connector::TapSchema;
use selvedge_intake::RecordSchema;
use serde_json::Value;

use super::envelope::Envelope;

/// What is known of one stream.
#[derive(Debug)]
struct Stream {
    name: Arc<str>,
    /// The SCHEMA message that holds, as it was written: taps repeat it.
    written: Written,
    /// `None` when it cannot be held against records.
    rules: Option<RecordSchema>,
    /// Records since the schema.
    record_count: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct Written {
    schema: String,
    key_properties: String,
}

/// All of them, by number.
#[derive(Debug, Default)]
pub(super) struct Streams {
    all: Vec<Stream>,
    by_name: HashMap<Arc<str>, u32>,
    /// The one that was asked for last: most likely the next record is its.
    last: u32,
}

/// What a SCHEMA message brings.
pub(super) enum Described {
    /// What it said before.
    Known,
    New {
        schema: TapSchema,
        /// Why its records are not held against it.
        unchecked: Option<String>,
    },
}

impl Streams {
    #[inline]
    pub(super) fn find(&mut self, name: &str) -> Option<u32> {
        if let Some(stream) = self.all.get(self.last as usize)
            && *stream.name == *name
        {
            return Some(self.last);
        }
        let found = self.by_name.get(name).copied()?;
        self.last = found;
        Some(found)
    }

    pub(super) fn name(&self, index: u32) -> Arc<str> {
        Arc::clone(&self.all[index as usize].name)
    }

    pub(super) fn rules(&mut self, index: u32) -> Option<&mut RecordSchema> {
        self.all[index as usize].rules.as_mut()
    }

    /// The number of the next record of a stream since its schema, from 0.
    pub(super) fn count_record(&mut self, index: u32) -> u64 {
        let stream = &mut self.all[index as usize];
        stream.record_count += 1;
        stream.record_count - 1
    }

    /// Takes a SCHEMA message.
    ///
    /// # Errors
    /// It is not one that the contract allows; a sentence.
    pub(super) fn describe(&mut self, envelope: &Envelope<'_>) -> Result<Described, String> {
        let name = envelope.stream.as_deref();
        let name = name.ok_or("a SCHEMA message names no stream")?;
        let text = envelope
            .schema
            .ok_or_else(|| format!("the SCHEMA message of {name} has no schema"))?;
        let key_text = envelope
            .key_properties
            .ok_or_else(|| format!("the SCHEMA message of {name} has no key_properties"))?;
        let written = Written {
            schema: text.to_owned(),
            key_properties: key_text.to_owned(),
        };
        let found = self.find(name);
        if let Some(index) = found
            && self.all[index as usize].written == written
        {
            return Ok(Described::Known);
        }
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| format!("the schema of {name} cannot be read: {error}"))?;
        if !schema.is_object() {
            return Err(format!("the schema of {name} is no object"));
        }
        let key_properties = names(key_text)
            .ok_or_else(|| format!("the key_properties of {name} are no list of names"))?;
        let bookmark_properties = envelope.bookmark_properties.and_then(names);
        let (rules, unchecked) = match RecordSchema::compile(text) {
            Ok(rules) => (Some(rules), None),
            Err(why) => (None, Some(why)),
        };
        let stream = Stream {
            name: Arc::from(name),
            written,
            rules,
            record_count: 0,
        };
        let described = TapSchema {
            stream: Arc::clone(&stream.name),
            schema: Arc::new(schema),
            key_properties,
            bookmark_properties: bookmark_properties.unwrap_or_default(),
        };
        match found {
            Some(index) => self.all[index as usize] = stream,
            None => {
                let index = u32::try_from(self.all.len()).map_err(|_| "too many streams")?;
                self.by_name.insert(Arc::clone(&stream.name), index);
                self.all.push(stream);
            }
        }
        Ok(Described::New {
            schema: described,
            unchecked,
        })
    }
}

/// A list of names; null is an empty one, a name alone a list of itself.
fn names(text: &str) -> Option<Vec<String>> {
    match serde_json::from_str(text).ok()? {
        Value::Null => Some(Vec::new()),
        Value::String(name) => Some(vec![name]),
        Value::Array(names) => names
            .into_iter()
            .map(|name| match name {
                Value::String(name) => Some(name),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}
