//! A destination is changed, and checked again.

use selvedge_catalog::SetupFacts;
use selvedge_store::destinations;
use selvedge_types::{AccountScope, DestinationId};
use serde_json::Value;

use super::destination::type_of;
use super::{Destination, DestinationChange};
use crate::properties::{self, Held};
use crate::{Control, ControlError, checks, unavailable};

/// Merges the change into the destination and queues a new check; never waits for it.
pub async fn update(
    control: &Control,
    scope: AccountScope,
    id: DestinationId,
    change: DestinationChange,
) -> Result<Destination, ControlError> {
    let now = control.now();
    let mut tx = control.store().begin().await?;
    let mut record = destinations::find_for_update(&mut tx, scope, id)
        .await?
        .filter(|record| record.deleted_at.is_none())
        .ok_or(ControlError::UnknownConnection)?;
    let same = |sent: &Value| sent.as_str() == Some(record.destination_type.as_str());
    if change.type_name.as_ref().is_some_and(|sent| !same(sent)) {
        return Err(ControlError::DestinationTypeFixed);
    }
    let fields = change.fields.ok_or(ControlError::DestinationChangeBody)?;

    let connection_type = type_of(control, &record)?;
    let held = Held::new(&record.properties, &record.credentials);
    let card = || Box::new(connection_type.report_card(held.stored(), SetupFacts::default()));
    let changed = connection_type
        .validate_update(held.stored(), &fields.properties)
        .map_err(|bad| ControlError::BadProperties {
            names: bad.names,
            card: card(),
        })?;
    if let Some((name, sentence)) =
        unavailable::asked_for(connection_type, control.runs(connection_type), &changed)
    {
        return Err(ControlError::UnavailableProperty {
            name,
            sentence,
            card: card(),
        });
    }
    properties::apply(changed, &mut record.properties, &mut record.credentials);
    if let Some(name) = fields.name {
        record.name = name;
    }
    if let Some(description) = fields.description {
        record.description = description;
    }
    destinations::update(&mut tx, scope, &record, now).await?;
    record.updated_at = now;
    record.check_job_name = Some(checks::enqueue(control, &mut tx, scope, id.into()).await?);
    tx.commit().await?;
    Destination::new(control, record)
}
