//! A page or asset that is made once and kept, with what browsers are told about it: how long it may be used, and what it may
//! load and run.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use selvedge_prepared::Prepared;
use sha2::{Digest as _, Sha256};

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
    prepared: Prepared,
    policy: HeaderValue,
    caching: Caching,
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

    fn new(content_type: &'static str, body: Bytes, policy: &Policy) -> Self {
        Self {
            prepared: Prepared::new(content_type, body),
            policy: policy.header(),
            caching: Caching::Revalidate,
        }
    }

    pub(crate) fn with_caching(mut self, caching: Caching) -> Self {
        self.caching = caching;
        self
    }

    /// Answers a request with these headers: unchanged, compressed or plain.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let mut response = self.prepared.answer(request);
        let headers = response.headers_mut();
        let fixed = HeaderValue::from_static;
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
