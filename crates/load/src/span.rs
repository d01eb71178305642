//! The span of time that is measured, and what came of it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::latencies::Latencies;

#[derive(Args)]
pub(crate) struct SpanArguments {
    /// How long is measured.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How long is worked before that.
    #[arg(long, default_value_t = 1.0)]
    warm_up_seconds: f64,
}

/// What ends after `from` and not after `until` counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

impl SpanArguments {
    /// The warm-up starts now.
    pub(crate) fn begin(&self) -> Result<Span> {
        let seconds = |seconds: f64| {
            Duration::try_from_secs_f64(seconds)
                .context("a time span is a positive number of seconds")
        };
        let from = Instant::now() + seconds(self.warm_up_seconds)?;
        let until = from + seconds(self.seconds)?;
        Ok(Span { from, until })
    }

    /// Rates and percentiles, as JSON. An error when nothing was done in time.
    pub(crate) fn summary(&self, latencies: Latencies) -> Result<Value> {
        let latencies = latencies.sort();
        ensure!(latencies.len() > 0, "nothing was answered in time");
        Ok(json!({
            "requests": latencies.len(),
            "requests_per_second": latencies.len() as f64 / self.seconds,
            "p50_micros": latencies.percentile(500),
            "p99_micros": latencies.percentile(990),
            "max_micros": latencies.percentile(1000),
        }))
    }
}
