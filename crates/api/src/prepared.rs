//! Answers that are the same for everyone until the next build: serialised, hashed and compressed once.
//!
//! The list of source types is half a megabyte. Making it anew for each request would cost more than everything else
//! about the request, and a client that has it already is told so by its entity tag.

use std::io::Write as _;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::json;

/// A body in both of its forms.
#[derive(Debug)]
pub(crate) struct Prepared {
    identity: Form,
    gzip: Form,
}

/// One form of the body. Forms differ byte for byte, so each has a tag of its own.
#[derive(Debug)]
struct Form {
    body: Bytes,
    tag: HeaderValue,
}

impl Prepared {
    /// Takes milliseconds for a large body: call it where blocking is allowed.
    pub(crate) fn new<T: Serialize>(value: &T) -> Result<Self, PrepareError> {
        let body = serde_json::to_vec(value)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&body)?;
        let compressed = encoder.finish()?;
        // Half of the hash tells any two builds apart.
        let hash: String = Sha256::digest(&body)[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            identity: Form::new(body, format!("\"{hash}\""))?,
            gzip: Form::new(compressed, format!("\"{hash}-gzip\""))?,
        })
    }

    /// 200 with the form that the caller prefers, or 304 when the caller has it.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let compressed = takes_gzip(request);
        let form = if compressed {
            &self.gzip
        } else {
            &self.identity
        };
        let mut response = if holds(request, &form.tag) {
            let mut unchanged = Response::new(Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        } else {
            let mut whole = Response::new(Body::from(form.body.clone()));
            let headers = whole.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(json::CONTENT_TYPE));
            if compressed {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            whole
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, form.tag.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        // For this caller only, and to be asked about each time: what is served depends on the build and the account.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        response
    }
}

/// Why an answer could not be prepared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PrepareError {
    #[error("the answer could not be serialised")]
    Json(#[from] serde_json::Error),
    #[error("the answer could not be compressed")]
    Compress(#[from] std::io::Error),
    #[error("the entity tag is no header value")]
    Tag(#[from] http::header::InvalidHeaderValue),
    #[error("the thread that prepared the answer ended")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Form {
    fn new(body: Vec<u8>, tag: String) -> Result<Self, PrepareError> {
        Ok(Self {
            body: body.into(),
            tag: HeaderValue::try_from(tag)?,
        })
    }
}

/// Whether `Accept-Encoding` allows gzip and does not rank the plain form higher.
fn takes_gzip(request: &HeaderMap) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    let values = request.get_all(ACCEPT_ENCODING).iter();
    for item in values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight(parameters);
        match coding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => any = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    gzip > 0 && gzip >= identity.unwrap_or(0)
}

/// Thousandths of `q=0.5`; 1000 without one, 0 for one that cannot be read.
fn weight(parameters: &str) -> u16 {
    let quality = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let Some(quality) = quality else { return 1000 };
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    if !matches!(whole, "0" | "1") || fraction.len() > 3 {
        return 0;
    }
    match format!("{whole}{fraction:0<3}").parse() {
        Ok(weight) if weight <= 1000 => weight,
        _ => 0,
    }
}

/// Whether `If-None-Match` names the tag; a weak tag of the same text counts.
fn holds(request: &HeaderMap, tag: &HeaderValue) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|held| held == b"*" || held.strip_prefix(b"W/").unwrap_or(held) == tag.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn headers(name: http::HeaderName, values: &[&'static str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        for accepted in [
            "gzip",
            "GZIP",
            "deflate, gzip, br",
            "gzip;q=0.5",
            "x-gzip",
            "*",
            "identity;q=0.5, gzip; q=0.5",
            "br;q=1.0, *;q=0.001",
        ] {
            assert!(
                takes_gzip(&headers(ACCEPT_ENCODING, &[accepted])),
                "{accepted}"
            );
        }
        for refused in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "gzip;q=0.000",
            "gzip;q=x",
            "gzip;q=2",
            "*;q=1, gzip;q=0",
            "identity, gzip;q=0.9",
        ] {
            assert!(
                !takes_gzip(&headers(ACCEPT_ENCODING, &[refused])),
                "{refused}"
            );
        }
        assert!(!takes_gzip(&HeaderMap::new()));
        assert!(takes_gzip(&headers(ACCEPT_ENCODING, &["br", "gzip"])));
    }

    #[test]
    fn a_held_tag_is_found_in_a_list_of_tags() {
        let tag = HeaderValue::from_static("\"abc\"");
        for held in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(holds(&headers(IF_NONE_MATCH, &[held]), &tag), "{held}");
        }
        for other in ["abc", "\"abcd\"", "\"ABC\"", "w/\"abc\"", ""] {
            assert!(!holds(&headers(IF_NONE_MATCH, &[other]), &tag), "{other}");
        }
    }

    #[test]
    fn both_forms_hold_the_same_text_under_different_tags() {
        let prepared = Prepared::new(&vec!["text"; 100]).unwrap();
        let mut text = Vec::new();
        GzDecoder::new(&prepared.gzip.body[..])
            .read_to_end(&mut text)
            .unwrap();
        assert_eq!(text, prepared.identity.body);
        assert!(prepared.gzip.body.len() < text.len());
        assert_ne!(prepared.gzip.tag, prepared.identity.tag);
        let other = Prepared::new(&vec!["text"; 101]).unwrap();
        assert_ne!(prepared.identity.tag, other.identity.tag);
    }
}
