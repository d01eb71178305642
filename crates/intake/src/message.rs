//! The messages of an accepted part, one after the other.

use std::borrow::Cow;

use selvedge_json::{Malformed, RawString, Scalar, Scanner, literal, object_length, unescape};

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    Upsert {
        sequence: i64,
        /// When the record was extracted, in microseconds since 1970.
        extracted_at: Option<i64>,
        /// Text of a JSON object.
        data: &'a str,
    },
    /// From here on the part's table version is the current one.
    ActivateVersion { sequence: i64 },
}

/// A message that could not have been accepted as it stands: whatever holds it was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("a message has neither data nor an activation")]
    Incomplete,
}

/// Reads the messages of a part. What they say besides sequence, action, time and data was looked at when they came.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
}

impl<'a> Messages<'a> {
    /// `text` is [`crate::Part::messages`].
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            scanner: Scanner::new(text),
        }
    }

    fn message(&mut self) -> Result<Option<Message<'a>>, MessageError> {
        while self.scanner.peek() == b',' {
            self.scanner.skip_byte();
        }
        if self.scanner.peek() == 0 {
            self.scanner.end()?;
            return Ok(None);
        }
        self.scanner.expect(b'{', "a message was expected")?;
        let (mut sequence, mut extracted_at, mut data) = (None, None, None);
        let mut activates = false;
        let mut first = true;
        while self.scanner.another(first, b'}')? {
            first = false;
            let name = self.scanner.string()?;
            self.scanner.expect(b':', "a colon was expected")?;
            match &*characters(name) {
                "sequence" if self.scanner.peek() != b'"' => {
                    if let Scalar::Number(number) = self.scanner.scalar()? {
                        sequence = literal::integer(number.text);
                    }
                }
                "action" if self.scanner.peek() == b'"' => {
                    activates = characters(self.scanner.string()?) == "activate_version";
                }
                "time_extracted" if self.scanner.peek() == b'"' => {
                    extracted_at = literal::instant(&characters(self.scanner.string()?));
                }
                "data" => {
                    self.scanner.expect(b'{', "an object was expected")?;
                    let start = self.scanner.position();
                    // What is in it was checked when it came, and is read when it is shaped.
                    let length = self.text.get(start..).and_then(object_length);
                    let Some(length) = length else {
                        return Err(self.scanner.malformed("an object does not end").into());
                    };
                    self.scanner.go_to(start + length + 1);
                    data = self.text.get(start - 1..self.scanner.position());
                }
                _ => self.scanner.skip_value(0)?,
            }
        }
        match (sequence, data) {
            (Some(sequence), None) if activates => Ok(Some(Message::ActivateVersion { sequence })),
            (Some(sequence), Some(data)) => Ok(Some(Message::Upsert {
                sequence,
                extracted_at,
                data,
            })),
            _ => Err(MessageError::Incomplete),
        }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, MessageError>;

    /// After an error the rest cannot be read.
    fn next(&mut self) -> Option<Self::Item> {
        let message = self.message().transpose();
        if matches!(message, Some(Err(_))) {
            self.text = "";
            self.scanner = Scanner::new("");
        }
        message
    }
}

/// The characters of a string; what has none is no word that is known.
fn characters(string: RawString<'_>) -> Cow<'_, str> {
    unescape(string).unwrap_or(Cow::Borrowed(string.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_stand_apart_by_commas_or_white_space() {
        let text = r#" {"action":"upsert","sequence":7,"data":{"a":[1,{"b":2}]}} ,
            {"data":{},"time_extracted":"1970-01-01T00:00:01Z","sequence":-8,"client_id":5}
            {"\u0061ction":"\u0061ctivate_version","sequence":9},"#;
        let read: Result<Vec<_>, _> = Messages::new(text).collect();
        assert_eq!(
            read.unwrap(),
            [
                Message::Upsert {
                    sequence: 7,
                    extracted_at: None,
                    data: r#"{"a":[1,{"b":2}]}"#,
                },
                Message::Upsert {
                    sequence: -8,
                    extracted_at: Some(1_000_000),
                    data: "{}",
                },
                Message::ActivateVersion { sequence: 9 },
            ]
        );
    }

    #[test]
    fn a_damaged_message_ends_the_reading_with_an_error() {
        for text in [
            r#"{"sequence":1,"data":{}} {"sequence":2"#,
            r#"{"data":{}}"#,
            "[]",
            r#"{"sequence":1}"#,
        ] {
            let read: Vec<_> = Messages::new(text).collect();
            let (last, before) = read.split_last().unwrap();
            assert!(last.is_err(), "{text}");
            assert!(before.iter().all(Result::is_ok), "{text}");
        }
    }
}
