//! One message, read from its line.

use std::borrow::Cow;
use std::ops::Range;

use selvedge_intake::NotTaken;
use selvedge_json::{Malformed, RawString, Scanner, literal, unescape};

use super::streams::Streams;

/// Members of a message, as far as anybody asks for them. Of repeated ones the last counts.
#[derive(Debug, Default)]
pub(super) struct Envelope<'a> {
    pub(super) kind: Option<Cow<'a, str>>,
    pub(super) stream: Option<Cow<'a, str>>,
    /// Where the value of `record` stands in the line, and what is wrong with it.
    pub(super) record: Option<(Range<usize>, Conformance)>,
    pub(super) version: Option<i64>,
    /// Microseconds since the Unix epoch.
    pub(super) extracted_at: Option<i64>,
    /// Raw texts of further members.
    pub(super) schema: Option<&'a str>,
    pub(super) key_properties: Option<&'a str>,
    pub(super) bookmark_properties: Option<&'a str>,
    pub(super) value: Option<Range<usize>>,
    pub(super) encoding: Option<&'a str>,
    pub(super) manifest: Option<&'a str>,
}

/// Whether a record was held against its schema.
#[derive(Debug)]
pub(super) enum Conformance {
    /// It came before the stream was named: that is still to be done.
    Unknown,
    Conforms,
    Mismatch(String),
}

/// Reads a line.
///
/// # Errors
/// It is no JSON object.
pub(super) fn read<'a>(line: &'a str, streams: &mut Streams) -> Result<Envelope<'a>, Malformed> {
    let mut scanner = Scanner::new(line);
    let mut envelope = Envelope::default();
    scanner.expect(b'{', "an object was expected")?;
    let mut first = true;
    while scanner.another(first, b'}')? {
        first = false;
        let name = scanner.string()?;
        scanner.expect(b':', "a colon was expected")?;
        scanner.peek();
        member(&mut envelope, name, &mut scanner, line, streams)?;
    }
    scanner.end()?;
    Ok(envelope)
}

fn member<'a>(
    envelope: &mut Envelope<'a>,
    name: RawString<'a>,
    scanner: &mut Scanner<'a>,
    line: &'a str,
    streams: &mut Streams,
) -> Result<(), Malformed> {
    let start = scanner.position();
    match name.text {
        "type" => envelope.kind = text(scanner)?,
        "stream" => envelope.stream = text(scanner)?,
        "record" => {
            let conformance = record(envelope, scanner, streams)?;
            envelope.record = Some((start..scanner.position(), conformance));
        }
        "version" => {
            let raw = raw(scanner, line)?;
            envelope.version = literal::integer(raw);
        }
        "time_extracted" => {
            let text = text(scanner)?;
            envelope.extracted_at = text.and_then(|text| literal::instant(&text));
        }
        "schema" => envelope.schema = Some(raw(scanner, line)?),
        "key_properties" => envelope.key_properties = Some(raw(scanner, line)?),
        "bookmark_properties" => envelope.bookmark_properties = Some(raw(scanner, line)?),
        "encoding" => envelope.encoding = Some(raw(scanner, line)?),
        "manifest" => envelope.manifest = Some(raw(scanner, line)?),
        "value" => {
            scanner.skip_value(1)?;
            envelope.value = Some(start..scanner.position());
        }
        _ => scanner.skip_value(1)?,
    }
    Ok(())
}

/// Reads over a record, and holds it against its schema if the stream is known by now, as it is for nearly all taps.
fn record<'a>(
    envelope: &Envelope<'a>,
    scanner: &mut Scanner<'a>,
    streams: &mut Streams,
) -> Result<Conformance, Malformed> {
    let schema = match &envelope.stream {
        Some(name) => streams.find(name).map(|index| streams.rules(index)),
        None => None,
    };
    match schema {
        None => {
            scanner.skip_value(1)?;
            Ok(Conformance::Unknown)
        }
        Some(None) => {
            scanner.skip_value(1)?;
            Ok(Conformance::Conforms)
        }
        Some(Some(rules)) => {
            let start = scanner.position();
            match rules.read_over(scanner) {
                Ok(()) => Ok(Conformance::Conforms),
                Err(NotTaken::Malformed(malformed)) => Err(malformed),
                Err(NotTaken::Mismatch(text)) => {
                    scanner.go_to(start);
                    scanner.skip_value(1)?;
                    Ok(Conformance::Mismatch(text))
                }
            }
        }
    }
}

/// A member that is a text; `None` if it is something else.
fn text<'a>(scanner: &mut Scanner<'a>) -> Result<Option<Cow<'a, str>>, Malformed> {
    if scanner.peek() != b'"' {
        scanner.skip_value(1)?;
        return Ok(None);
    }
    let raw = scanner.string()?;
    Ok(match raw.escaped {
        false => Some(Cow::Borrowed(raw.text)),
        true => unescape(raw).ok(),
    })
}

fn raw<'a>(scanner: &mut Scanner<'a>, line: &'a str) -> Result<&'a str, Malformed> {
    let start = scanner.position();
    scanner.skip_value(1)?;
    Ok(line.get(start..scanner.position()).unwrap_or_default())
}
