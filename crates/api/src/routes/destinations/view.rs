//! A destination as it is answered.

use selvedge_catalog::{CardText, Properties};
use selvedge_control::destinations::Destination;
use selvedge_types::{AccountId, DestinationId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::properties::CurrentProperties;
use crate::openapi::report_card as card;

// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = Destination)]
pub(crate) struct DestinationView {
    #[schema(required)]
    description: Option<String>,
    #[schema(value_type = CurrentProperties)]
    properties: Properties,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// The newest connection check.
    #[schema(required)]
    check_job_name: Option<String>,
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
    #[schema(required, value_type = Option<String>, format = DateTime)]
    paused_at: Option<Timestamp>,
    #[schema(value_type = i64)]
    id: DestinationId,
    /// Always null; `name` carries the label.
    #[schema(required)]
    display_name: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = card::ReportCard)]
    report_card: CardText,
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
