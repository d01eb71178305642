//! The `Idempotency-Key` header: a client that does not know whether its request arrived sends it again, and nothing is
//! done twice.
//!
//! A layer, so that it sees answers whole: those of first requests are kept, those of repeats come from the store without the
//! handler being asked. It judges after the token and the rate limit and before ids and body.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use selvedge_control::accounts;
use selvedge_control::idempotency::{self, Attempt, FirstRun, KeyOwner};
use tracing::Instrument;

use crate::auth::Caller;
use crate::json::{object, read_body, respond_with};
use crate::{ApiError, AppState};

/// The header's name.
const KEY: &str = "idempotency-key";
/// Longest key, in characters.
const MAX_KEY: usize = 255;
/// Where the body, not a token, says who asks.
const ACCOUNTS: &str = "/v3/accounts";

/// The `POST`s that honour keys; on all others the header means nothing.
pub(crate) const ROUTES: [&str; 8] = [
    ACCOUNTS,
    "/v3/destinations",
    "/v4/destinations",
    "/v4/sources",
    "/v4/sources/{source_id}/tokens",
    "/v4/sources/{source_id}/sync",
    "/notifications/public/v1/api/custom-emails",
    "/notifications/public/v1/api/hooks",
];

/// Gives repeats of a request the first answer.
pub(crate) async fn honour_keys(state: AppState, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let honoured = route.is_some_and(|route| ROUTES.contains(&route.as_str()));
    if request.method() != Method::POST || !honoured || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    // Apart from what every request carries along: it is large, and seldom needed.
    Box::pin(honour(state, request, next))
        .await
        .unwrap_or_else(IntoResponse::into_response)
}

async fn honour(state: AppState, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut parts, body) = request.into_parts();
    let by_partner = parts.uri.path() == ACCOUNTS;
    let caller = if by_partner {
        None
    } else {
        Some(Caller::from_request_parts(&mut parts, &state).await?)
    };
    let key = key(&parts.headers)?.to_owned();
    let operation = format!("{} {}", parts.method, parts.uri.path());
    let body = read_body(Request::from_parts(parts.clone(), body), &state).await?;
    let owner = match (caller, &body) {
        (Some(Caller(scope)), _) => Some(KeyOwner::Account(scope)),
        (None, Some(body)) => accounts::partner_of(&state.control, object(body).as_ref())
            .await?
            .map(KeyOwner::Partner),
        (None, None) => None,
    };
    let (Some(owner), Some(body)) = (owner, body.clone()) else {
        // Nobody who could ask for the answer again, or nothing that could be sent again.
        let body = Body::from(body.unwrap_or_default());
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let request = Request::from_parts(parts, Body::from(body.clone()));
    // A task of its own: a client that hangs up is the very one that will send a repeat.
    let answering = async move {
        match idempotency::begin(&state.control, &owner, &operation, &key, &body).await? {
            Attempt::First(run) => carry_out(&state, request, next, run).await,
            Attempt::Repeat { status, body } => {
                let status =
                    StatusCode::from_u16(status).map_err(|_| ApiError::KeptAnswer(status))?;
                Ok(respond_with(status, body))
            }
            Attempt::OtherBody => Err(ApiError::IdempotencyMismatch),
        }
    };
    tokio::spawn(answering.in_current_span())
        .await
        .unwrap_or(Err(ApiError::Panicked))
}

/// Asks the handler, and keeps what it answers unless that is a failure of ours. A handler that panics is one that answers
/// 500: panics are caught below this layer.
async fn carry_out(
    state: &AppState,
    request: Request,
    next: Next,
    run: FirstRun,
) -> Result<Response, ApiError> {
    let (parts, body) = next.run(request).await.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX)
        .await
        .map_err(|_| ApiError::Panicked)?;
    let kept = if parts.status.is_server_error() {
        run.release(&state.control).await
    } else {
        run.keep(&state.control, parts.status.as_u16(), &body).await
    };
    if let Err(error) = kept {
        // What was asked has been done; only a repeat would not learn of it.
        let error: &dyn std::error::Error = &error;
        tracing::error!(error, "an answer could not be kept for repeats");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// The key, given once, of 1 to 255 printable ASCII characters.
fn key(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut keys = headers.get_all(KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(ApiError::IdempotencyKey);
    };
    let key = key.to_str().map_err(|_| ApiError::IdempotencyKey)?;
    if (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        Ok(key)
    } else {
        Err(ApiError::IdempotencyKey)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_one_header_of_printable_ascii() {
        let read = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(KEY, HeaderValue::from_bytes(value).unwrap());
            }
            key(&headers).is_ok()
        };
        assert!(read(&[b"6f1c0d9e-5b6e-11f0-8c5d-0a1b2c3d4e5f"]));
        assert!(read(&[b"a key"]));
        assert!(read(&[&[b'x'; 255]]));
        assert!(!read(&[]));
        assert!(!read(&[b"a", b"a"]));
        for bad in [&b""[..], &[b'x'; 256], "é".as_bytes(), b"a\tb"] {
            assert!(!read(&[bad]), "{bad:?}");
        }
    }
}
