//! A source as it may be shown: no credentials.

use selvedge_catalog::{CardText, ConnectionType, Properties, SetupFacts};
use selvedge_store::jobs::JobRecord;
use selvedge_store::sources::{NewestSync, SourceRecord};
use selvedge_store::{ReadTx, jobs};
use selvedge_types::job::{JobMode, JobName};
use selvedge_types::{AccountId, AccountScope, DestinationId, SourceId, Timestamp};

use super::schedule::{self, NewestRun, Readiness, Schedule};
use super::setup::facts;
use crate::properties::Held;
use crate::{Control, ControlError};

/// A source with its report card and plan.
#[derive(Clone, Debug)]
pub struct Source {
    pub id: SourceId,
    pub account: AccountId,
    pub type_name: String,
    pub display_name: String,
    pub name: String,
    /// Everything but credentials, sorted by name.
    pub properties: Properties,
    /// `None` while the source does not run by itself.
    pub schedule: Option<Schedule>,
    pub check_job_name: Option<JobName>,
    /// What the user sent to pause the source, as sent.
    pub paused_at: Option<String>,
    pub system_paused_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub destination_id: Option<DestinationId>,
    pub card: CardText,
}

impl Source {
    pub(crate) async fn new(
        control: &Control,
        tx: &mut ReadTx,
        scope: AccountScope,
        record: SourceRecord,
    ) -> Result<Self, ControlError> {
        let newest = match record.ready_at {
            Some(_) => jobs::newest(tx, scope, record.id.into(), JobMode::Sync).await?,
            None => None,
        };
        let newest = newest.as_ref().map(newest_run);
        Self::after(control, tx, scope, record, newest).await
    }

    /// As [`Source::new`], with the newest sync job at hand.
    pub(super) async fn after(
        control: &Control,
        tx: &mut ReadTx,
        scope: AccountScope,
        record: SourceRecord,
        newest: Option<NewestRun>,
    ) -> Result<Self, ControlError> {
        let facts = match known_facts(&record) {
            Some(facts) => facts,
            None => facts(tx, scope, type_of(control, &record)?, &record).await?,
        };
        Self::with(control, record, facts, newest)
    }

    /// A source whose facts are at hand. Only the plan of a ready source depends on its newest job.
    pub(super) fn with(
        control: &Control,
        record: SourceRecord,
        facts: SetupFacts,
        newest: Option<NewestRun>,
    ) -> Result<Self, ControlError> {
        let connection_type = type_of(control, &record)?;
        let held = Held::new(&record.properties, &record.credentials);
        let schedule = match (
            record.ready_at,
            connection_type.default_scheduling_interval(),
        ) {
            (Some(ready_at), Some(default_minutes))
                if record.deleted_at.is_none()
                    // A type that asks for one more value since the last change reopens the form.
                    && connection_type.is_fully_configured(held.stored(), facts) =>
            {
                let readiness = Readiness {
                    ready_at,
                    reset_at: record.reset_at,
                };
                let now = control.now();
                schedule::shown(&held.plain, default_minutes, now, newest, readiness)
            }
            _ => None,
        };
        Ok(Self {
            id: record.id,
            account: record.account,
            type_name: record.source_type,
            display_name: record.display_name,
            name: record.name,
            schedule,
            check_job_name: record.check_job_name,
            paused_at: record.paused_at,
            system_paused_at: record.system_paused_at,
            created_at: record.created_at,
            updated_at: record.updated_at,
            deleted_at: record.deleted_at,
            destination_id: record.destination_id,
            card: connection_type.card_text(held.stored(), facts)?,
            properties: held.plain,
        })
    }
}

/// The facts, where the record alone tells them; otherwise the source's streams have to be looked at.
pub(super) fn known_facts(record: &SourceRecord) -> Option<SetupFacts> {
    match (record.ready_at, record.discovered_at) {
        // Only a fully configured source is ready.
        (Some(_), _) => Some(SetupFacts {
            discovered: true,
            selection_complete: true,
        }),
        (None, None) => Some(SetupFacts::default()),
        (None, Some(_)) => None,
    }
}

/// The catalogue entry of a stored source.
pub(crate) fn type_of(
    control: &Control,
    record: &SourceRecord,
) -> Result<&'static ConnectionType, ControlError> {
    control
        .catalog()
        .source_type(&record.source_type)
        .ok_or_else(|| ControlError::MissingType(record.source_type.clone()))
}

impl From<NewestSync> for NewestRun {
    fn from(job: NewestSync) -> Self {
        Self {
            started_at: job.started_at.unwrap_or(job.created_at),
            completed_at: job.completed_at,
        }
    }
}

/// A job that was ended before a worker took it counts from when it was asked for.
pub(crate) fn newest_run(job: &JobRecord) -> NewestRun {
    NewestSync {
        created_at: job.created_at,
        started_at: job.started_at,
        completed_at: job.completed_at,
    }
    .into()
}
