//! One record of a body: its arguments as they came, and what is to be said about them.

use std::borrow::Cow;

use selvedge_json::{Number, RawString, Scalar, Scanner, Usual, literal};
use selvedge_types::AccountId;
use serde_json::Value;

use super::answers::{MAX_ERRORS, Reason};
use super::keys::{BadKeyNames, KeySetId, KeySets};
use super::text::Strings;
use crate::record::{
    Facts, Flaw, KeyValue, Keys, MAX_DATA_POINTS, MAX_KEY_CHARACTERS, NotFinite, Reader,
};

const BLANK: &str = "can't be blank";
const NOT_INTEGER: [&str; 2] = ["should be an integer", "should be a number"];
const KEYS_TOO_LONG: &str = "String keys cannot be longer than 1024 characters";
const TOO_MANY_DATA_POINTS: &str = "data cannot contain more than 10000 data points";

/// An argument as it came.
#[derive(Clone, Copy, Debug, Default)]
enum Argument<'a> {
    #[default]
    Missing,
    Null,
    String(RawString<'a>),
    Number(Number<'a>),
    /// A value of a type that no argument of this kind has.
    Other,
}

impl Argument<'_> {
    fn is_missing(self) -> bool {
        matches!(self, Argument::Missing | Argument::Null)
    }

    fn integer(self) -> Option<i64> {
        match self {
            Argument::Number(number) if number.integer => literal::integer(number.text),
            _ => None,
        }
    }
}

/// The record itself.
#[derive(Clone, Copy, Debug, Default)]
enum Data<'a> {
    #[default]
    Missing,
    Object {
        text: &'a str,
        facts: Facts,
        /// The keys that were looked for, and what was found.
        looked_for: Option<KeySetId>,
        keys: FoundKeys,
    },
    Other,
}

/// What is wrong with the values of a record's key.
#[derive(Clone, Copy, Debug, Default)]
struct FoundKeys {
    absent: bool,
    null: bool,
    too_long: bool,
}

/// Whose a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Nobody,
    Own,
    Foreign,
}

/// A record that can be taken.
#[derive(Debug)]
pub(super) struct Good<'a> {
    pub(super) table_name: Cow<'a, str>,
    pub(super) key_set: KeySetId,
    pub(super) table_version: Option<i64>,
}

/// Reads the records of a body.
#[derive(Debug)]
pub(super) struct Envelopes<'a> {
    text: &'a str,
    strings: Strings,
    reader: Reader<'a>,
    pub(super) key_sets: KeySets<'a>,
}

/// The arguments of one record.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    client_id: Argument<'a>,
    table_name: Argument<'a>,
    sequence: Argument<'a>,
    action: Argument<'a>,
    table_version: Argument<'a>,
    /// Text of the value.
    key_names: Option<&'a str>,
    data: Data<'a>,
    /// The first ones.
    unknown: Vec<Cow<'a, str>>,
}

impl<'a> Envelopes<'a> {
    pub(super) fn new(text: &'a str, strings: Strings) -> Self {
        Self {
            text,
            strings,
            reader: Reader::new(NotFinite::Malformed),
            key_sets: KeySets::new(strings),
        }
    }

