//! Which of the things that are wrong with a body is told.
//!
//! Everything is looked for again, kind by kind, in the documented order: whether the body is JSON, its arguments, the number of
//! messages, what the arguments say, the messages, the schema, and the records in their order.

use selvedge_json::Scanner;

use super::arguments::Arguments;
use super::envelope::{MessageProblem, message};
use super::outline::{self, Outline};
use super::violation::Violation;
use super::{MAX_MESSAGES, Problem, compile, message_problem, parse_schema};
use crate::record::{
    Facts, Flaw, KeyValue, Keys, MAX_DATA_POINTS, NotFinite, REPEATED_MEMBER, Reader,
};
use crate::schema::{Checker, Schema};

/// The first thing that is wrong with a body.
pub(super) fn problem(text: &str) -> Result<(), Problem> {
    well_formed(text)?;
    let outline = Outline::read(text, |scanner, _| outline::skip(text, scanner))?;
    let arguments = Arguments::read(text, &outline)?;
    match count(arguments.messages)? {
        0 => return Err(Violation::no_messages().into()),
        1..=MAX_MESSAGES => {}
        count => return Err(Violation::too_many_messages(count).into()),
    }
    let tree = parse_schema(arguments.schema)?;
    arguments.check(&tree)?;
    messages(arguments.messages)?;
    records(&arguments, &compile(&tree)?)
}

/// Whether the whole body is JSON without repeated members; words that are no numbers may stand in records.
fn well_formed(text: &str) -> Result<(), Flaw> {
    let mut scanner = Scanner::new(text);
    let mut reader = Reader::new(NotFinite::Malformed);
    members(&mut scanner, &mut reader, |name, scanner, reader| {
        if name != "messages" || scanner.peek() != b'[' {
            return reader.value(scanner, 0);
        }
        scanner.skip_byte();
        let mut first = true;
        while scanner.another(first, b']')? {
            first = false;
            members(scanner, reader, |name, scanner, reader| {
                reader.not_finite = match name {
                    "data" => NotFinite::Null,
                    _ => NotFinite::Malformed,
                };
                let read = reader.value(scanner, 0);
                reader.not_finite = NotFinite::Malformed;
                read
            })?;
        }
        Ok(())
    })?;
    Ok(scanner.end()?)
}

/// Reads over a value; if it is an object, `member` reads over the values of its members.
fn members<'a>(
    scanner: &mut Scanner<'a>,
    reader: &mut Reader<'a>,
    mut member: impl FnMut(&str, &mut Scanner<'a>, &mut Reader<'a>) -> Result<(), Flaw>,
) -> Result<(), Flaw> {
    if scanner.peek() != b'{' {
        return reader.value(scanner, 0);
    }
    scanner.skip_byte();
    let mut object = reader.members.open();
    let mut first = true;
    while scanner.another(first, b'}')? {
        first = false;
        let name = reader.name(scanner)?;
        if !reader.members.add(&mut object, name.clone()) {
            return Err(scanner.malformed(REPEATED_MEMBER).into());
        }
        member(&name, scanner, reader)?;
    }
    reader.members.close(object);
    Ok(())
}

/// Number of messages.
fn count(messages: &str) -> Result<usize, Flaw> {
    let mut scanner = Scanner::new(messages);
    scanner.expect(b'[', "an array was expected")?;
    let mut reader = Reader::new(NotFinite::Null);
    let mut count = 0;
    while scanner.another(count == 0, b']')? {
        count += 1;
        members(&mut scanner, &mut reader, |_, scanner, reader| {
            reader.value(scanner, 0)
        })?;
    }
    Ok(count)
}

/// Whether the messages are as documented, their records apart.
fn messages(messages: &str) -> Result<(), Problem> {
    let mut scanner = Scanner::new(messages);
    scanner.expect(b'[', "an array was expected")?;
    let mut index = 0;
    while scanner.another(index == 0, b']')? {
        let read = message(&mut scanner, |scanner| scanner.skip_value(0));
        match read {
            Ok(_) => index += 1,
            Err(MessageProblem::Flaw(flaw)) => return Err(flaw.into()),
            Err(MessageProblem::Record(malformed)) => return Err(malformed.into()),
            Err(MessageProblem::Violation(violation)) => {
                return Err(Violation::message(index, &violation).into());
            }
        }
    }
    Ok(())
}

/// The first thing that is wrong with a record: its key, then its size, then what the schema says.
pub(super) fn records(arguments: &Arguments<'_>, schema: &Schema) -> Result<(), Problem> {
    let mut scanner = Scanner::new(arguments.messages);
    let mut checker = Checker::new(schema, arguments.messages.len()).explaining();
    let mut reader = Reader::new(NotFinite::Null);
    let mut keys = Keys::new(&arguments.key_names);
    scanner.expect(b'[', "an array was expected")?;
    let mut index = 0;
    while scanner.another(index == 0, b']')? {
        let mut kept = Ok(());
        let read = message(&mut scanner, |scanner| {
            let facts = reader.record(&mut scanner.clone(), &mut keys);
            kept = facts
                .map_err(Problem::from)
                .and_then(|facts| keeps(&keys, facts, index));
            checker.record(scanner)
        });
        kept?;
        read.map_err(|problem| message_problem(problem, index))?;
        index += 1;
    }
    Ok(())
}

/// Whether a record has its key and is not too large.
fn keeps(keys: &Keys<'_>, facts: Facts, index: usize) -> Result<(), Problem> {
    for (key, value) in keys.iter() {
        match value {
            KeyValue::Absent | KeyValue::Null => return Err(Violation::missing_key(key).into()),
            KeyValue::TooLong => return Err(Violation::long_key().into()),
            KeyValue::Present => {}
        }
    }
    match facts.data_points > MAX_DATA_POINTS {
        true => Err(Violation::too_many_data_points(index).into()),
        false => Ok(()),
    }
}
