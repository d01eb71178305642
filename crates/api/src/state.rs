//! What the handlers share.

use std::sync::Arc;

use selvedge_control::Control;

use crate::rate_limit::RateLimiter;

/// Largest request body the documentation promises to take.
pub const DEFAULT_BODY_LIMIT: usize = 20 * 1024 * 1024;

/// The state of the router. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub(crate) control: Control,
    pub(crate) rate_limiter: Arc<RateLimiter>,
    pub(crate) enforce_rate_limit: bool,
    pub(crate) body_limit_bytes: usize,
}

impl AppState {
    /// Counts rate limits without enforcing them and takes bodies of up to 20 MiB.
    pub fn new(control: Control) -> Self {
        Self {
            control,
            rate_limiter: Arc::default(),
            enforce_rate_limit: false,
            body_limit_bytes: DEFAULT_BODY_LIMIT,
        }
    }

    /// Answers 429 to callers over the rate limit.
    pub fn with_enforced_rate_limit(mut self, enforce: bool) -> Self {
        self.enforce_rate_limit = enforce;
        self
    }

    /// Larger bodies are answered with 413.
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        self.body_limit_bytes = bytes;
        self
    }
}
