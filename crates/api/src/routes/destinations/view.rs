//! A destination as it is answered.

use selvedge_catalog::{Properties, ReportCard};
use selvedge_control::destinations::Destination;
use selvedge_types::{AccountId, DestinationId, Timestamp};
use serde::Serialize;

/// Field order is the documented one.
#[derive(Serialize)]
pub(crate) struct DestinationView {
    description: Option<String>,
    properties: Properties,
    updated_at: Timestamp,
    check_job_name: Option<String>,
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    deleted_at: Option<Timestamp>,
    system_paused_at: Option<Timestamp>,
    stitch_client_id: AccountId,
    paused_at: Option<Timestamp>,
    id: DestinationId,
    /// Always null; `name` carries the label.
    display_name: Option<String>,
    created_at: Timestamp,
    report_card: ReportCard<'static>,
}

impl From<Destination> for DestinationView {
    fn from(destination: Destination) -> Self {
        Self {
            description: destination.description,
            properties: destination.properties,
            updated_at: destination.updated_at,
            check_job_name: destination.check_job_name.map(|name| name.to_string()),
            name: destination.name,
            type_name: destination.type_name,
            deleted_at: destination.deleted_at,
            system_paused_at: destination.system_paused_at,
            stitch_client_id: destination.account,
            paused_at: destination.paused_at,
            id: destination.id,
            display_name: None,
            created_at: destination.created_at,
            report_card: destination.card,
        }
    }
}
