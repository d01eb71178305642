//! A destination as version 3 answers it.

use selvedge_catalog::Properties;
use selvedge_control::destinations::v3::{DestinationV3, LastCheck};
use selvedge_types::{DestinationId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::properties::CurrentProperties;

// Field order is the documented one.
#[derive(Serialize, ToSchema)]
#[schema(as = DestinationV3)]
pub(crate) struct DestinationV3View {
    #[schema(value_type = i64)]
    id: DestinationId,
    #[serde(rename = "type")]
    type_name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// With `sentinel_key`, although it is a credential: the user places a file of this name.
    #[schema(value_type = CurrentProperties)]
    connection: Properties,
    /// The newest connection check; null before the first.
    #[schema(required)]
    last_check: Option<LastCheckView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = LastCheck)]
struct LastCheckView {
    /// Whether it has failed.
    error: bool,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Null while it waits or runs.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
}

impl From<DestinationV3> for DestinationV3View {
    fn from(destination: DestinationV3) -> Self {
        Self {
            id: destination.id,
            type_name: destination.type_name,
            created_at: destination.created_at,
            updated_at: destination.updated_at,
            connection: destination.connection,
            last_check: destination.last_check.map(LastCheckView::from),
        }
    }
}

impl From<LastCheck> for LastCheckView {
    fn from(check: LastCheck) -> Self {
        Self {
            error: check.failed,
            started_at: check.started_at,
            completed_at: check.completed_at,
        }
    }
}
