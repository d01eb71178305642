//! Calls from pages of other origins: only from those that the operator lists.

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::AppState;

/// What listed origins are told, besides their own name.
const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Authorization, X-Requested-With, Content-Type, Accept, X-Stitch-Csrf-Token",
    ),
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        "GET, POST, PUT, DELETE",
    ),
    (header::ACCESS_CONTROL_MAX_AGE, "604800"),
];

/// Adds the headers to every answer that a listed origin gets, and answers its browser's question before a call.
pub(crate) async fn allow_listed_origins(
    state: &AppState,
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let origin = listed_origin(state, request.headers()).cloned();
    let mut response = if origin.is_some() && asks_before_a_call(&request) {
        StatusCode::OK.into_response()
    } else {
        answer(request).await
    };
    let headers = response.headers_mut();
    if !state.allowed_origins.is_empty() {
        // Also on the answers to others: a cache must not give them to a listed origin.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        for (name, value) in HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// Whether this is a preflight of an address that exists.
fn asks_before_a_call(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && request.extensions().get::<MatchedPath>().is_some()
}

fn listed_origin<'a>(state: &AppState, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
    headers
        .get(header::ORIGIN)
        .filter(|origin| state.allowed_origins.contains(origin))
}
