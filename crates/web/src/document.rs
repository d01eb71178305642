//! An answer that is made once and kept: its bytes, their compressed form, and the tag that saves sending them again.

use std::io::Write as _;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

/// Smaller answers are not worth compressing.
const COMPRESSED_FROM_BYTES: usize = 1024;

/// What a page may load and run: nothing, then what is added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    script_hashes: Vec<String>,
}

impl Policy {
    /// Allows one inline script, by its text between the tags.
    pub(crate) fn with_script(mut self, script: &str) -> Self {
        let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
        self.script_hashes.push(format!(" 'sha256-{hash}'"));
        self
    }

    fn header(&self) -> HeaderValue {
        let scripts = if self.script_hashes.is_empty() {
            String::new()
        } else {
            format!("script-src{}; ", self.script_hashes.concat())
        };
        let text = format!(
            "default-src 'none'; {scripts}style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'"
        );
        HeaderValue::try_from(text).expect("hashes in base64 are header text")
    }
}

/// How long a client may use its copy without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caching {
    /// It asks every time; an unchanged document costs one empty answer.
    Revalidate,
    /// The address changes with the content.
    Forever,
}

/// A kept answer. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    content_type: &'static str,
    policy: HeaderValue,
    caching: Caching,
    tag: HeaderValue,
    plain: Bytes,
    gzip: Option<Bytes>,
}

impl Document {
    /// A page of HTML.
    pub(crate) fn page(html: String, policy: &Policy) -> Self {
        Self::new("text/html; charset=utf-8", html.into(), policy)
    }

    /// Anything that is not a page.
    pub(crate) fn asset(content_type: &'static str, text: impl Into<Bytes>) -> Self {
        Self::new(content_type, text.into(), &Policy::default())
    }

    fn new(content_type: &'static str, plain: Bytes, policy: &Policy) -> Self {
        let gzip = (plain.len() >= COMPRESSED_FROM_BYTES).then(|| compress(&plain));
        // Weak: the same tag stands for the plain and for the compressed form.
        let tag = format!("W/\"{}\"", digest(&plain));
        Self {
            content_type,
            policy: policy.header(),
            caching: Caching::Revalidate,
            tag: HeaderValue::try_from(tag).expect("a digest is header text"),
            plain,
            gzip,
        }
    }

    pub(crate) fn with_caching(mut self, caching: Caching) -> Self {
        self.caching = caching;
        self
    }

    /// Answers a request with these headers: unchanged, compressed or plain.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let mut response = if self.is_known_to(request) {
            StatusCode::NOT_MODIFIED.into_response()
        } else if let Some(gzip) = self.gzip.as_ref().filter(|_| accepts_gzip(request)) {
            let mut response = Response::new(Body::from(gzip.clone()));
            let encoding = HeaderValue::from_static("gzip");
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, encoding);
            response
        } else {
            Response::new(Body::from(self.plain.clone()))
        };
        let headers = response.headers_mut();
        let fixed = HeaderValue::from_static;
        headers.insert(header::CONTENT_TYPE, fixed(self.content_type));
        headers.insert(header::ETAG, self.tag.clone());
        headers.insert(header::VARY, fixed("accept-encoding"));
        headers.insert(
            header::CACHE_CONTROL,
            match self.caching {
                Caching::Revalidate => fixed("no-cache"),
                Caching::Forever => fixed("public, max-age=31536000, immutable"),
            },
        );
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
        headers.insert(header::REFERRER_POLICY, fixed("same-origin"));
        response
    }

    /// Answers with a page that was made for one request, and that nobody keeps.
    pub(crate) fn answer_once(&self, status: StatusCode) -> Response {
        let mut response = self.answer(&HeaderMap::new());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.remove(header::ETAG);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn is_known_to(&self, request: &HeaderMap) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let own = self.tag.to_str().map(opaque).unwrap_or_default();
        request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| opaque(tag) == own || tag.trim() == "*")
    }
}

/// A short name for bytes, safe in addresses and headers.
pub(crate) fn digest(bytes: &[u8]) -> String {
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

/// Whether the client takes gzip: named, or meant by `*`, and not with a weight of zero.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let weights = |name: &str| {
        request
            .get_all(header::ACCEPT_ENCODING)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|coding| {
                let mut parts = coding.split(';').map(str::trim);
                let named = parts.next()?.eq_ignore_ascii_case(name);
                let weight = parts.find_map(|part| part.strip_prefix("q="));
                named
                    .then(|| weight.is_none_or(|weight| weight.parse().is_ok_and(|q: f32| q > 0.0)))
            })
            .next()
    };
    weights("gzip").or_else(|| weights("*")).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use http_body_util::BodyExt as _;

    use super::*;

    fn request(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::try_from(value).unwrap())])
    }

    async fn body(response: Response) -> Bytes {
        response.into_body().collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn it_is_compressed_for_those_who_take_it() {
        let text = "warp and weft ".repeat(500);
        let document = Document::asset("text/plain; charset=utf-8", text.clone());
        let packed = document.answer(&request(
            header::ACCEPT_ENCODING,
            "br;q=1.0, gzip;q=0.8, *;q=0.1",
        ));
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        let packed = body(packed).await;
        assert!(packed.len() < text.len() / 10);
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&*packed)
            .read_to_string(&mut unpacked)
            .unwrap();
        assert_eq!(unpacked, text);
        for refusing in ["", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *"] {
            let plain = document.answer(&request(header::ACCEPT_ENCODING, refusing));
            assert!(
                !plain.headers().contains_key("content-encoding"),
                "{refusing}"
            );
            assert_eq!(body(plain).await, text);
        }
    }

    #[tokio::test]
    async fn who_has_it_already_is_told_so() {
        let document = Document::page("<p>x".to_owned(), &Policy::default());
        let first = document.answer(&HeaderMap::new());
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = document.answer(&request(header::IF_NONE_MATCH, &known));
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert!(body(again).await.is_empty());
        }
        let other = document.answer(&request(header::IF_NONE_MATCH, "W/\"other\""));
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn a_page_runs_only_the_scripts_it_was_made_with() {
        let none = Policy::default().header();
        assert!(!none.to_str().unwrap().contains("script-src"));
        // The example of the specification of content security policies.
        let one = Policy::default()
            .with_script("alert('Hello, world.');")
            .header();
        assert!(
            one.to_str()
                .unwrap()
                .contains("script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=';")
        );
    }
}
