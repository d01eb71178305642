//! `[api]`: what the HTTP interface allows, and how patient it is.

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::http::{HeaderValue, Uri};
use selvedge_api::AppState;
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ApiSection {
    /// Requests that one access token may make per minute; a minute's worth may come at once. 0: any number.
    requests_per_minute: u32,
    /// Refuse requests over the documented 30 in 10 minutes on extractions, logs and loads, instead of only counting them.
    enforce_jobs_limit: bool,
    /// Largest request body, in MiB.
    max_body_mib: usize,
    /// How long a request body may take to arrive.
    body_timeout_seconds: u64,
    /// How long a request's header may take to arrive, and a connection may stay open without a request. Longer than a
    /// proxy in front keeps its connections, or it meets closed ones.
    header_timeout_seconds: u64,
    /// Origins, such as `https://app.example.com`, whose pages may call from a browser. None by default.
    allowed_origins: Vec<String>,
}

impl Default for ApiSection {
    fn default() -> Self {
        Self {
            requests_per_minute: 6_000,
            enforce_jobs_limit: false,
            max_body_mib: 20,
            body_timeout_seconds: 60,
            header_timeout_seconds: 75,
            allowed_origins: Vec::new(),
        }
    }
}

/// The section, checked.
#[derive(Clone, Debug)]
pub(crate) struct ApiSettings {
    section: ApiSection,
    allowed_origins: Vec<HeaderValue>,
}

impl ApiSettings {
    pub(super) fn check(section: ApiSection) -> anyhow::Result<Self> {
        let positive = section.max_body_mib > 0
            && section.body_timeout_seconds > 0
            && section.header_timeout_seconds > 0;
        if !positive {
            bail!(
                "api.max_body_mib, api.body_timeout_seconds and api.header_timeout_seconds must be at least 1"
            );
        }
        let allowed_origins = section.allowed_origins.iter().map(|text| origin(text));
        Ok(Self {
            allowed_origins: allowed_origins.collect::<anyhow::Result<_>>()?,
            section,
        })
    }

    pub(crate) fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.section.header_timeout_seconds)
    }

    pub(crate) fn apply(&self, state: AppState) -> AppState {
        let state = state
            .with_enforced_jobs_group(self.section.enforce_jobs_limit)
            .with_body_limit(self.section.max_body_mib.saturating_mul(1024 * 1024))
            .with_body_timeout(Duration::from_secs(self.section.body_timeout_seconds))
            .with_allowed_origins(self.allowed_origins.iter().cloned());
        match NonZeroU32::new(self.section.requests_per_minute) {
            Some(per_minute) => state.with_request_limit(per_minute),
            None => state,
        }
    }
}

/// As browsers write it: scheme, host and port, in lower case, and nothing behind.
fn origin(text: &str) -> anyhow::Result<HeaderValue> {
    let example = "is no origin; write it as https://app.example.com";
    let refused = || format!("api.allowed_origins: {text:?} {example}");
    let uri: Uri = text.parse().with_context(refused)?;
    let plain = match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority)) => format!("{scheme}://{authority}"),
        _ => bail!(refused()),
    };
    if plain != text || text.contains(['@', '*']) || text != text.to_lowercase() {
        bail!(refused());
    }
    HeaderValue::from_str(text).with_context(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> anyhow::Result<ApiSettings> {
        ApiSettings::check(toml::from_str(text)?)
    }

    #[test]
    fn origins_are_scheme_host_and_port() {
        for good in [
            "https://app.example.com",
            "http://localhost:3000",
            "https://[::1]:8443",
        ] {
            assert!(origin(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/x",
            "https://App.example.com",
            "https://a@app.example.com",
            "ftp://app.example.com",
            "https://*.example.com",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
        assert!(check("allowed_origins = [\"https://app.example.com/\"]").is_err());
    }

    #[test]
    fn times_and_sizes_are_at_least_one() {
        assert!(check("").is_ok());
        assert!(check("requests_per_minute = 0").is_ok());
        for key in [
            "max_body_mib",
            "body_timeout_seconds",
            "header_timeout_seconds",
        ] {
            assert!(check(&format!("{key} = 0")).is_err(), "{key}");
        }
    }
}
