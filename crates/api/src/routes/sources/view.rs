//! A source as it is answered.

use selvedge_catalog::{Properties, ReportCard};
use selvedge_control::sources::{Schedule, Source};
use selvedge_types::{AccountId, DestinationId, SourceId, Timestamp};
use serde::Serialize;

/// Field order is the documented one.
#[derive(Serialize)]
pub(crate) struct SourceView {
    properties: Properties,
    updated_at: Timestamp,
    schedule: Option<ScheduleView>,
    check_job_name: Option<String>,
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    deleted_at: Option<Timestamp>,
    system_paused_at: Option<Timestamp>,
    stitch_client_id: AccountId,
    /// As the user sent it.
    paused_at: Option<String>,
    id: SourceId,
    display_name: String,
    created_at: Timestamp,
    destination_id: Option<DestinationId>,
    report_card: ReportCard<'static>,
}

#[derive(Serialize)]
struct ScheduleView {
    #[serde(rename = "type")]
    kind: &'static str,
    unit: &'static str,
    /// Minutes, as a float: `60.0`.
    interval: f64,
    next_fire_time: Timestamp,
}

impl From<Source> for SourceView {
    fn from(source: Source) -> Self {
        Self {
            properties: source.properties,
            updated_at: source.updated_at,
            schedule: source.schedule.map(ScheduleView::from),
            check_job_name: source.check_job_name.map(|name| name.to_string()),
            name: source.name,
            type_name: source.type_name,
            deleted_at: source.deleted_at,
            system_paused_at: source.system_paused_at,
            stitch_client_id: source.account,
            paused_at: source.paused_at,
            id: source.id,
            display_name: source.display_name,
            created_at: source.created_at,
            destination_id: source.destination_id,
            report_card: source.card,
        }
    }
}

impl From<Schedule> for ScheduleView {
    fn from(schedule: Schedule) -> Self {
        Self {
            kind: "interval",
            unit: "minute",
            interval: f64::from(schedule.interval_minutes),
            next_fire_time: schedule.next_fire_time,
        }
    }
}
