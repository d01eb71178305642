//! What every job of a node needs.

use std::sync::Arc;
use std::time::Duration;

use selvedge_connectors::Registry;
use selvedge_control::Control;
use selvedge_engine::RunLimits;
use selvedge_net::Dialer;
use selvedge_types::Clock;

use crate::log::LogDirectory;

/// What every job of this node shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) control: Control,
    pub(crate) registry: Registry,
    pub(crate) dialer: Dialer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) logs: LogDirectory,
    pub(crate) time_limit: Duration,
    pub(crate) limits: RunLimits,
}
