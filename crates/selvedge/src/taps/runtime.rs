//! What the server runs taps with.

use std::sync::Arc;

use anyhow::Context as _;
use selvedge_connectors::TapRuntime;
use selvedge_singer::{Launcher, TapHost, sweep_runs};
use selvedge_taps::Taps;

use crate::config::ServeSettings;
use crate::data_dir::DataDir;
use crate::tap_launch;

/// Taps as the settings say. What a server before this one left behind when it died is ended and removed.
pub(crate) fn runtime(settings: &ServeSettings, directory: &DataDir) -> anyhow::Result<TapRuntime> {
    let runs = directory.tap_runs();
    let swept = sweep_runs(&runs).context("what earlier runs of taps left cannot be removed")?;
    if swept > 0 {
        tracing::info!(
            run.count = swept,
            "removed what taps left when the server was lost"
        );
    }
    // Taps are started through this very binary, which takes rights away from itself first.
    let program = std::env::current_exe().context("the server's own program is unknown")?;
    let taps = settings.taps.taps(settings.oauth_clients.clone());
    Ok(TapRuntime {
        taps: Arc::new(Taps::new(taps)),
        host: TapHost {
            launcher: Launcher::new(program, &[tap_launch::NAME]),
            directory: runs,
            forbidden: vec![directory.root().to_owned()],
            environment: settings.taps.environment(),
            private_home: true,
        },
        limits: settings.taps.limits(),
    })
}
