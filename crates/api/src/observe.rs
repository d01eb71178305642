//! One span and one line per request: who asked for what, and how it went. Never bodies, queries or secrets.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument, info_span};

pub(crate) async fn observe(
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    // The pattern of the route, not the address: addresses of logs carry signatures.
    let route = request.extensions().get::<MatchedPath>();
    let span = info_span!(
        "http.request",
        http.method = %request.method(),
        http.route = route.map_or("unknown", MatchedPath::as_str),
        http.status = Empty,
        account.id = Empty,
    );
    let started = Instant::now();
    async move {
        let response = answer(request).await;
        let status = response.status().as_u16();
        tracing::Span::current().record("http.status", status);
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(http.status = status, elapsed_ms, "request answered");
        response
    }
    .instrument(span)
    .await
}
