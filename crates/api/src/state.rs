//! What the handlers share.

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use selvedge_control::Control;

use crate::answers::Answers;
use crate::rate_limit::{JobsGroup, RequestLimit};
use crate::type_cards::TypeCards;

/// Largest request body the documentation promises to take.
pub const DEFAULT_BODY_LIMIT: usize = 20 * 1024 * 1024;
/// How long a request body may take to arrive.
pub const DEFAULT_BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The state of the router. Cheap to clone: every layer does, for every request.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What there is one of, whoever holds it.
#[derive(Clone)]
pub struct Shared {
    pub(crate) control: Control,
    pub(crate) request_limit: Option<Arc<RequestLimit>>,
    pub(crate) jobs_group: Arc<JobsGroup>,
    pub(crate) enforce_jobs_group: bool,
    pub(crate) type_cards: Arc<TypeCards>,
    pub(crate) answers: Answers,
    pub(crate) body_limit_bytes: usize,
    pub(crate) body_timeout: Duration,
    /// Values of `Origin` whose pages may call.
    pub(crate) allowed_origins: Arc<[HeaderValue]>,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl AppState {
    /// Limits nobody, allows no origin, and takes bodies of up to 20 MiB within a minute.
    pub fn new(control: Control) -> Self {
        Self(Arc::new(Shared {
            control,
            request_limit: None,
            jobs_group: Arc::default(),
            enforce_jobs_group: false,
            type_cards: Arc::default(),
            answers: Answers::default(),
            body_limit_bytes: DEFAULT_BODY_LIMIT,
            body_timeout: DEFAULT_BODY_TIMEOUT,
            allowed_origins: Arc::default(),
        }))
    }

    /// Answers 429 to tokens that make more requests; a minute's worth may come at once.
    pub fn with_request_limit(mut self, per_minute: NonZeroU32) -> Self {
        let limit = RequestLimit::per_minute(per_minute, self.control.clone());
        Arc::make_mut(&mut self.0).request_limit = Some(Arc::new(limit));
        self
    }

    /// Answers 429 to accounts over the limit of the jobs group, instead of only telling them.
    pub fn with_enforced_jobs_group(mut self, enforce: bool) -> Self {
        Arc::make_mut(&mut self.0).enforce_jobs_group = enforce;
        self
    }

    /// Larger bodies are answered with 413.
    pub fn with_body_limit(mut self, bytes: usize) -> Self {
        Arc::make_mut(&mut self.0).body_limit_bytes = bytes;
        self
    }

    /// Bodies that take longer are answered with 408.
    pub fn with_body_timeout(mut self, timeout: Duration) -> Self {
        Arc::make_mut(&mut self.0).body_timeout = timeout;
        self
    }

    /// Lets pages of these origins (`https://app.example.com`) call from a browser.
    pub fn with_allowed_origins(mut self, origins: impl IntoIterator<Item = HeaderValue>) -> Self {
        Arc::make_mut(&mut self.0).allowed_origins = origins.into_iter().collect();
        self
    }
}
