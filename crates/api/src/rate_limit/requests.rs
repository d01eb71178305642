//! The general limit per token: a bucket that refills steadily and holds a minute's worth of requests.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use selvedge_control::Control;
use selvedge_types::TokenId;

use crate::ApiError;

/// Below this many tokens nothing is cleared out.
const FEW_TOKENS: usize = 1_024;

type Buckets =
    RateLimiter<TokenId, HashMapStateStore<TokenId>, ControlClock, NoOpMiddleware<Duration>>;

/// How many requests a token may make, on this node.
pub(crate) struct RequestLimit {
    buckets: Buckets,
    clock: ControlClock,
    /// Number of buckets at which those that are full again, and so say nothing, are dropped.
    clear_at: AtomicUsize,
}

impl RequestLimit {
    pub(crate) fn per_minute(requests: NonZeroU32, control: Control) -> Self {
        let clock = ControlClock(control);
        Self {
            buckets: RateLimiter::hashmap_with_clock(Quota::per_minute(requests), clock.clone()),
            clock,
            clear_at: AtomicUsize::new(FEW_TOKENS),
        }
    }

    /// Counts a request. The token has proved valid, so that there are at most as many buckets as tokens in use.
    pub(crate) fn count(&self, token: TokenId) -> Result<(), ApiError> {
        let counted = self.buckets.check_key(&token);
        self.clear_out();
        counted.map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            ApiError::RateLimited {
                retry_after_seconds: i64::try_from(seconds).unwrap_or(i64::MAX).max(1),
            }
        })
    }

    fn clear_out(&self) {
        if self.buckets.len() < self.clear_at.load(Ordering::Relaxed) {
            return;
        }
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
        let clear_at = (self.buckets.len() * 2).max(FEW_TOKENS);
        self.clear_at.store(clear_at, Ordering::Relaxed);
    }
}

/// The server's clock, as the buckets ask for it.
#[derive(Clone)]
struct ControlClock(Control);

impl Clock for ControlClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().as_micros()).unwrap_or(0))
    }
}
