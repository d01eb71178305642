//! One load of one lane: where it goes, and how it is recorded.

use std::sync::Arc;

use selvedge_connector::{ConnectorError, ErrorKind, LoadContext, LogLevel, StreamIdentity};
use selvedge_connectors::Registry;
use selvedge_control::Control;
use selvedge_engine::RunLimits;
use selvedge_engine::lane::{LaneError, LaneJournal as _, LaneLoad, LanePosition, LaneReport};
use selvedge_net::Dialer;
use selvedge_spool::{IntakeLog, Lane, Lsn, WaitingLane};
use selvedge_store::intake_lanes::{self, LaneKey};
use selvedge_store::{StoreError, destinations, loads, sources};
use selvedge_types::{AccountScope, Clock, DestinationId, Timestamp};
use tokio_util::sync::CancellationToken;

use super::journal::StoreLaneJournal;
use super::parts::LogParts;
use crate::connections;
use crate::journal::error_state;

/// The life that loads of lanes write in. Lanes are not reset; another log's positions are told apart by its id.
const EPOCH: i64 = 1;

/// What every load needs.
#[derive(Clone)]
pub(super) struct Loader {
    pub(super) control: Control,
    pub(super) registry: Registry,
    pub(super) dialer: Dialer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) log: Arc<dyn IntakeLog>,
}

/// How a load ended, for the agenda.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loaded {
    /// Up to here everything was looked at.
    pub(super) seen: Lsn,
    pub(super) held_records: u64,
    pub(super) held_bytes: u64,
    /// Where the data went, or was to go.
    pub(super) route: Option<RouteEnd>,
    pub(super) failure: Option<Failure>,
}

/// The destination at the end of a route, as the load saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RouteEnd {
    pub(super) scope: AccountScope,
    pub(super) destination: DestinationId,
    /// When its settings were changed last.
    pub(super) updated_at: Timestamp,
}

/// Who waits because of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The lane, until its source has a destination.
    NoDestination,
    /// The lane.
    Table,
    /// All lanes of the destination.
    Destination,
}

impl Loaded {
    /// The load's task ended without an answer.
    pub(super) fn crashed() -> Self {
        Self {
            failure: Some(Failure::Table),
            ..Self::default()
        }
    }
}

/// A lane's way into its table.
struct Route {
    end: RouteEnd,
    schema_name: String,
}

impl Loader {
    /// Loads what waits in the lane and records how it went.
    pub(super) async fn load(
        self,
        waiting: WaitingLane,
        stop: CancellationToken,
        abort: CancellationToken,
    ) -> Loaded {
        let scope = AccountScope::of(waiting.account);
        let lane = waiting.lane.clone();
        let route = match self.route(scope, &lane).await {
            Ok(Some(route)) => route,
            Ok(None) => {
                return Loaded {
                    failure: Some(Failure::NoDestination),
                    ..Loaded::default()
                };
            }
            Err(error) => return unrecorded(&lane, &error),
        };
        let key = self.key(&lane);
        let started = self.clock.now();
        let (fence, position) = match self.open(scope, &key).await {
            Ok(Some(opened)) => opened,
            Ok(None) => return Loaded::crashed(),
            Err(error) => return unrecorded(&lane, &error),
        };
        let journal = Arc::new(StoreLaneJournal {
            control: self.control.clone(),
            log: Arc::clone(&self.log),
            clock: Arc::clone(&self.clock),
            scope,
            lane: lane.clone(),
            key,
            fence,
            destination: route.end.destination,
        });
        let loaded = self
            .carry(&waiting, &route, position, fence, &journal, stop, abort)
            .await;
        let ended = Loaded {
            route: Some(route.end),
            ..Loaded::default()
        };
        match loaded {
            Ok(report) => {
                let elapsed_ms = (self.clock.now().as_micros() - started.as_micros()) / 1_000;
                told(&lane, &report, elapsed_ms);
                if report.stopped {
                    return ended;
                }
                Loaded {
                    seen: Lsn(report.position.through.max(report.position.upto)),
                    held_records: report.books.held,
                    held_bytes: self.held_bytes(&lane, &report.position),
                    ..ended
                }
            }
            Err(LaneError::Target(error)) if error.kind == ErrorKind::Stopped => ended,
            Err(error) => {
                journal.log(LogLevel::Critical, &error.to_string());
                let target = match &error {
                    LaneError::Target(error) => error.clone(),
                    other => ConnectorError::internal(other.to_string()),
                };
                if let Err(error) = self.failed(scope, &lane, &target).await {
                    return unrecorded(&lane, &error);
                }
                Loaded {
                    failure: Some(blame(&target)),
                    ..ended
                }
            }
        }
    }

