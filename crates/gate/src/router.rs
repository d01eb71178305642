//! The addresses of the gate, in front of everything else that the server answers.
//!
//! A few fixed addresses, asked thousands of times per second: they are told apart here, without the layers of a framework.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::{HeaderValue, Method, header};
use percent_encoding::percent_decode_str;

use crate::Gate;
use crate::answer::{Answer, CANNOT_KEEP};
use crate::metrics::EndpointMetrics;
use crate::routes::{batch, push, status, webhook};

/// What is asked for.
enum Endpoint<'a> {
    Status,
    Batch,
    Push,
    Validate,
    /// With the token of the address.
    Webhook(&'a str),
    Unknown,
}

impl<'a> Endpoint<'a> {
    /// `None` for addresses that are not the gate's.
    fn of(path: &'a str) -> Option<Self> {
        let path = path.strip_prefix("/v2/").filter(|path| !path.is_empty())?;
        Some(match path {
            "import/status" => Self::Status,
            "import/batch" => Self::Batch,
            "import/push" => Self::Push,
            "import/validate" => Self::Validate,
            _ => match path.strip_prefix("webhooks/") {
                Some(token) if !token.is_empty() && !token.contains('/') => Self::Webhook(token),
                _ => Self::Unknown,
            },
        })
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Self::Status => &[Method::GET, Method::HEAD],
            Self::Batch | Self::Push | Self::Validate | Self::Webhook(_) => &[Method::POST],
            Self::Unknown => &[],
        }
    }

    fn metrics<'g>(&self, gate: &'g Gate) -> Option<&'g EndpointMetrics> {
        let metrics = &gate.metrics;
        Some(match self {
            Self::Status => &metrics.status,
            Self::Batch => &metrics.batch,
            Self::Push => &metrics.push,
            Self::Validate => &metrics.validate,
            Self::Webhook(_) => &metrics.webhook,
            Self::Unknown => return None,
        })
    }
}

impl Gate {
    /// Answers a request to one of the gate's addresses, and gives back those to others.
    pub async fn answer(&self, request: Request) -> Result<Response, Request> {
        let (parts, body) = request.into_parts();
        let Some(endpoint) = Endpoint::of(parts.uri.path()) else {
            return Err(Request::from_parts(parts, body));
        };
        let started = Instant::now();
        let answering = self.dispatch(&endpoint, &parts, body);
        let response = match AssertUnwindSafe(answering).catch_unwind().await {
            Ok(response) => response,
            // The panic itself has been reported by the panic hook.
            Err(_) => Answer::Unavailable(CANNOT_KEEP).into_response(),
        };
        if let Some(metrics) = endpoint.metrics(self) {
            observe(metrics, started, &response);
        }
        Ok(response)
    }

    async fn dispatch(
        &self,
        endpoint: &Endpoint<'_>,
        parts: &http::request::Parts,
        body: Body,
    ) -> Response {
        let headers = &parts.headers;
        let methods = endpoint.methods();
        let answered = match endpoint {
            Endpoint::Unknown => Err(Answer::NotFound),
            _ if !methods.contains(&parts.method) => return method_not_allowed(methods),
            Endpoint::Status => return status::status(self),
            Endpoint::Batch => batch::batch(self, headers, body).await,
            Endpoint::Push => push::push(self, headers, body).await,
            Endpoint::Validate => push::validate(self, headers, body).await,
            Endpoint::Webhook(token) => match percent_decode_str(token).decode_utf8() {
                // Large, and not as frequent as the others.
                Ok(token) => Box::pin(webhook::webhook(self, &token, headers, body)).await,
                Err(_) => Err(Answer::NotAuthorized),
            },
        };
        answered.into_response()
    }
}

/// One line and one count per request. Never bodies, tokens or addresses.
fn observe(metrics: &EndpointMetrics, started: Instant, response: &Response) {
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    metrics.answered(status, elapsed.as_secs_f64());
    let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(
        endpoint = metrics.endpoint,
        http.status = status,
        elapsed_ms,
        "intake answered"
    );
}

fn method_not_allowed(methods: &'static [Method]) -> Response {
    let mut response = Answer::MethodNotAllowed.into_response();
    let allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(",")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        let name = |path: &str| {
            Endpoint::of(path).map(|endpoint| match endpoint {
                Endpoint::Status => "status".to_owned(),
                Endpoint::Batch => "batch".to_owned(),
                Endpoint::Push => "push".to_owned(),
                Endpoint::Validate => "validate".to_owned(),
                Endpoint::Webhook(token) => format!("webhook {token}"),
                Endpoint::Unknown => "unknown".to_owned(),
            })
        };
        for (path, expected) in [
            ("/v2/import/batch", Some("batch")),
            ("/v2/import/push", Some("push")),
            ("/v2/import/validate", Some("validate")),
            ("/v2/import/status", Some("status")),
            ("/v2/webhooks/at_1", Some("webhook at_1")),
            ("/v2/import/batch/", Some("unknown")),
            ("/v2/webhooks/", Some("unknown")),
            ("/v2/webhooks/at_1/more", Some("unknown")),
            ("/v2/unknown", Some("unknown")),
            ("/v2/", None),
            ("/v2", None),
            ("/v4/sources", None),
        ] {
            assert_eq!(name(path).as_deref(), expected, "{path}");
        }
    }
}
