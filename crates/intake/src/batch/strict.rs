//! Which of the things that are wrong with a body is told.
//!
//! Whoever accepts a body stops at the first thing that is wrong. Here the whole body is read again, to see whether something
//! is wrong that is to be told earlier, wherever it stands.

use selvedge_json::Scanner;

use super::arguments::Arguments;
use super::envelope::{MessageProblem, message};
use super::outline::Outline;
use super::violation::{Stage, Violation};
use super::{MAX_MESSAGES, Problem};
use crate::record::{Flaw, NotFinite, REPEATED_MEMBER, Reader};

/// The first of all problems of a body that has the one that was found.
pub(super) fn first_problem(text: &str, found: Problem) -> Problem {
    let Problem::Violation(violation) = found else {
        return found;
    };
    match earlier(text, violation.stage) {
        Err(earlier) => earlier,
        Ok(()) => Problem::Violation(violation),
    }
}

/// Looks for problems before a stage.
fn earlier(text: &str, stage: Stage) -> Result<(), Problem> {
    well_formed(text)?;
    if stage == Stage::Root {
        return Ok(());
    }
    let arguments = Arguments::read(text, &Outline::read(text)?)?;
    let count = count(arguments.messages)?;
    match count {
        0 => return Err(Violation::no_messages().into()),
        1..=MAX_MESSAGES => {}
        _ => return Err(Violation::too_many_messages(count).into()),
    }
    if stage > Stage::Message {
        messages(arguments.messages)?;
    }
    Ok(())
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