    /// Reads over a value that is no record.
    pub(super) fn skip(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Flaw> {
        self.reader.value(scanner, 0)
    }

    /// Reads the record that begins here, with a brace.
    pub(super) fn read(&mut self, scanner: &mut Scanner<'a>) -> Result<Envelope<'a>, Flaw> {
        let mut envelope = Envelope::default();
        scanner.skip_byte();
        let mut object = self.reader.members.open();
        let mut first = true;
        while scanner.another(first, b'}')? {
            first = false;
            let name = self.reader.name(scanner)?;
            self.reader.add_member(scanner, &mut object, name.clone())?;
            let argument = match name.as_ref() {
                "client_id" => &mut envelope.client_id,
                "table_name" => &mut envelope.table_name,
                "sequence" => &mut envelope.sequence,
                "action" => &mut envelope.action,
                "table_version" => &mut envelope.table_version,
                "key_names" => {
                    envelope.key_names = Some(self.value_text(scanner)?);
                    continue;
                }
                "data" => {
                    envelope.data = self.data(scanner, envelope.key_names)?;
                    continue;
                }
                _ => {
                    self.reader.value(scanner, 1)?;
                    if envelope.unknown.len() < MAX_ERRORS {
                        envelope.unknown.push(name);
                    }
                    continue;
                }
            };
            *argument = self.argument(scanner)?;
        }
        self.reader.members.close(object);
        Ok(envelope)
    }

    #[inline(always)]
    fn argument(&mut self, scanner: &mut Scanner<'a>) -> Result<Argument<'a>, Flaw> {
        scanner.peek();
        let start = scanner.position();
        let Some(usual) = scanner.usual() else {
            return self.rare_argument(scanner);
        };
        self.reader.data_points += 1;
        let text = scanner.since(start);
        Ok(match usual {
            Usual::Null => Argument::Null,
            Usual::Boolean => Argument::Other,
            Usual::String => Argument::String(RawString::plain(text)),
            Usual::Integer | Usual::Fraction => Argument::Number(Number {
                text,
                integer: usual == Usual::Integer,
            }),
        })
    }

    #[inline(never)]
    fn rare_argument(&mut self, scanner: &mut Scanner<'a>) -> Result<Argument<'a>, Flaw> {
        Ok(match scanner.peek() {
            b'"' => Argument::String(self.reader.string(scanner)?),
            b'{' | b'[' => {
                self.reader.value(scanner, 1)?;
                Argument::Other
            }
            _ => match self.reader.scalar(scanner)? {
                Scalar::Null => Argument::Null,
                Scalar::Number(number) => Argument::Number(number),
                Scalar::Boolean(_) | Scalar::NotFinite => Argument::Other,
            },
        })
    }

    fn value_text(&mut self, scanner: &mut Scanner<'a>) -> Result<&'a str, Flaw> {
        scanner.peek();
        let start = scanner.position();
        self.reader.value(scanner, 1)?;
        Ok(&self.text[start..scanner.position()])
    }

    /// The keys are looked for on the way: those that were named before, else those of the record before, which mostly are
    /// the same.
    fn data(
        &mut self,
        scanner: &mut Scanner<'a>,
        key_names: Option<&'a str>,
    ) -> Result<Data<'a>, Flaw> {
        match scanner.peek() {
            b'{' => {}
            b'n' => {
                self.reader.value(scanner, 0)?;
                return Ok(Data::Missing);
            }
            _ => {
                self.reader.value(scanner, 0)?;
                return Ok(Data::Other);
            }
        }
        let looked_for = match key_names {
            Some(text) => self.key_sets.find(text).ok(),
            None => self.key_sets.probable(),
        };
        let start = scanner.position();
        let (facts, keys) = self.record(scanner, looked_for)?;
        Ok(Data::Object {
            text: &self.text[start..scanner.position()],
            facts,
            looked_for,
            keys,
        })
    }

    fn record(
        &mut self,
        scanner: &mut Scanner<'a>,
        looked_for: Option<KeySetId>,
    ) -> Result<(Facts, FoundKeys), Flaw> {
        let names = looked_for.map(|id| self.key_sets.names(id));
        let mut keys = Keys::new(names.unwrap_or_default());
        let start = scanner.clone();
        let facts = self.reader.record(scanner, &mut keys)?;
        let mut found = FoundKeys::default();
        if keys.are_good() {
            return Ok((facts, found));
        }
        for (name, value) in keys.iter() {
            match value {
                KeyValue::Absent => found.absent = true,
                KeyValue::Null => found.null = true,
                KeyValue::TooLong => {
                    found.too_long |= self.strings == Strings::Plain
                        || tagged_key_is_too_long(start.clone(), name);
                }
                KeyValue::Present => {}
            }
        }
        Ok((facts, found))
    }

    pub(super) fn client(&self, envelope: &Envelope<'_>, account: AccountId) -> Client {
        match envelope.client_id {
            client_id if client_id.is_missing() => Client::Nobody,
            client_id if client_id.integer() == Some(account.0) => Client::Own,
            _ => Client::Foreign,
        }
    }

    /// The record if it is as it should be, else what is wrong.
    pub(super) fn judge(
        &mut self,
        envelope: Envelope<'a>,
    ) -> Result<Result<Good<'a>, Value>, Flaw> {
        let mut reason = Reason::default();
        let mut table_name = Cow::Borrowed("");
        match envelope.table_name {
            name if name.is_missing() => reason.add("table_name", &[BLANK]),
            name => match self.text(name) {
                None => reason.add("table_name", &["should be a string"]),
                Some(name) if name.trim().is_empty() => reason.add("table_name", &[BLANK]),
                Some(name) => table_name = name,
            },
        }
        match envelope.sequence {
            sequence if sequence.is_missing() => reason.add("sequence", &[BLANK]),
            sequence if sequence.integer().is_none() => reason.add("sequence", &NOT_INTEGER),
            _ => {}
        }
        match envelope.action {
            action if action.is_missing() => reason.add("action", &[BLANK]),
            action if self.text(action).as_deref() != Some("upsert") => {
                reason.add("action", &["should be upsert"]);
            }
            _ => {}
        }
        let key_set = match envelope.key_names.map(|text| self.key_sets.find(text)) {
            Some(Ok(key_set)) => Some(key_set),
            Some(Err(BadKeyNames::NotStrings)) => {
                reason.add("key_names", &["should be an array of strings"]);
                None
            }
            Some(Err(BadKeyNames::TooMany)) => {
                reason.add("key_names", &["too many names"]);
                None
            }
            None | Some(Err(BadKeyNames::Blank)) => {
                reason.add("key_names", &[BLANK]);
                None
            }
        };
        self.judge_data(&envelope.data, key_set, &mut reason)?;
        let table_version = envelope.table_version.integer();
        if table_version.is_none() && !envelope.table_version.is_missing() {
            reason.add("table_version", &NOT_INTEGER);
        }
        for name in envelope.unknown {
            reason.add(&name, &["unknown key"]);
        }
        Ok(match (reason.into_value(), key_set) {
            (None, Some(key_set)) => Ok(Good {
                table_name,
                key_set,
                table_version,
            }),
            (reason, _) => Err(reason.unwrap_or_default()),
        })
    }

    fn judge_data(
        &mut self,
        data: &Data<'a>,
        key_set: Option<KeySetId>,
        reason: &mut Reason,
    ) -> Result<(), Flaw> {
        let (text, facts, looked_for, mut keys) = match *data {
            Data::Missing => {
                reason.add("data", &[BLANK]);
                return Ok(());
            }
            Data::Other => {
                reason.add("data", &["data must be an object"]);
                return Ok(());
            }
            Data::Object {
                text,
                facts,
                looked_for,
                keys,
            } => (text, facts, looked_for, keys),
        };
        if facts.member_count == 0 {
            reason.add("data", &[BLANK]);
            return Ok(());
        }
        if facts.data_points > MAX_DATA_POINTS {
            reason.add("data", &[TOO_MANY_DATA_POINTS]);
        }
        if key_set.is_none() {
            return Ok(());
        }
        if looked_for != key_set {
            // The keys were named behind the data, and they are others than before.
            keys = self.record(&mut Scanner::new(text), key_set)?.1;
        }
        for (wrong, text) in [
            (keys.absent, "data must include keys"),
            (keys.null, "keys cannot not be null in data"),
            (keys.too_long, KEYS_TOO_LONG),
        ] {
            if wrong {
                reason.add("data", &[text]);
            }
        }
        Ok(())
    }

    fn text(&self, argument: Argument<'a>) -> Option<Cow<'a, str>> {
        match argument {
            Argument::String(raw) => self.strings.text(raw),
            _ => None,
        }
    }
}

/// Whether a key is too long without its tag; numbers and instants of any length are no strings.
#[cold]
fn tagged_key_is_too_long(mut record: Scanner<'_>, name: &str) -> bool {
    let mut look = || -> Result<bool, Flaw> {
        record.expect(b'{', "an object was expected")?;
        let mut first = true;
        while record.another(first, b'}')? {
            first = false;
            let found = Strings::Plain.text(record.string()?).as_deref() == Some(name);
            record.expect(b':', "a colon was expected")?;
            if found {
                let text = Strings::Tagged.text(record.string()?);
                return Ok(text.is_some_and(|text| text.chars().count() > MAX_KEY_CHARACTERS));
            }
            record.skip_value(0)?;
        }
        Ok(false)
    };
    // The record was read before.
    look().unwrap_or(false)
}
