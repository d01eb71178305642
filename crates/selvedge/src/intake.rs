//! Opening the intake log: the store remembers what of it is loaded.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use selvedge_spool::{IntakeLog, Lane, Lsn, SegmentLog, SpoolKey};
use selvedge_store::{MasterKey, Store, intake_lanes};
use selvedge_types::{Clock, DestinationId};

use crate::config::IntakeSettings;
use crate::data_dir::DataDir;

/// Opens the log in the data directory, or begins one.
pub(crate) async fn open_log(
    directory: &DataDir,
    master_key: &MasterKey,
    settings: &IntakeSettings,
    clock: &Arc<dyn Clock>,
    store: &Store,
) -> anyhow::Result<Arc<dyn IntakeLog>> {
    let path = directory.intake();
    let failed = format!("the intake log in {} could not be opened", path.display());
    // Which log it is turns out when it is opened; there is one, or after a restored backup a few.
    let mut tx = store.read().await?;
    let loaded: HashMap<(String, Lane), Lsn> = intake_lanes::list_loaded(&mut tx)
        .await?
        .into_iter()
        .map(|(key, upto)| {
            let lane = Lane {
                source: key.source,
                destination: Some(DestinationId(key.destination)).filter(|id| id.0 != 0),
                table_name: Arc::from(key.table_name),
            };
            ((key.log_id, lane), Lsn(upto.unsigned_abs()))
        })
        .collect();
    drop(tx);
    let key = SpoolKey::new(master_key.derive("intake log"));
    let (settings, clock) = (settings.log(), Arc::clone(clock));
    let opened = tokio::task::spawn_blocking(move || {
        let acknowledged = |log: uuid::Uuid, lane: &Lane| {
            let key = (log.simple().to_string(), lane.clone());
            loaded.get(&key).copied().unwrap_or(Lsn::ZERO)
        };
        SegmentLog::open(&path, key, settings, clock, &acknowledged)
    });
    let log = opened.await?.context(failed)?;
    Ok(Arc::new(log))
}
