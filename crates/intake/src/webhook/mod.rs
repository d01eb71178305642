//! Bodies of incoming webhooks: an object is a record, an array of objects one for each.
//!
//! What senders post is not refused for its contents, but for what no record may have. Records without their key are dropped
//! and counted.

mod kind;
mod rename;
#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};
use selvedge_json::Scanner;

use crate::push::{MAX_RECORDS, TOO_MANY_RECORDS, malformed, unexpected};
use crate::record::{Flaw, KeyValue, Keys, MAX_DATA_POINTS, NotFinite, Reader, mend_surrogates};
use crate::{Intake, Part, PartHeader, Refusal, Typing};
pub use kind::WebhookKind;

const OBJECTS_EXPECTED: &str = "An object or an array of objects is expected";
const TOO_MANY_DATA_POINTS: &str = "A record cannot contain more than 10000 data points";
const KEY_TOO_LONG: &str = "String keys cannot be longer than 1024 characters";

/// Takes a body that was posted to a source of this kind. Records get the sequences from `first_sequence` on, dropped ones as
/// well: [`Intake::record_count`] and [`Intake::dropped_count`] together have been used.
///
/// # Errors
/// The documented answer to a body that is not taken.
pub fn webhook(body: Bytes, kind: &WebhookKind, first_sequence: i64) -> Result<Intake, Refusal> {
    let take = |body: &Bytes| -> Result<Result<Intake, Refusal>, Flaw> {
        match selvedge_json::utf8(body) {
            Ok(text) => Taking::new(kind, first_sequence).take(text),
            Err(encoding) => Ok(Err(malformed(encoding))),
        }
    };
    let taken = match take(&body) {
        Err(Flaw::LoneSurrogate) => take(&mend_surrogates(body)),
        taken => taken,
    };
    taken.map_err(malformed)?
}

/// A body on its way into parts.
#[derive(Debug)]
struct Taking<'k> {
    kind: &'k WebhookKind,
    key_names: Vec<String>,
    next_sequence: i64,
    /// By table, in the order of their first records.
    parts: Vec<(&'static str, BytesMut, u32)>,
    dropped_count: u32,
    /// What a record has that none may have.
    excess: Option<&'static str>,
}

impl<'k> Taking<'k> {
    fn new(kind: &'k WebhookKind, first_sequence: i64) -> Self {
        Self {
            kind,
            key_names: kind.key_names(),
            next_sequence: first_sequence,
            parts: Vec::new(),
            dropped_count: 0,
            excess: None,
        }
    }

    fn take(mut self, text: &str) -> Result<Result<Intake, Refusal>, Flaw> {
        let mut scanner = Scanner::new(text);
        let mut reader = Reader::new(NotFinite::Malformed);
        let mut record_count = 0;
        let mut others = false;
        match scanner.peek() {
            b'{' => {
                record_count = 1;
                self.record(text, &mut scanner, &mut reader)?;
            }
            b'[' => {
                scanner.skip_byte();
                while scanner.another(record_count == 0, b']')? {
                    record_count += 1;
                    if scanner.peek() == b'{' && record_count <= MAX_RECORDS {
                        self.record(text, &mut scanner, &mut reader)?;
                    } else {
                        others |= scanner.peek() != b'{';
                        reader.value(&mut scanner, 0)?;
                    }
                }
            }
            _ => reader.value(&mut scanner, 0)?,
        }
        scanner.end()?;
        if others || record_count == 0 {
            return Ok(Err(unexpected(OBJECTS_EXPECTED)));
        }
        if record_count > MAX_RECORDS {
            return Ok(Err(unexpected(TOO_MANY_RECORDS)));
        }
        Ok(match self.excess {
            Some(excess) => Err(unexpected(excess)),
            None => Ok(self.into_intake()),
        })
    }

    /// The record that begins here.
    fn record<'a>(
        &mut self,
        text: &'a str,
        scanner: &mut Scanner<'a>,
        reader: &mut Reader<'a>,
    ) -> Result<(), Flaw> {
        let start = scanner.position();
        let mut keys = Keys::new(&self.key_names);
        let facts = reader.record(scanner, &mut keys)?;
        if facts.data_points > MAX_DATA_POINTS {
            self.excess = Some(TOO_MANY_DATA_POINTS);
        }
        let text = &text[start..scanner.position()];
        let record = self.kind.record(text)?;
        if let Some(renamed) = &record.renamed {
            let mut reader = Reader::new(NotFinite::Malformed);
            reader.record(&mut Scanner::new(renamed), &mut keys)?;
        }
        if keys.iter().any(|(_, value)| value == KeyValue::TooLong) {
            self.excess = Some(KEY_TOO_LONG);
        }
        let kept = keys.are_good();
        let sequence = self.next_sequence;
        self.next_sequence = sequence.saturating_add(1);
        match kept {
            true => self.keep(
                record.table_name,
                sequence,
                record.renamed.as_deref().unwrap_or(text),
            ),
            false => self.dropped_count += 1,
        }
        Ok(())
    }

    fn keep(&mut self, table_name: &'static str, sequence: i64, data: &str) {
        let known = self.parts.iter().position(|part| part.0 == table_name);
        let index = known.unwrap_or_else(|| {
            self.parts.push((table_name, BytesMut::new(), 0));
            self.parts.len() - 1
        });
        let (_, messages, record_count) = &mut self.parts[index];
        for piece in [
            "{\"action\":\"upsert\",\"sequence\":",
            &sequence.to_string(),
            ",\"data\":",
            data,
            "}\n",
        ] {
            messages.extend_from_slice(piece.as_bytes());
        }
        *record_count += 1;
    }

    fn into_intake(self) -> Intake {
        let key_names = self.key_names;
        let part = |(table_name, messages, record_count): (&str, BytesMut, u32)| Part {
            header: PartHeader {
                table_name: table_name.to_owned(),
                key_names: key_names.clone(),
                table_version: None,
                bookmark_names: Vec::new(),
                typing: Typing::Value,
            },
            messages: messages.freeze(),
            record_count,
            activates: false,
        };
        Intake {
            parts: self.parts.into_iter().map(part).collect(),
            dropped_count: self.dropped_count,
        }
    }
}
