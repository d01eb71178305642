//! The documented limit on the lists of jobs: counted per account and reported in headers, refused only if the operator
//! says so.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use selvedge_types::{AccountId, Timestamp};

use crate::auth::Caller;
use crate::{ApiError, AppState};

/// Requests per window and account.
const LIMIT: u32 = 30;
const WINDOW_SECONDS: i64 = 600;

/// Windows of the accounts that called lately, on this node.
#[derive(Debug, Default)]
pub(crate) struct JobsGroup {
    windows: Mutex<HashMap<AccountId, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends_at: Timestamp,
    used: u32,
}

/// Where an account stands after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    remaining: u32,
    reset_seconds: i64,
    exceeded: bool,
}

impl JobsGroup {
    fn count(&self, account: AccountId, now: Timestamp) -> Standing {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if !windows.contains_key(&account) {
            // A new caller pays for clearing out, so that the map holds the callers of one window at most.
            windows.retain(|_, window| window.ends_at > now);
        }
        let fresh = Window {
            ends_at: now.plus_seconds(WINDOW_SECONDS),
            used: 0,
        };
        let window = windows.entry(account).or_insert(fresh);
        if window.ends_at <= now {
            *window = fresh;
        }
        window.used = window.used.saturating_add(1);
        let reset_micros = window.ends_at.as_micros() - now.as_micros();
        Standing {
            remaining: LIMIT.saturating_sub(window.used),
            reset_seconds: (reset_micros + 999_999).div_euclid(1_000_000),
            exceeded: window.used > LIMIT,
        }
    }
}

/// Counts a request of the group and adds the headers. Requests without a valid token are not counted.
pub(crate) async fn count_jobs_request(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = match Caller::from_request_parts(&mut parts, &state).await {
        Ok(Caller(scope)) => scope.account(),
        Err(refused) => return refused.into_response(),
    };
    let standing = state.jobs_group.count(caller, state.control.now());
    let mut response = if standing.exceeded && state.enforce_jobs_group {
        let retry_after_seconds = standing.reset_seconds;
        ApiError::RateLimited {
            retry_after_seconds,
        }
        .into_response()
    } else {
        next.run(Request::from_parts(parts, body)).await
    };
    set(&mut response, "ratelimit-limit", LIMIT.into());
    set(
        &mut response,
        "ratelimit-remaining",
        standing.remaining.into(),
    );
    set(&mut response, "ratelimit-reset", standing.reset_seconds);
    response
}

fn set(response: &mut Response, name: &'static str, value: i64) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_per_account_and_window() {
        let limiter = JobsGroup::default();
        let start = Timestamp::from_micros(1_000_000);
        for used in 1..=LIMIT {
            let standing = limiter.count(AccountId(1), start);
            assert_eq!(standing.remaining, LIMIT - used);
            assert!(!standing.exceeded);
        }
        let later = start.plus_seconds(60);
        let standing = limiter.count(AccountId(1), later);
        assert_eq!(
            standing,
            Standing {
                remaining: 0,
                reset_seconds: 540,
                exceeded: true
            }
        );
        assert_eq!(limiter.count(AccountId(2), later).remaining, LIMIT - 1);
        let next_window = start.plus_seconds(WINDOW_SECONDS);
        assert_eq!(
            limiter.count(AccountId(1), next_window).remaining,
            LIMIT - 1
        );
    }
}
