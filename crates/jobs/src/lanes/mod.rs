//! Loading what was accepted: watches the intake log, and loads each lane when it is due.
//!
//! Lanes are loaded beside each other, each by one load at a time. A lane whose load failed is tried again later and later;
//! when its destination cannot be reached, the destination's other lanes wait with it.

mod due;
mod journal;
mod load;
mod parts;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use selvedge_connectors::Registry;
use selvedge_control::Control;
use selvedge_net::Dialer;
use selvedge_spool::{IntakeLog, Lane, WaitingLane};
use selvedge_types::{AccountId, Clock, SourceId, Timestamp};
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::metrics;
use due::Agenda;
use load::{Loaded, Loader};

/// How often lanes are looked at.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// How often destinations that lanes wait for are looked at: their settings may have been mended.
const FORGIVE_SECONDS: i64 = 2;
/// How often what waits beyond its time is dropped.
const DISCARD_SECONDS: i64 = 3_600;

/// When lanes are loaded.
#[derive(Clone, Debug)]
pub struct LaneSettings {
    /// A lane is loaded when a record has waited so long …
    pub load_after: Duration,
    /// … or when so many wait …
    pub load_records: u64,
    /// … or so many bytes.
    pub load_bytes: u64,
    /// Lanes that are loaded at the same time; one account gets half.
    pub concurrency: usize,
    /// What could not be loaded for so long is dropped from the log.
    pub retention: Duration,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self {
            load_after: Duration::from_secs(60),
            load_records: 100_000,
            load_bytes: 100 << 20,
            concurrency: 4,
            retention: Duration::from_secs(30 * 86_400),
        }
    }
}

/// Loads lanes until it is stopped.
pub struct LaneRunner {
    loader: Loader,
    clock: Arc<dyn Clock>,
    log: Arc<dyn IntakeLog>,
    settings: LaneSettings,
}

impl LaneRunner {
    pub fn new(
        control: Control,
        registry: Registry,
        dialer: Dialer,
        clock: Arc<dyn Clock>,
        log: Arc<dyn IntakeLog>,
        settings: LaneSettings,
    ) -> Self {
        let loader = Loader {
            control,
            registry,
            dialer,
            clock: Arc::clone(&clock),
            log: Arc::clone(&log),
        };
        Self {
            loader,
            clock,
            log,
            settings,
        }
    }

    /// Works until `stop`; then loads end behind the part that they are writing, or at once on `abort`. What is not loaded
    /// stays in the log.
    pub async fn run(self, stop: CancellationToken, abort: CancellationToken) {
        let mut agenda = Agenda::default();
        let mut running: HashMap<task::Id, (Lane, AccountId)> = HashMap::new();
        let mut tasks: JoinSet<Loaded> = JoinSet::new();
        let mut every = tokio::time::interval(POLL_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let [mut discard_at, mut forgive_at] = [Timestamp::from_micros(0); 2];
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(joined) = tasks.join_next_with_id(), if !tasks.is_empty() => {
                    self.ended(&mut agenda, &mut running, joined);
                }
                _ = every.tick() => {}
            }
            let now = self.clock.now();
            if now >= discard_at {
                discard_at = now.plus_seconds(DISCARD_SECONDS);
                self.discard_expired().await;
                self.prune(now).await;
            }
            if now >= forgive_at {
                forgive_at = now.plus_seconds(FORGIVE_SECONDS);
                match self.loader.changed(agenda.blocked()).await {
                    Ok(changed) => changed.into_iter().for_each(|id| agenda.forgive(id)),
                    Err(error) => {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(error, "destinations could not be looked up");
                    }
                }
            }
            let waiting = self.log.lanes();
            agenda.keep_only(&waiting);
            let records = waiting.iter().map(|lane| lane.record_count).sum();
            metrics::waiting(waiting.len(), records);
            // One load of a table at a time, also when some of its records came before the source had a destination.
            let busy: HashSet<_> = running.values().map(|(lane, _)| table(lane)).collect();
            let mut begun = HashSet::new();
            for lane in agenda.due(&waiting, &self.settings, now) {
                if running.len() >= self.settings.concurrency {
                    break;
                }
                let table = table(&lane.lane);
                if busy.contains(&table) || !self.has_room(&running, lane) || !begun.insert(table) {
                    continue;
                }
                let load = self
                    .loader
                    .clone()
                    .load(lane.clone(), stop.clone(), abort.clone());
                let id = tasks.spawn(load).id();
                running.insert(id, (lane.lane.clone(), lane.account));
            }
        }
        while let Some(joined) = tasks.join_next_with_id().await {
            self.ended(&mut agenda, &mut running, joined);
        }
    }

    /// Whether the account has fewer than half of the loads.
    fn has_room(&self, running: &HashMap<task::Id, (Lane, AccountId)>, lane: &WaitingLane) -> bool {
        let own = running
            .values()
            .filter(|(_, account)| *account == lane.account)
            .count();
        own < (self.settings.concurrency / 2).max(1)
    }

    fn ended(
        &self,
        agenda: &mut Agenda,
        running: &mut HashMap<task::Id, (Lane, AccountId)>,
        joined: Result<(task::Id, Loaded), task::JoinError>,
    ) {
        let now = self.clock.now();
        match joined {
            Ok((id, loaded)) => {
                if let Some((lane, _)) = running.remove(&id) {
                    agenda.note(&lane, &loaded, now);
                }
            }
            Err(error) => {
                tracing::error!(%error, "a load crashed; it is tried again later");
                if let Some((lane, _)) = running.remove(&error.id()) {
                    agenda.note(&lane, &Loaded::crashed(), now);
                }
            }
        }
    }

    /// Forgets lanes that nothing has come for in twice the time that the log keeps anything.
    async fn prune(&self, now: Timestamp) {
        let kept = self.settings.retention.saturating_mul(2).as_secs();
        let kept = i64::try_from(kept).unwrap_or(i64::MAX);
        match self
            .loader
            .prune(now.plus_seconds(kept.saturating_neg()))
            .await
        {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "forgot lanes that are not used any more"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "lanes that are not used any more could not be forgotten"
                );
            }
        }
    }

    async fn discard_expired(&self) {
        match self.log.discard_expired().await {
            Ok(dropped) => {
                for lane in dropped {
                    tracing::error!(
                        account.id = lane.account.0,
                        source.id = lane.lane.source.0,
                        table = %lane.lane.table_name,
                        records = lane.record_count,
                        bytes = lane.byte_count,
                        oldest = %lane.oldest_received_at,
                        "accepted records were dropped: their destination was not available for longer than they are kept"
                    );
                    self.loader.forget(&lane).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "what waits beyond its time could not be looked up; it is tried again later");
            }
        }
    }
}

/// Which table of a source, wherever it goes.
fn table(lane: &Lane) -> (SourceId, Arc<str>) {
    (lane.source, Arc::clone(&lane.table_name))
}
