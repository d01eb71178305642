//! A destination as it may be shown: no credentials.

use selvedge_catalog::{CardText, ConnectionType, Properties, SetupFacts};
use selvedge_store::destinations::DestinationRecord;
use selvedge_types::job::JobName;
use selvedge_types::{AccountId, DestinationId, Timestamp};

use crate::properties::Held;
use crate::{Control, ControlError};

/// A destination with its report card.
#[derive(Clone, Debug)]
pub struct Destination {
    pub id: DestinationId,
    pub account: AccountId,
    pub type_name: String,
    pub name: String,
    pub description: Option<String>,
    /// Everything but credentials, sorted by name.
    pub properties: Properties,
    pub check_job_name: Option<JobName>,
    pub paused_at: Option<Timestamp>,
    pub system_paused_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
    pub card: CardText,
}

impl Destination {
    pub(super) fn new(control: &Control, record: DestinationRecord) -> Result<Self, ControlError> {
        let connection_type = type_of(control, &record)?;
        let held = Held::new(&record.properties, &record.credentials);
        let card = connection_type.card_text(held.stored(), SetupFacts::default())?;
        Ok(Self {
            id: record.id,
            account: record.account,
            type_name: record.destination_type,
            name: record.name,
            description: record.description,
            properties: held.plain,
            check_job_name: record.check_job_name,
            paused_at: record.paused_at,
            system_paused_at: record.system_paused_at,
            created_at: record.created_at,
            updated_at: record.updated_at,
            deleted_at: record.deleted_at,
            card,
        })
    }
}

/// The catalogue entry of a stored destination.
pub(super) fn type_of(
    control: &Control,
    record: &DestinationRecord,
) -> Result<&'static ConnectionType, ControlError> {
    control
        .catalog()
        .destination_type(&record.destination_type)
        .ok_or_else(|| ControlError::MissingType(record.destination_type.clone()))
}
