//! Answers that are made once and given to many: their bytes, their compressed form, and the tags that save sending them
//! again. Who answers says how long they may be kept.

use std::io::Write as _;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest as _, Sha256};

/// Smaller bodies are not worth compressing.
const COMPRESSED_FROM_BYTES: usize = 1024;

/// A body in all of its forms. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Prepared {
    content_type: &'static str,
    plain: Form,
    /// `None` for a small body.
    gzip: Option<Form>,
}

/// One form of the body. Forms differ byte for byte, so each has a tag of its own.
#[derive(Clone, Debug)]
struct Form {
    body: Bytes,
    tag: HeaderValue,
}

impl Prepared {
    /// Takes milliseconds for a large body: call it where blocking is allowed.
    pub fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let digest = digest(&body);
        let gzip = (body.len() >= COMPRESSED_FROM_BYTES)
            .then(|| Form::new(compress(&body), format!("\"{digest}-gzip\"")));
        Self {
            content_type,
            plain: Form::new(body, format!("\"{digest}\"")),
            gzip,
        }
    }

    /// 200 with the form that the caller prefers, or 304 when the caller has it.
    pub fn answer(&self, request: &HeaderMap) -> Response {
        let gzip = self.gzip.as_ref().filter(|_| takes_gzip(request));
        let form = gzip.unwrap_or(&self.plain);
        let mut response = if holds(request, &form.tag) {
            let mut unchanged = Response::new(Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        } else {
            let mut whole = Response::new(Body::from(form.body.clone()));
            let headers = whole.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            if gzip.is_some() {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            whole
        };
        let headers = response.headers_mut();
        headers.insert(ETAG, form.tag.clone());
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        response
    }
}

impl Form {
    fn new(body: Bytes, tag: String) -> Self {
        Self {
            body,
            tag: HeaderValue::try_from(tag).expect("a digest is header text"),
        }
    }
}

/// A short name for bytes, safe in addresses and headers.
pub fn digest(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..15])
}

fn compress(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(plain)
        .and_then(|()| encoder.finish())
        .expect("writing to memory does not fail")
        .into()
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
        let text = "warp and weft ".repeat(500);
        let prepared = Prepared::new("text/plain", text.clone());
        let gzip = prepared.gzip.as_ref().unwrap();
        let mut unpacked = String::new();
        GzDecoder::new(&gzip.body[..])
            .read_to_string(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, text);
        assert!(gzip.body.len() < text.len() / 10);
        assert_ne!(gzip.tag, prepared.plain.tag);
        let other = Prepared::new("text/plain", "something else");
        assert_ne!(prepared.plain.tag, other.plain.tag);
        assert!(other.gzip.is_none(), "not worth it");
    }

    #[test]
    fn who_has_a_form_already_is_told_so() {
        let prepared = Prepared::new("text/plain", "warp and weft ".repeat(500));
        for accepted in ["gzip", "identity"] {
            let mut request = headers(ACCEPT_ENCODING, &[accepted]);
            let first = prepared.answer(&request);
            assert_eq!(first.status(), StatusCode::OK);
            assert_eq!(first.headers()[CONTENT_TYPE], "text/plain");
            assert_eq!(
                first.headers().contains_key(CONTENT_ENCODING),
                accepted == "gzip"
            );
            request.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
            let again = prepared.answer(&request);
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(again.headers()[ETAG], first.headers()[ETAG]);
            assert!(!again.headers().contains_key(CONTENT_ENCODING));
        }
    }
}
