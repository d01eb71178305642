//! Bodies of `POST /v2/import/batch`: records of one table, with a JSON Schema that each of them must conform to.
//!
//! A body that is accepted is read twice. The first time its root is split, since the messages may come before their schema;
//! the messages are only skipped. The second time each message is checked, and its record against the schema, while the text
//! goes by. Only a refusal costs more: which of several reasons is told follows from their order, not from where they stand.

mod arguments;
mod envelope;
mod outline;
mod strict;
mod violation;

use bytes::Bytes;
use selvedge_json::{Malformed, Scanner, TOO_DEEP};

use crate::record::{Flaw, KeyValue, Keys, MAX_DATA_POINTS, NotFinite, Reader, mend_surrogates};
use crate::schema::{Checker, Schema, Tree, Unfit};
use crate::{Intake, Part, PartHeader, Refusal, Typing};
use arguments::Arguments;
use envelope::{Action, MessageProblem, message};
use outline::Outline;
use violation::Violation;

/// Messages in one request.
const MAX_MESSAGES: usize = 20_000;
/// Bytes of the schema, which is read into a tree.
const MAX_SCHEMA_BYTES: usize = 4 << 20;

/// Reads the body of a batch, decoded and within the limit of its size.
///
/// # Errors
///
/// The documented answer to what is wrong with it.
pub fn batch(body: Bytes) -> Result<Intake, Refusal> {
    match read(&body) {
        Err(Problem::Flaw(Flaw::LoneSurrogate)) => {
            let mended = mend_surrogates(body);
            read(&mended).map_err(Problem::into_refusal)
        }
        read => read.map_err(Problem::into_refusal),
    }
}

/// Why a body is not taken.
#[derive(Debug)]
enum Problem {
    /// It is no JSON that is read.
    Flaw(Flaw),
    Violation(Violation),
}

impl<T: Into<Flaw>> From<T> for Problem {
    fn from(flaw: T) -> Self {
        Self::Flaw(flaw.into())
    }
}

impl From<Violation> for Problem {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

impl Problem {
    fn into_refusal(self) -> Refusal {
        match self {
            Self::Flaw(Flaw::Malformed(malformed)) if malformed.problem == TOO_DEEP => {
                violation::too_deep()
            }
            Self::Flaw(_) => violation::malformed(),
            Self::Violation(violation) => violation.into_refusal(),
        }
    }
}

fn read(body: &Bytes) -> Result<Intake, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| Malformed {
        problem: "the text is not UTF-8",
        at: error.valid_up_to(),
    })?;
    accept(body, text).map_err(|problem| strict::first_problem(text, problem))
}

fn accept(body: &Bytes, text: &str) -> Result<Intake, Problem> {
    let arguments = Arguments::read(text, &Outline::read(text)?)?;
    if arguments.schema.len() > MAX_SCHEMA_BYTES {
        return Err(Violation::long_schema().into());
    }
    let tree = Tree::parse(arguments.schema)?;
    arguments.check(&tree)?;
    let schema = Schema::compile(&tree).map_err(|invalid| Violation::invalid_schema(&invalid.0))?;
    let (record_count, activates) = messages(&arguments, &schema)?;
    let mut schema_text = String::new();
    Scanner::new(arguments.schema).copy_value(0, &mut schema_text)?;
    // Without the brackets.
    let start = arguments.messages_at + 1;
    let end = arguments.messages_at + arguments.messages.len() - 1;
    let table_version = arguments.table_version()?;
    Ok(Intake {
        parts: vec![Part {
            header: PartHeader {
                table_version,
                table_name: arguments.table_name,
                key_names: arguments.key_names,
                bookmark_names: arguments.bookmark_names,
                typing: Typing::Schema(schema_text),
            },
            messages: body.slice(start..end),
            record_count,
            // Without a version there is none to activate.
            activates: activates && table_version.is_some(),
        }],
        dropped_count: 0,
    })
}

/// Checks the messages: how many records they bring, and whether one of them activates the table's version.
fn messages(arguments: &Arguments<'_>, schema: &Schema) -> Result<(u32, bool), Problem> {
    let mut scanner = Scanner::new(arguments.messages);
    scanner.expect(b'[', "an array was expected")?;
    let mut checker = Checker::new(schema, &arguments.key_names, arguments.messages.len());
    let (mut record_count, mut activates) = (0, false);
    let mut index = 0;
    while scanner.another(index == 0, b']')? {
        if index == MAX_MESSAGES {
            return Err(Violation::too_many_messages(index + 1).into());
        }
        let mut record_at = 0;
        let action = message(&mut scanner, |scanner| {
            record_at = scanner.position();
            checker.record(scanner)
        });
        match action {
            Ok(Action::Upsert) => record_count += 1,
            Ok(Action::ActivateVersion) => activates = true,
            Err(MessageProblem::Flaw(flaw)) => return Err(flaw.into()),
            Err(MessageProblem::Violation(violation)) => {
                return Err(Violation::message(index, &violation).into());
            }
            Err(MessageProblem::Record(unfit)) => {
                let record = arguments.messages.get(record_at..).unwrap_or_default();
                return Err(explain(record, index, unfit, arguments, schema));
            }
        }
        index += 1;
    }
    scanner.end()?;
    match index {
        0 => Err(Violation::no_messages().into()),
        _ => Ok((record_count, activates)),
    }
}

/// What is wrong with the record that `text` begins with: its key, then its size, then what the schema says.
fn explain(
    text: &str,
    index: usize,
    unfit: Unfit,
    arguments: &Arguments<'_>,
    schema: &Schema,
) -> Problem {
    match unfit {
        Unfit::Flaw(flaw) => flaw.into(),
        Unfit::Exhausted => Violation::exhausted().into(),
        Unfit::Mismatch(_) | Unfit::Unkept => {
            let mut keys = Keys::new(&arguments.key_names);
            let mut reader = Reader::new(NotFinite::Null);
            let facts = match reader.record(&mut Scanner::new(text), &mut keys) {
                Ok(facts) => facts,
                Err(flaw) => return flaw.into(),
            };
            for (key, value) in keys.iter() {
                match value {
                    KeyValue::Absent | KeyValue::Null => return Violation::missing_key(key).into(),
                    KeyValue::TooLong => return Violation::long_key().into(),
                    KeyValue::Present => {}
                }
            }
            if facts.data_points > MAX_DATA_POINTS {
                return Violation::too_many_data_points(index).into();
            }
            // As much effort as was left to the one that found the record.
            let length = arguments.messages.len();
            let checker = Checker::new(schema, &arguments.key_names, length);
            match checker.explaining().record(&mut Scanner::new(text)) {
                Err(Unfit::Exhausted) => Violation::exhausted().into(),
                Err(Unfit::Mismatch(mismatch)) => Violation::nonconforming(index, mismatch).into(),
                _ => Violation::nonconforming(index, None).into(),
            }
        }
    }
}
