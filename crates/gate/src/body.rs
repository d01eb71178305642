//! Bodies: read within limits of size, time and memory, and decompressed.

use std::io::Read;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use bytes::{Bytes, BytesMut};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
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

/// The media type of the body; what was sent, if it is another one.
pub(crate) fn format(headers: &HeaderMap) -> Result<Format, String> {
    let sent = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
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
        _ => limit,
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
        bytes,
        _memory: memory,
    })
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Answer> {
    let sent = headers.get(CONTENT_ENCODING).map(|value| {
        String::from_utf8_lossy(value.as_bytes())
            .trim()
            .to_ascii_lowercase()
    });
    match sent.as_deref() {
        None | Some("" | "identity") => Ok(Encoding::None),
        Some("gzip" | "x-gzip") => Ok(Encoding::Gzip),
        Some("deflate") => Ok(Encoding::Deflate),
        Some(other) => Err(Answer::ContentEncoding(other.to_owned())),
    }
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
        Encoding::Deflate => decode_from(ZlibDecoder::new(bytes), limit),
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
