//! A source as it is answered.

use selvedge_catalog::{CardText, Properties};
use selvedge_control::sources::{Method, Schedule, Source};
use selvedge_types::{AccountId, DestinationId, SourceId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::properties::CurrentProperties;
use crate::openapi::report_card as card;

// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = Source)]
pub(crate) struct SourceView {
    #[schema(value_type = CurrentProperties)]
    properties: Properties,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Null while the source is not fully configured, is paused or deleted, or is never scheduled.
    #[schema(required)]
    schedule: Option<ScheduleView>,
    /// The newest connection check.
    #[schema(required)]
    check_job_name: Option<String>,
    /// Name of the schema in the destination; never changes.
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Timestamp>,
    #[schema(required, value_type = Option<String>, format = DateTime)]
    system_paused_at: Option<Timestamp>,
    /// Id of the account.
    #[schema(value_type = i64)]
    stitch_client_id: AccountId,
    /// As the user sent it.
    #[schema(required, format = DateTime)]
    paused_at: Option<String>,
    #[schema(value_type = i64)]
    id: SourceId,
    /// The label.
    display_name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The destination that gets the data.
    #[schema(required, value_type = Option<i64>)]
    destination_id: Option<DestinationId>,
    #[schema(value_type = card::ReportCard)]
    report_card: CardText,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
#[serde(tag = "type", rename_all = "lowercase")]
enum ScheduleView {
    /// By frequency; an anchor shows in `next_fire_time` only.
    Interval {
        /// Always `minute`.
        unit: &'static str,
        /// Minutes, as a float: `60.0`.
        interval: f64,
        #[schema(value_type = String, format = DateTime)]
        next_fire_time: Timestamp,
    },
    /// By cron expression.
    Cron {
        /// As it was sent; times are UTC.
        cron_expression: String,
        #[schema(value_type = String, format = DateTime)]
        next_fire_time: Timestamp,
    },
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
        let next_fire_time = schedule.next_fire_time;
        match schedule.method {
            Method::Interval { minutes } => Self::Interval {
                unit: "minute",
                interval: f64::from(minutes),
                next_fire_time,
            },
            Method::Cron { expression } => Self::Cron {
                cron_expression: expression,
                next_fire_time,
            },
        }
    }
}
