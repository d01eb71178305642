//! What stands around a record: action, sequence and time.

use selvedge_json::{Scalar, Scanner, Usual, literal};

use super::violation::MessageViolation;
use crate::instant;
use crate::kind::Kind;
use crate::record::{Flaw, REPEATED_MEMBER, characters, string};

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Upsert,
    ActivateVersion,
}

/// Why a message is not taken.
#[derive(Debug)]
pub(super) enum MessageProblem<E> {
    Flaw(Flaw),
    Violation(MessageViolation),
    /// Its record, in the words of whoever read that.
    Record(E),
}

impl<E, T: Into<Flaw>> From<T> for MessageProblem<E> {
    fn from(flaw: T) -> Self {
        Self::Flaw(flaw.into())
    }
}

const ACTION: u8 = 1;
const SEQUENCE: u8 = 2;
const DATA: u8 = 4;
const TIME_EXTRACTED: u8 = 8;

/// How most messages begin.
const UPSERT: &str = r#"{"action":"upsert","sequence":"#;

/// Reads over the message that begins here. `record` reads over the object that is its data.
pub(super) fn message<'a, E>(
    scanner: &mut Scanner<'a>,
    record: impl FnOnce(&mut Scanner<'a>) -> Result<(), E>,
) -> Result<Action, MessageProblem<E>> {
    if scanner.peek() != b'{' {
        return Err(violation(MessageViolation::NotAnObject(Kind::of_next(
            scanner,
        ))));
    }
    let mut record = Some(record);
    let mut action = Action::Upsert;
    let mut seen = 0;
    let mut first = true;
    match scanner.word(UPSERT) {
        true => {
            read_sequence(scanner)?;
            seen = ACTION | SEQUENCE;
            first = false;
        }
        false => scanner.skip_byte(),
    }
    while scanner.another(first, b'}')? {
        first = false;
        let member = member(scanner)?;
        if seen & member != 0 {
            return Err(scanner.malformed(REPEATED_MEMBER).into());
        }
        seen |= member;
        match member {
            ACTION => action = read_action(scanner)?,
            SEQUENCE => read_sequence(scanner)?,
            DATA => {
                if scanner.peek() != b'{' {
                    return Err(wrong_type("data", "JSONObject", scanner));
                }
                if let Some(record) = record.take() {
                    record(scanner).map_err(MessageProblem::Record)?;
                }
            }
            _ => read_instant(scanner)?,
        }
    }
    let required = match action {
        Action::Upsert => [(ACTION, "action"), (SEQUENCE, "sequence"), (DATA, "data")].as_slice(),
        Action::ActivateVersion => &[(SEQUENCE, "sequence")],
    };
    if let Some((_, missing)) = required.iter().find(|(member, _)| seen & member == 0) {
        return Err(violation(MessageViolation::Lacks(missing)));
    }
    if action == Action::ActivateVersion && seen & DATA != 0 {
        return Err(violation(MessageViolation::Extraneous("data".to_owned())));
    }
    Ok(action)
}

/// Which member begins here; consumes its name and the colon.
#[inline]
fn member<E>(scanner: &mut Scanner<'_>) -> Result<u8, MessageProblem<E>> {
    // As it is usually written.
    if scanner.word(r#""action":"#) {
        return Ok(ACTION);
    }
    if scanner.word(r#""sequence":"#) {
        return Ok(SEQUENCE);
    }
    if scanner.word(r#""data":"#) {
        return Ok(DATA);
    }
    let name = characters(scanner.string()?, scanner)?;
    scanner.expect(b':', "a colon was expected")?;
    match &*name {
        "action" => Ok(ACTION),
        "sequence" => Ok(SEQUENCE),
        "data" => Ok(DATA),
        "time_extracted" => Ok(TIME_EXTRACTED),
        _ => Err(violation(MessageViolation::Extraneous(name.into_owned()))),
    }
}

fn read_action<E>(scanner: &mut Scanner<'_>) -> Result<Action, MessageProblem<E>> {
    if scanner.peek() != b'"' {
        return Err(wrong_type("action", "String", scanner));
    }
    if scanner.word(r#""upsert""#) {
        return Ok(Action::Upsert);
    }
    let action = string(scanner)?;
    match &*characters(action, scanner)? {
        "upsert" => Ok(Action::Upsert),
        "activate_version" => Ok(Action::ActivateVersion),
        other => Err(violation(MessageViolation::UnknownAction(other.to_owned()))),
    }
}

fn read_sequence<E>(scanner: &mut Scanner<'_>) -> Result<(), MessageProblem<E>> {
    scanner.peek();
    let start = scanner.clone();
    if scanner.usual() == Some(Usual::Integer)
        && scanner.position() - start.position() <= literal::SURE_DIGITS
    {
        return Ok(());
    }
    scanner.go_to(start.position());
    if matches!(scanner.peek(), b'"' | b'{' | b'[') {
        return Err(wrong_type("sequence", "Integer", &start));
    }
    match scanner.scalar()? {
        Scalar::Number(number) if number.integer => match literal::integer(number.text) {
            Some(_) => Ok(()),
            None => Err(violation(MessageViolation::SequenceOutOfRange(
                // Enough to tell its sign.
                number.text.chars().take(1).collect(),
            ))),
        },
        _ => Err(wrong_type("sequence", "Integer", &start)),
    }
}

fn read_instant<E>(scanner: &mut Scanner<'_>) -> Result<(), MessageProblem<E>> {
    if scanner.peek() != b'"' {
        return Err(wrong_type("time_extracted", "String", scanner));
    }
    let raw = string(scanner)?;
    let text = characters(raw, scanner)?;
    match instant::is_instant(&text) {
        true => Ok(()),
        false => Err(violation(MessageViolation::NotAnInstant(text.into_owned()))),
    }
}

#[cold]
fn wrong_type<E>(
    member: &'static str,
    expected: &'static str,
    scanner: &Scanner<'_>,
) -> MessageProblem<E> {
    let found = Kind::of_next(scanner);
    violation(MessageViolation::WrongType(member, expected, found))
}

#[cold]
fn violation<E>(violation: MessageViolation) -> MessageProblem<E> {
    MessageProblem::Violation(violation)
}
