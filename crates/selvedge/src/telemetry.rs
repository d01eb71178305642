//! Logs of the server (readable on a terminal, JSON lines otherwise) and its metrics.

use std::io::IsTerminal;

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Sets up logging to standard error. `filter` is a list of `target=level` directives.
pub(crate) fn init(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("the log filter {filter:?} is not valid"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let result = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init()
    };
    result.map_err(|error| anyhow::anyhow!("logging could not be set up: {error}"))
}

/// Collects metrics from now on.
pub(crate) fn metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .install_recorder()
        .context("metrics could not be set up")?;
    selvedge_jobs::metrics::describe();
    selvedge_gate::describe_metrics();
    Ok(handle)
}

/// `GET /metrics` in the Prometheus text format. It holds counts only: no account, table or address is a label.
pub(crate) fn metrics_route(handle: PrometheusHandle) -> Router {
    Router::new().route(
        "/metrics",
        get(move || {
            let text = handle.render();
            async move { ([("content-type", "text/plain; version=0.0.4")], text) }
        }),
    )
}
