//! Everything a connector needs from outside; it reaches for no globals.

use std::sync::Arc;

use selvedge_net::Dialer;
use selvedge_types::Clock;
use tokio_util::sync::CancellationToken;

use crate::TypeFidelity;

/// For [`crate::Source::check`] and [`crate::Destination::check`].
#[derive(Clone)]
pub struct CheckContext {
    pub dialer: Dialer,
    /// Cancelled when the check is to stop.
    pub stop: CancellationToken,
}

/// For [`crate::Source::discover`].
#[derive(Clone)]
pub struct DiscoverContext {
    pub dialer: Dialer,
    pub stop: CancellationToken,
    /// Fidelity of the destination the source is mapped to: decides which column types are supported.
    pub fidelity: TypeFidelity,
}

/// For [`crate::Source::read`].
#[derive(Clone)]
pub struct ReadContext {
    pub dialer: Dialer,
    pub clock: Arc<dyn Clock>,
    pub stop: CancellationToken,
    pub fidelity: TypeFidelity,
    /// A batch is handed on when it holds about this many bytes, or [`ReadContext::batch_rows`] rows.
    pub batch_bytes: usize,
    pub batch_rows: usize,
}

/// For [`crate::Destination::open`].
#[derive(Clone)]
pub struct LoadContext {
    pub dialer: Dialer,
    pub clock: Arc<dyn Clock>,
    pub stop: CancellationToken,
    /// Fencing number of the run's lease. A destination that has seen a greater one for the stream refuses to commit.
    pub fence: i64,
    /// Unique to the run; feeds generated row identities (`__sdc_primary_key`).
    pub run_seed: u64,
}
