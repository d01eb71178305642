//! A destination is changed, and checked again.

use selvedge_catalog::SetupFacts;
use selvedge_store::Tx;
use selvedge_store::destinations::{self, DestinationRecord};
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
    let mut tx = control.store().begin().await?;
    let record = apply(control, &mut tx, scope, id, change).await?;
    tx.commit().await?;
    Destination::new(control, record)
}

/// What changing a destination is, in whatever version it was asked for.
pub(super) async fn apply(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    id: DestinationId,
    change: DestinationChange,
) -> Result<DestinationRecord, ControlError> {
    let now = control.now();
    let mut record = destinations::find_for_update(tx, scope, id)
        .await?
        .filter(|record| record.deleted_at.is_none())
        .ok_or(ControlError::UnknownConnection)?;
    let same = |sent: &Value| sent.as_str() == Some(record.destination_type.as_str());
    if change.type_name.as_ref().is_some_and(|sent| !same(sent)) {
        return Err(ControlError::DestinationTypeFixed);
    }
    let fields = change.fields?;

    let connection_type = type_of(control, &record)?;
    let held = Held::new(&record.properties, &record.credentials);
    let card = || Box::new(connection_type.report_card(held.stored(), SetupFacts::default()));
    let mut changed = connection_type
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
    let clients = &control.settings().oauth_clients;
    connection_type.supply(clients, held.stored(), &mut changed);
    properties::apply(changed, &mut record.properties, &mut record.credentials);
    if let Some(name) = fields.name {
        record.name = name;
    }
    if let Some(description) = fields.description {
        record.description = description;
    }
    destinations::update(tx, scope, &record, now).await?;
    record.updated_at = now;
    record.check_job_name = Some(checks::enqueue(control, tx, scope, id.into()).await?);
    Ok(record)
}
