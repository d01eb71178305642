//! Bodies: read within limits of size, time and memory, and decompressed.

use std::borrow::Cow;
use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use bytes::{Buf as _, Bytes, BytesMut};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use http_body_util::BodyExt;
use selvedge_types::AccountId;

use crate::Gate;
use crate::answer::{Answer, CANNOT_KEEP};
use crate::turns::Turn;

/// Of a body that is too large so many times the limit is still read, and forgotten: the sender gets to see the answer.
const DRAINED: u64 = 4;

/// Room for a body that does not say how long it is, to begin with.
const UNANNOUNCED: usize = 64 << 10;

/// Memory for a body of Transit, beside one of JSON.
const TRANSIT_GROWTH: usize = 4;

/// What the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Transit,
}

/// A whole body, and the memory that it takes.
#[derive(Debug)]
pub(crate) struct ReadBody {
    pub(crate) bytes: Bytes,
    /// Held as long as the body is.
    pub(crate) _memory: Turn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    None,
    Gzip,
    Deflate,
}

/// The media type of the body; what was sent, if it is another one. Its parameters do not matter: JSON is UTF-8, whatever they
/// say.
pub(crate) fn format(headers: &HeaderMap) -> Result<Format, String> {
    let sent = all(headers, &CONTENT_TYPE);
    let media_type = sent.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(Format::Json)
    } else if media_type.eq_ignore_ascii_case("application/transit+json") {
        Ok(Format::Transit)
    } else if media_type.is_empty() {
        Err("(none)".to_owned())
    } else {
        Err(media_type.to_owned())
    }
}

/// Reads the whole body.
pub(crate) async fn read(
    gate: &Gate,
    account: AccountId,
    headers: &HeaderMap,
    body: Body,
    format: Format,
) -> Result<ReadBody, Answer> {
    let limit = gate.settings.body_limit_bytes;
    let patience = gate.settings.patience;
    let encoding = encoding(headers)?;
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(bytes) = announced.filter(|bytes| *bytes > limit as u64) {
        Box::pin(drain(body, bytes.min(DRAINED * limit as u64), patience)).await;
        return Err(Answer::TooLarge { bytes });
    }
    let expected = match (announced, encoding) {
        (Some(bytes), Encoding::None) => bytes as usize,
        (None, Encoding::None) => limit,
        // While it is decoded there are both.
        (Some(bytes), _) => bytes as usize + limit,
        (None, _) => 2 * limit,
    };
    let needed = match format {
        Format::Json => expected,
        // Written out as JSON it may grow.
        Format::Transit => expected.saturating_mul(TRANSIT_GROWTH),
    };
    let memory = gate.turns.memory(account, needed, patience).await;
    let memory = memory.map_err(|_| Answer::Unavailable(CANNOT_KEEP))?;
    // Room for what was announced is made at once; for anything else it grows.
    let room = announced.map_or(UNANNOUNCED, |bytes| bytes as usize);
    let collected = tokio::time::timeout(patience, collect(body, room, limit));
    let bytes = collected.await.map_err(|_| Answer::TimedOut)??;
    let bytes = match encoding {
        Encoding::None => bytes,
        encoding => {
            let decoded =
                tokio::task::spawn_blocking(move || decode(&bytes, encoding, limit)).await;
            decoded.map_err(|_| Answer::BadEncoding)??
        }
    };
    Ok(ReadBody {
        bytes: without_mark(bytes),
        _memory: memory,
    })
}

/// The text without the byte order mark that some write in front of it.
fn without_mark(mut bytes: Bytes) -> Bytes {
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.advance("\u{feff}".len());
    }
    bytes
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Answer> {
    let sent = all(headers, &CONTENT_ENCODING).trim().to_ascii_lowercase();
    match sent.as_str() {
        "" | "identity" => Ok(Encoding::None),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "deflate" => Ok(Encoding::Deflate),
        _ => Err(Answer::ContentEncoding(sent)),
    }
}

