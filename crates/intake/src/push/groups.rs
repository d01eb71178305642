//! Records on their way into parts: those that share table, keys and table version.

use std::collections::HashMap;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::envelope::Good;
use super::keys::{KeySetId, KeySets};
use super::text::Strings;
use crate::{Intake, Part, PartHeader, Typing};

/// Records that will be one part.
#[derive(Debug)]
struct Group {
    table_name: String,
    key_set: KeySetId,
    table_version: Option<i64>,
    /// Where the records stand in the body: neighbours are one range, with what is between them.
    ranges: Vec<Range<usize>>,
    record_count: u32,
    /// Number of the last record.
    last: usize,
}

/// All parts of a request. A part gets no record that came behind the first one of a later part of its table: records of a
/// table stay in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    /// The group that records of a table go into, once there are several.
    current: HashMap<String, usize>,
    /// The group of the last record, where the next one mostly goes as well.
    last: usize,
}

impl Groups {
    /// Takes record number `record`, which stands at `range` of the body.
    pub(super) fn push(&mut self, record: usize, range: Range<usize>, good: Good<'_>) {
        let Good {
            table_name,
            key_set,
            table_version,
        } = good;
        let current = match self.groups.get(self.last) {
            Some(last) if last.table_name == table_name => Some(self.last),
            _ => self.current.get(table_name.as_ref()).copied(),
        };
        let current = current.filter(|current| {
            let group = &self.groups[*current];
            group.key_set == key_set && group.table_version == table_version
        });
        self.last = match current {
            Some(current) => current,
            None => {
                let index = self.groups.len();
                let table_name = table_name.into_owned();
                if let [only] = &*self.groups {
                    self.current.insert(only.table_name.clone(), 0);
                }
                if index > 0 {
                    self.current.insert(table_name.clone(), index);
                }
                self.groups.push(Group {
                    table_name,
                    key_set,
                    table_version,
                    ranges: Vec::new(),
                    record_count: 0,
                    last: 0,
                });
                index
            }
        };
        let group = &mut self.groups[self.last];
        match group.ranges.last_mut() {
            Some(neighbour) if group.last + 1 == record => neighbour.end = range.end,
            _ => group.ranges.push(range),
        }
        group.last = record;
        group.record_count += 1;
    }

    /// The parts, in the order of their first records. Records that stand apart in `body` are copied together.
    pub(super) fn into_intake(
        self,
        body: &Bytes,
        key_sets: &KeySets<'_>,
        strings: Strings,
    ) -> Intake {
        let typing = match strings {
            Strings::Plain => Typing::Value,
            Strings::Tagged => Typing::Tag,
        };
        let part = |group: Group| Part {
            messages: messages(body, &group.ranges),
            header: PartHeader {
                table_name: group.table_name,
                key_names: key_sets.names(group.key_set).to_vec(),
                table_version: group.table_version,
                bookmark_names: Vec::new(),
                typing: typing.clone(),
            },
            record_count: group.record_count,
            activates: false,
        };
        Intake {
            parts: self.groups.into_iter().map(part).collect(),
            dropped_count: 0,
        }
    }
}

fn messages(body: &Bytes, ranges: &[Range<usize>]) -> Bytes {
    if let [only] = ranges {
        return body.slice(only.clone());
    }
    let size: usize = ranges.iter().map(|range| range.len() + 1).sum();
    let mut messages = BytesMut::with_capacity(size);
    for range in ranges {
        messages.extend_from_slice(&body[range.clone()]);
        messages.extend_from_slice(b",");
    }
    messages.freeze()
}
