//! What the server runs taps with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use selvedge_connectors::TapRuntime;
use selvedge_singer::{Launcher, TapHost, TapUser, sweep_runs};
use selvedge_taps::Taps;

use crate::config::ServeSettings;
use crate::data_dir::DataDir;
use crate::tap_launch;

/// Beside the environments: where runs are of taps that do not get into the data directory.
const SHARED_RUNS: &str = ".runs";

/// Taps as the settings say. What a server before this one left behind when it died is ended and removed.
pub(crate) fn runtime(settings: &ServeSettings, directory: &DataDir) -> anyhow::Result<TapRuntime> {
    let taps = settings.taps.taps(settings.oauth_clients.clone());
    let (own, shared) = (directory.tap_runs(), taps.directory.join(SHARED_RUNS));
    let mut swept = 0;
    for runs in [&own, &shared] {
        swept += sweep_runs(runs).context("what earlier runs of taps left cannot be removed")?;
    }
    if swept > 0 {
        tracing::info!(
            run.count = swept,
            "removed what taps left when the server was lost"
        );
    }
    // Taps are started through this very binary, which takes rights away from itself first.
    let program = std::env::current_exe().context("the server's own program is unknown")?;
    let user = settings.taps.user();
    if let Some(user) = user {
        let environments = reachable(&taps.directory, user, directory).context("taps.user")?;
        tracing::info!(user = %user, directory = %environments.display(), "taps run as another user");
    } else if rustix::process::geteuid().is_root() {
        tracing::info!("taps run as root, as the server does; taps.user names another user");
    }
    Ok(TapRuntime {
        taps: Arc::new(Taps::new(taps)),
        host: TapHost {
            launcher: Launcher::new(program, &[tap_launch::NAME]),
            user,
            directory: match user {
                Some(_) => shared,
                None => own,
            },
            forbidden: vec![directory.root().to_owned()],
            environment: settings.taps.environment(),
            private_home: true,
        },
        limits: settings.taps.limits(),
    })
}

/// The directory of the environments, which a user who does not get into the data directory must get into.
fn reachable(directory: &Path, user: TapUser, data: &DataDir) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("{} could not be made", directory.display()))?;
    let directory = directory.canonicalize()?;
    ensure!(
        !directory.starts_with(data.root()),
        "taps.directory, {}, must lie outside of the data directory, which that user does not get into",
        directory.display()
    );
    user.check(&directory)?;
    Ok(directory)
}
