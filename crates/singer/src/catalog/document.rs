//! From what a tap prints in discovery to a document, with an eye for taps that print something else besides.

use selvedge_connector::{ConnectorError, ErrorKind};
use serde_json::Value;

/// A catalogue behind more lines that look like the beginning of one is not looked for.
const ATTEMPTS: usize = 100;
/// Of what was printed, in an error.
const QUOTED_CHARACTERS: usize = 200;

/// The catalogue in a text, and how many lines stand before it.
pub(crate) fn parse(text: &[u8]) -> Result<(Value, usize), ConnectorError> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(wrong("the tap printed no catalogue"));
    }
    let error = match serde_json::from_slice::<Value>(text) {
        Ok(document) if is_catalogue(&document) => return Ok((document, 0)),
        Ok(_) => {
            return Err(wrong(
                "the tap printed JSON that is no catalogue: it has no list `streams`",
            ));
        }
        Err(error) => error,
    };
    // Some taps log to stdout before they print.
    let mut found = None;
    for start in line_starts(text).take(ATTEMPTS) {
        let rest = text.get(start..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        let Some(Ok(document)) = values.next() else {
            continue;
        };
        if !is_catalogue(&document) {
            continue;
        }
        let behind = rest.get(values.byte_offset()..).unwrap_or_default();
        if found.is_some() || !behind.iter().all(u8::is_ascii_whitespace) {
            return Err(wrong(
                "the tap printed more than one catalogue, or something after it",
            ));
        }
        let lines = text.get(..start).unwrap_or_default();
        let lines = lines.iter().filter(|&&byte| byte == b'\n').count();
        found = Some((document, lines));
    }
    found.ok_or_else(|| {
        let what = match error.is_eof() {
            true => "the tap printed a catalogue that ends in the middle",
            false => "the tap printed something else than a catalogue",
        };
        let beginning = String::from_utf8_lossy(text.get(..1024).unwrap_or(text));
        let beginning: String = beginning.trim().chars().take(QUOTED_CHARACTERS).collect();
        wrong(what).with_detail(format!("{error}; it begins with: {beginning}"))
    })
}

fn is_catalogue(document: &Value) -> bool {
    document.get("streams").is_some_and(Value::is_array)
}

/// Where lines begin with an object.
fn line_starts(text: &[u8]) -> impl Iterator<Item = usize> {
    let starts = text
        .iter()
        .enumerate()
        .filter_map(|(at, &byte)| (byte == b'\n').then_some(at + 1));
    std::iter::once(0)
        .chain(starts)
        .filter(|&start| text.get(start) == Some(&b'{'))
}

fn wrong(message: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Data, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().message
    }

    #[test]
    fn lines_before_the_catalogue_are_passed_over() {
        let plain = parse(b" {\"streams\": []}\n").unwrap();
        assert_eq!(plain.1, 0);
        let text = b"INFO hello\n{\"event\": \"log\"}\n{\n  \"streams\": [\n{}\n]\n}\n";
        let (document, lines) = parse(text).unwrap();
        assert_eq!((document["streams"][0].is_object(), lines), (true, 2));
    }

    #[test]
    fn what_is_no_catalogue_is_named() {
        assert_eq!(message(" \n"), "the tap printed no catalogue");
        assert_eq!(
            message(r#"{"streams": [{"#),
            "the tap printed a catalogue that ends in the middle"
        );
        assert_eq!(
            message("usage: tap"),
            "the tap printed something else than a catalogue"
        );
        assert!(message(r#"{"tables": []}"#).contains("no list `streams`"));
        let two = "{\"streams\": []}\n{\"streams\": []}\n";
        assert!(message(two).contains("more than one"));
        assert!(message("{\"streams\": []}\nbye").contains("something after"));
    }
}
