//! What every request of the gate needs.

use std::sync::Arc;
use std::time::Duration;

use selvedge_control::Control;
use selvedge_control::intake::{Pushers, SequenceClocks};
use selvedge_spool::IntakeLog;

use crate::metrics::GateMetrics;
use crate::turns::Turns;

/// The operator's choices.
#[derive(Clone, Debug)]
pub struct GateSettings {
    /// Largest body, in bytes, after decompression.
    pub body_limit_bytes: usize,
    /// How long a body may take to arrive, and to be kept.
    pub patience: Duration,
    /// Bytes of bodies in memory at a time, over all accounts; one account gets half.
    pub memory_bytes: usize,
    /// Bodies that are checked at a time; one account gets half. Two for each processor unless set otherwise: so one account
    /// alone still keeps all of them busy.
    pub workers: usize,
    /// Written into the answer about the gate's state.
    pub version: &'static str,
    pub revision: &'static str,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            body_limit_bytes: 20 << 20,
            patience: Duration::from_secs(60),
            memory_bytes: 256 << 20,
            workers: 2 * std::thread::available_parallelism().map_or(1, usize::from),
            version: env!("CARGO_PKG_VERSION"),
            revision: "unknown",
        }
    }
}

/// The gate's parts.
pub struct Gate {
    pub(crate) control: Control,
    pub(crate) log: Arc<dyn IntakeLog>,
    pub(crate) pushers: Pushers,
    pub(crate) clocks: SequenceClocks,
    pub(crate) turns: Turns,
    pub(crate) metrics: GateMetrics,
    pub(crate) settings: GateSettings,
}

impl Gate {
    /// The recorder of metrics is installed by then.
    pub fn new(control: Control, log: Arc<dyn IntakeLog>, settings: GateSettings) -> Self {
        Self {
            control,
            log,
            pushers: Pushers::default(),
            clocks: SequenceClocks::default(),
            turns: Turns::new(settings.memory_bytes, settings.workers),
            metrics: GateMetrics::new(),
            settings,
        }
    }
}