    /// The lane's dropped parts do not wait again after the next start.
    pub(super) async fn forget(&self, dropped: &WaitingLane) {
        let scope = AccountScope::of(dropped.account);
        let key = self.key(&dropped.lane);
        let forgotten = async {
            let now = self.clock.now();
            let mut tx = self.control.store().begin().await?;
            if let Some((fence, position)) = intake_lanes::open(&mut tx, scope, &key, now).await? {
                let last = i64::try_from(dropped.last.0).unwrap_or(i64::MAX);
                let position = intake_lanes::LanePosition {
                    upto: position.upto.max(last),
                    ..position
                };
                intake_lanes::save(&mut tx, scope, &key, fence, position, now).await?;
            }
            tx.commit().await
        };
        if let Err(error) = forgotten.await {
            tracing::warn!(%error, "what was dropped could not be recorded; it is dropped again after the next start");
        }
    }

    /// Forgets lanes that nothing was loaded from since then; how many.
    pub(super) async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.control.store().begin().await?;
        let count = intake_lanes::prune(&mut tx, before).await?;
        tx.commit().await?;
        Ok(count)
    }

    /// Those of the destinations whose settings have been changed since.
    pub(super) async fn changed(
        &self,
        ends: Vec<RouteEnd>,
    ) -> Result<Vec<DestinationId>, StoreError> {
        let mut changed = Vec::new();
        if ends.is_empty() {
            return Ok(changed);
        }
        let mut tx = self.control.store().read().await?;
        for end in ends {
            let found = destinations::find(&mut tx, end.scope, end.destination).await?;
            if found.is_none_or(|found| found.updated_at != end.updated_at) {
                changed.push(end.destination);
            }
        }
        Ok(changed)
    }

    fn key(&self, lane: &Lane) -> LaneKey {
        LaneKey {
            source: lane.source,
            destination: lane.destination.map_or(0, |id| id.0),
            table_name: lane.table_name.to_string(),
            log_id: self.log.id().simple().to_string(),
        }
    }

    /// Where the lane's records go: into the destination that the source had when they came; when that is gone, or there was
    /// none, into the one it has now.
    async fn route(&self, scope: AccountScope, lane: &Lane) -> Result<Option<Route>, StoreError> {
        let mut tx = self.control.store().read().await?;
        let Some(source) = sources::find(&mut tx, scope, lane.source).await? else {
            return Ok(None);
        };
        for id in [lane.destination, source.destination_id]
            .into_iter()
            .flatten()
        {
            let found = destinations::find(&mut tx, scope, id).await?;
            if let Some(found) = found.filter(|found| found.deleted_at.is_none()) {
                let end = RouteEnd {
                    scope,
                    destination: id,
                    updated_at: found.updated_at,
                };
                return Ok(Some(Route {
                    end,
                    schema_name: source.name,
                }));
            }
        }
        Ok(None)
    }

    async fn open(
        &self,
        scope: AccountScope,
        key: &LaneKey,
    ) -> Result<Option<(i64, LanePosition)>, StoreError> {
        let mut tx = self.control.store().begin().await?;
        let opened = intake_lanes::open(&mut tx, scope, key, self.clock.now()).await?;
        tx.commit().await?;
        Ok(opened.map(|(fence, position)| {
            let position = LanePosition {
                upto: position.upto.unsigned_abs(),
                through: position.through.unsigned_abs(),
                table_version: position.table_version,
            };
            (fence, position)
        }))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what the load of one lane consists of, put together in one place"
    )]
    async fn carry(
        &self,
        waiting: &WaitingLane,
        route: &Route,
        position: LanePosition,
        fence: i64,
        journal: &Arc<StoreLaneJournal>,
        stop: CancellationToken,
        abort: CancellationToken,
    ) -> Result<LaneReport, LaneError> {
        let scope = AccountScope::of(waiting.account);
        let destination =
            connections::destination(&self.control, &self.registry, scope, route.end.destination)
                .await
                .map_err(LaneError::Target)?;
        let lane = &waiting.lane;
        let load = LaneLoad {
            destination,
            parts: Box::new(LogParts {
                log: Arc::clone(&self.log),
                lane: lane.clone(),
                last: waiting.last,
                reader: None,
            }),
            journal: Arc::clone(journal) as Arc<_>,
            clock: Arc::clone(&self.clock),
            limits: RunLimits::default(),
            load: LoadContext {
                dialer: self.dialer.clone(),
                clock: Arc::clone(&self.clock),
                stop: abort,
                fence,
                run_seed: uuid::Uuid::new_v4().as_u64_pair().0,
            },
            stop,
            identity: StreamIdentity {
                source_id: lane.source.0,
                tap_stream_id: lane.table_name.to_string(),
                epoch: EPOCH,
            },
            schema_name: route.schema_name.clone(),
            table_name: lane.table_name.to_string(),
            lane_id: format!("{}/{}", journal.key.log_id, journal.key.destination),
            position,
        };
        Box::pin(load.execute()).await
    }

    /// Bytes of what still waits of what was looked at.
    fn held_bytes(&self, lane: &Lane, position: &LanePosition) -> u64 {
        match position.upto < position.through {
            true => self
                .log
                .waiting(lane)
                .map_or(0, |waiting| waiting.byte_count),
            false => 0,
        }
    }

    async fn failed(
        &self,
        scope: AccountScope,
        lane: &Lane,
        error: &ConnectorError,
    ) -> Result<(), StoreError> {
        let mut tx = self.control.store().begin().await?;
        let (state, now) = (error_state(error), self.clock.now());
        loads::record_failure(&mut tx, scope, lane.source, &lane.table_name, &state, now).await?;
        tx.commit().await
    }
}

/// What keeps one table out keeps out one table; what keeps everybody out, everybody.
fn blame(error: &ConnectorError) -> Failure {
    match error.kind {
        ErrorKind::Unreachable
        | ErrorKind::Authentication
        | ErrorKind::Configuration
        | ErrorKind::RateLimit => Failure::Destination,
        ErrorKind::Permission | ErrorKind::Data | ErrorKind::Stopped | ErrorKind::Internal => {
            Failure::Table
        }
    }
}

fn unrecorded(lane: &Lane, error: &StoreError) -> Loaded {
    let error: &dyn std::error::Error = error;
    tracing::error!(error, source.id = lane.source.0, table = %lane.table_name, "a load could not be recorded");
    Loaded::crashed()
}

fn told(lane: &Lane, report: &LaneReport, elapsed_ms: i64) {
    let books = &report.books.books;
    tracing::info!(
        source.id = lane.source.0,
        table = %lane.table_name,
        elapsed_ms,
        rows = report.row_count,
        written = books.written,
        superseded = books.superseded,
        older_sequence = books.older_sequence,
        null_key = books.null_key,
        old_version = books.old_version,
        rejected = books.rejected,
        held = report.books.held,
        replaced = report.replaced,
        "accepted records loaded"
    );
}