/// What a header says: all that was sent under its name, but what is repeated only once.
fn all<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Cow<'h, str> {
    let mut values = headers.get_all(name).iter();
    let text = |value: &'h HeaderValue| String::from_utf8_lossy(value.as_bytes());
    let Some(first) = values.next() else {
        return Cow::Borrowed("");
    };
    values
        .filter(|value| *value != first)
        .fold(text(first), |all, value| {
            Cow::Owned(format!("{all}, {}", text(value)))
        })
}

async fn collect(mut body: Body, room: usize, limit: usize) -> Result<Bytes, Answer> {
    let mut whole = BytesMut::new();
    let mut seen = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Answer::Incomplete)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len() as u64;
        if seen > DRAINED * limit as u64 {
            break;
        }
        if seen > limit as u64 {
            // Counted, not kept.
            whole = BytesMut::new();
            continue;
        }
        if whole.is_empty() && seen == data.len() as u64 {
            if data.len() == room {
                // The whole body at once stays where it is.
                return Ok(data);
            }
            whole.reserve(room.max(data.len()));
        }
        whole.extend_from_slice(&data);
    }
    match seen > limit as u64 {
        true => Err(Answer::TooLarge { bytes: seen }),
        false => Ok(whole.freeze()),
    }
}

/// Reads so much of a body that its sender looks at the answer.
async fn drain(mut body: Body, bytes: u64, patience: Duration) {
    let reading = async {
        let mut seen = 0;
        while seen < bytes {
            match body.frame().await {
                Some(Ok(frame)) => seen += frame.data_ref().map_or(0, |data| data.len() as u64),
                Some(Err(_)) | None => break,
            }
        }
    };
    // Whoever is still sending then does not get to see it.
    drop(tokio::time::timeout(patience, reading).await);
}

fn decode(bytes: &[u8], encoding: Encoding, limit: usize) -> Result<Bytes, Answer> {
    match encoding {
        Encoding::None => Ok(Bytes::copy_from_slice(bytes)),
        Encoding::Gzip => decode_from(MultiGzDecoder::new(bytes), limit),
        Encoding::Deflate if is_zlib(bytes) => decode_from(ZlibDecoder::new(bytes), limit),
        Encoding::Deflate => decode_from(DeflateDecoder::new(bytes), limit),
    }
}

/// Whether there is a header of zlib, as the name `deflate` promises. Quite a few send what it would stand around.
fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => false,
    }
}

