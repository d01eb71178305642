//! An answer as it comes in: its status is looked at, its body counted.

use anyhow::{Context as _, Result, bail, ensure};
use http::StatusCode;
use http::header::CONTENT_LENGTH;

/// Headers an answer may have.
const MOST_HEADERS: usize = 64;
/// Bytes of a head.
const LONGEST_HEAD: usize = 64 << 10;

/// One answer after the other on one connection. Only bodies of a stated length are understood.
#[derive(Default)]
pub(crate) struct Answer {
    /// What came of a head that is not whole yet.
    head: Vec<u8>,
    body: Option<Body>,
}

struct Body {
    status: StatusCode,
    length: usize,
    missing: usize,
    /// Of a refusal, or when it is asked for.
    kept: Option<Vec<u8>>,
}

/// An answer that is whole.
pub(crate) struct Answered {
    pub(crate) body_length: usize,
    /// Empty unless it was to be kept.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Takes what the connection brought. Whole answers are told; one that is a refusal is an error.
    pub(crate) fn take(&mut self, mut bytes: &[u8], keep: bool) -> Result<Option<Answered>> {
        let mut body = match self.body.take() {
            Some(body) => body,
            None if self.head.is_empty() => match read_head(bytes, keep)? {
                Some((length, body)) => {
                    bytes = &bytes[length..];
                    body
                }
                None => {
                    self.head.extend_from_slice(bytes);
                    return Ok(None);
                }
            },
            None => {
                let before = self.head.len();
                self.head.extend_from_slice(bytes);
                ensure!(before < LONGEST_HEAD, "the head of an answer does not end");
                let Some((length, body)) = read_head(&self.head, keep)? else {
                    return Ok(None);
                };
                bytes = &bytes[length - before..];
                self.head.clear();
                body
            }
        };
        ensure!(
            bytes.len() <= body.missing,
            "an answer is longer than its content-length says"
        );
        body.missing -= bytes.len();
        if let Some(kept) = &mut body.kept {
            kept.extend_from_slice(bytes);
        }
        if body.missing > 0 {
            self.body = Some(body);
            return Ok(None);
        }
        let kept = body.kept.unwrap_or_default();
        if !body.status.is_success() {
            bail!("{}: {}", body.status, String::from_utf8_lossy(&kept));
        }
        Ok(Some(Answered {
            body_length: body.length,
            body: kept,
        }))
    }
}

/// The length of a head, if it is whole, and the body that it announces.
fn read_head(bytes: &[u8], keep: bool) -> Result<Option<(usize, Body)>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else {
        return Ok(None);
    };
    let status = StatusCode::from_u16(response.code.context("an answer has no status")?)?;
    let body_length = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str()))
        .context("an answer has no content-length")?;
    let body_length: usize = std::str::from_utf8(body_length.value)?.parse()?;
    let body = Body {
        status,
        length: body_length,
        missing: body_length,
        kept: (keep || !status.is_success()).then(Vec::new),
    };
    Ok(Some((length, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"HTTP/1.1 201 Created\r\nX: y\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn an_answer_is_understood_however_it_is_cut() {
        for cut in 0..=WHOLE.len() {
            let mut answer = Answer::default();
            let first = answer.take(&WHOLE[..cut], true).unwrap();
            assert_eq!(first.is_some(), cut == WHOLE.len());
            let answered = match first {
                Some(answered) => answered,
                None => answer.take(&WHOLE[cut..], true).unwrap().unwrap(),
            };
            assert_eq!((answered.body_length, &*answered.body), (5, &b"hello"[..]));
        }
    }

    #[test]
    fn an_answer_without_a_body_is_whole_with_its_head() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        let answered = Answer::default().take(head, false).unwrap();
        assert_eq!(answered.unwrap().body_length, 0);
    }

    #[test]
    fn refusals_and_what_is_not_understood_are_errors() {
        for (bytes, text) in [
            (
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nfull",
                "503 Service Unavailable: full",
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", "an answer has no content-length"),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab",
                "an answer is longer than its content-length says",
            ),
        ] {
            let refusal = Answer::default().take(bytes.as_bytes(), false);
            assert_eq!(refusal.err().unwrap().to_string(), text);
        }
        assert!(Answer::default().take(b"SMTP ready\r\n", false).is_err());
    }
}
