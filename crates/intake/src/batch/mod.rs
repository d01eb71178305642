//! Bodies of `POST /v2/import/batch`: records of one table, with a JSON Schema that each of them must conform to.
//!
//! A body that is accepted is read once: each message is checked, and its record against the schema, while the text goes by.
//! Messages that come before their schema are skipped first. The names of the key may come last, so it is noted which properties
//! could be part of a key in all records. Only a refusal costs more: which of several reasons is told follows from their order, not
//! from where they stand (`strict`).

mod arguments;
mod envelope;
mod outline;
mod strict;
mod violation;

use bytes::Bytes;
use selvedge_json::{Malformed, Scanner, TOO_DEEP};

use crate::record::{Flaw, mend_surrogates};
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
    let text = selvedge_json::utf8(body).map_err(|error| Malformed {
        problem: "the text is not UTF-8",
        at: error.valid_up_to(),
    })?;
    // Whoever accepts stops at anything that is wrong; what is told is what is to be told first.
    accept(body, text).map_err(|found| strict::problem(text).err().unwrap_or(found))
}

fn accept(body: &Bytes, text: &str) -> Result<Intake, Problem> {
    let mut checked = None;
    let outline = Outline::read(text, |scanner, schema| match schema {
        Some(place) => {
            checked = Some(check(text.get(place).unwrap_or_default(), scanner)?);
            Ok(())
        }
        None => outline::skip(text, scanner),
    })?;
    let arguments = Arguments::read(text, &outline)?;
    let checked = match checked {
        Some(checked) => checked,
        None => {
            let mut scanner = Scanner::new(arguments.messages);
            let checked = check(arguments.schema, &mut scanner)?;
            scanner.end()?;
            checked
        }
    };
    arguments.check(&checked.tree)?;
    let keyed = checked
        .schema
        .all_keyable(&arguments.key_names, &checked.keyable);
    if !keyed {
        strict::records(&arguments, &checked.schema)?;
    }
    let mut schema = String::new();
    Scanner::new(arguments.schema).copy_value(0, &mut schema)?;
    let table_version = arguments.table_version()?;
    // Without the brackets.
    let start = arguments.messages_at + 1;
    let end = arguments.messages_at + arguments.messages.len() - 1;
    Ok(Intake {
        parts: vec![Part {
            header: PartHeader {
                table_version,
                table_name: arguments.table_name,
                key_names: arguments.key_names,
                bookmark_names: arguments.bookmark_names,
                typing: Typing::Schema(schema),
            },
            messages: body.slice(start..end),
            record_count: checked.record_count,
            // Without a version there is none to activate.
            activates: checked.activates && table_version.is_some(),
        }],
        dropped_count: 0,
    })
}

/// What is known of the messages when they have been read over.
struct Checked<'a> {
    tree: Tree<'a>,
    schema: Schema,
    /// Of [`Checker::into_keyable`].
    keyable: Vec<u64>,
    record_count: u32,
    activates: bool,
}

/// Checks the array of messages that begins here, and their records against the schema.
fn check<'a>(schema_text: &'a str, scanner: &mut Scanner<'a>) -> Result<Checked<'a>, Problem> {
    let tree = parse_schema(schema_text)?;
    let schema = compile(&tree)?;
    let mut checker = Checker::new(&schema, scanner.remaining());
    let (mut record_count, mut activates) = (0, false);
    let mut index = 0;
    scanner.expect(b'[', "an array was expected")?;
    while scanner.another(index == 0, b']')? {
        if index == MAX_MESSAGES {
            return Err(Violation::too_many_messages(index + 1).into());
        }
        match message(scanner, |scanner| checker.record(scanner)) {
            Ok(Action::Upsert) => record_count += 1,
            Ok(Action::ActivateVersion) => activates = true,
            Err(problem) => return Err(message_problem(problem, index)),
        }
        index += 1;
    }
    if index == 0 {
        return Err(Violation::no_messages().into());
    }
    let keyable = checker.into_keyable();
    Ok(Checked {
        tree,
        schema,
        keyable,
        record_count,
        activates,
    })
}

fn parse_schema(text: &str) -> Result<Tree<'_>, Problem> {
    match text.len() > MAX_SCHEMA_BYTES {
        true => Err(Violation::long_schema().into()),
        false => Ok(Tree::parse(text)?),
    }
}

fn compile(tree: &Tree<'_>) -> Result<Schema, Problem> {
    Schema::compile(tree).map_err(|invalid| Violation::invalid_schema(&invalid.0).into())
}

/// What is wrong with a message or its record.
fn message_problem(problem: MessageProblem<Unfit>, index: usize) -> Problem {
    match problem {
        MessageProblem::Flaw(flaw) | MessageProblem::Record(Unfit::Flaw(flaw)) => flaw.into(),
        MessageProblem::Violation(violation) => Violation::message(index, &violation).into(),
        MessageProblem::Record(Unfit::Exhausted) => Violation::exhausted().into(),
        MessageProblem::Record(Unfit::TooLarge) => Violation::too_many_data_points(index).into(),
        MessageProblem::Record(Unfit::Mismatch(mismatch)) => {
            Violation::nonconforming(index, mismatch).into()
        }
    }
}