fn decode_from(mut decoder: impl Read, limit: usize) -> Result<Bytes, Answer> {
    let mut whole = Vec::new();
    let read = decoder
        .by_ref()
        .take(limit as u64 + 1)
        .read_to_end(&mut whole);
    read.map_err(|_| Answer::BadEncoding)?;
    if whole.len() > limit {
        // How much more there is, within reason.
        let rest = decoder.take((DRAINED - 1) * limit as u64);
        let more = std::io::copy(&mut { rest }, &mut std::io::sink()).unwrap_or(0);
        return Err(Answer::TooLarge {
            bytes: whole.len() as u64 + more,
        });
    }
    Ok(whole.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const LIMIT: usize = 1_000;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let values = values.iter().map(|value| value.parse().unwrap());
        values.map(|value| (name.clone(), value)).collect()
    }

    #[test]
    fn a_media_type_counts_without_its_parameters() {
        for (sent, expected) in [
            (&["application/json"][..], Ok(Format::Json)),
            (&["Application/JSON;charset=\"UTF-8\""], Ok(Format::Json)),
            (&["application/json ; charset=latin1"], Ok(Format::Json)),
            (&["application/transit+json; v=1"], Ok(Format::Transit)),
            (&["application/json", "application/json"], Ok(Format::Json)),
            (
                &["application/json", "text/csv"],
                Err("application/json, text/csv"),
            ),
            (&["text/csv; header=present"], Err("text/csv")),
            (&["application/jsonl"], Err("application/jsonl")),
            (&[""], Err("(none)")),
            (&[], Err("(none)")),
        ] {
            let found = format(&headers(CONTENT_TYPE, sent));
            assert_eq!(found, expected.map_err(str::to_owned), "{sent:?}");
        }
    }

    #[test]
    fn an_encoding_is_one_of_those_that_are_known_and_the_only_one() {
        for (sent, expected) in [
            (&[][..], Ok(Encoding::None)),
            (&[""], Ok(Encoding::None)),
            (&["identity"], Ok(Encoding::None)),
            (&["gzip"], Ok(Encoding::Gzip)),
            (&[" X-GZIP "], Ok(Encoding::Gzip)),
            (&["gzip", "gzip"], Ok(Encoding::Gzip)),
            (&["deflate"], Ok(Encoding::Deflate)),
            (&["br"], Err("br")),
            (&["deflate, gzip"], Err("deflate, gzip")),
            (&["deflate", "gzip"], Err("deflate, gzip")),
        ] {
            let found = encoding(&headers(CONTENT_ENCODING, sent));
            let expected = expected.map_err(|sent: &str| Answer::ContentEncoding(sent.to_owned()));
            assert_eq!(found, expected, "{sent:?}");
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8], level: Compression) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn whatever_is_sent_as_gzip_or_deflate_is_read_as_that() {
        let text = br#"[{"a":1},{"a":2},{"a":3}]"#;
        let parts = [gzip(&text[..9]), gzip(&text[9..])].concat();
        for (encoding, sent) in [
            (Encoding::None, text.to_vec()),
            (Encoding::Gzip, gzip(text)),
            (Encoding::Gzip, parts),
            (Encoding::Deflate, zlib(text)),
            (Encoding::Deflate, deflate(text, Compression::best())),
            (Encoding::Deflate, deflate(text, Compression::none())),
        ] {
            assert_eq!(decode(&sent, encoding, LIMIT).unwrap(), &text[..]);
        }
    }

    #[test]
    fn what_is_cut_short_or_something_else_is_refused() {
        let text = br#"{"table_name":"t"}"#;
        let mut damaged = gzip(text);
        damaged[20] ^= 1;
        for (encoding, sent) in [
            (Encoding::Gzip, text.to_vec()),
            (Encoding::Gzip, zlib(text)),
            (Encoding::Gzip, gzip(text)[..20].to_vec()),
            (Encoding::Gzip, damaged),
            (Encoding::Gzip, [gzip(text), text.to_vec()].concat()),
            (Encoding::Deflate, gzip(text)),
            (Encoding::Deflate, zlib(text)[..9].to_vec()),
            (Encoding::Deflate, text.to_vec()),
        ] {
            let decoded = decode(&sent, encoding, LIMIT);
            assert_eq!(decoded, Err(Answer::BadEncoding), "{encoding:?} {sent:?}");
        }
    }

    #[test]
    fn a_body_that_grows_without_end_is_given_up() {
        let most = LIMIT as u64 * DRAINED;
        for (length, counted) in [
            (LIMIT, None),
            (LIMIT + 1, Some(LIMIT as u64 + 1)),
            (1_000 * LIMIT, Some(most + 1)),
        ] {
            let decoded = decode(&gzip(&vec![b' '; length]), Encoding::Gzip, LIMIT);
            match counted {
                None => assert_eq!(decoded.unwrap().len(), length),
                Some(bytes) => assert_eq!(decoded, Err(Answer::TooLarge { bytes })),
            }
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let text = |text: &'static str| without_mark(Bytes::from(text));
        assert_eq!(text("\u{feff}[]"), "[]");
        assert_eq!(text("[\u{feff}]"), "[\u{feff}]");
        assert_eq!(text("\u{feff}\u{feff}[]"), "\u{feff}[]");
        assert_eq!(text(""), "");
    }
}
