//! A source is changed: its label, pause, mapping or settings, all of it or nothing.

use selvedge_catalog::{PropertyChange, SCHEDULE_PROPERTIES};
use selvedge_store::sources::{self, SourceRecord};
use selvedge_store::{Tx, jobs};
use selvedge_types::job::JobMode;
use selvedge_types::{AccountScope, SourceId};
use serde_json::{Map, Value};

use super::setup::facts;
use super::source::type_of;
use super::{Source, SourceChange, cron, mapping, readiness};
use crate::properties::{self, Held};
use crate::{Control, ControlError, accounts, checks, plans, streams, unavailable};

/// Changes a source. The id is judged before the change, which therefore may be a refusal already.
pub async fn update(
    control: &Control,
    scope: AccountScope,
    id: SourceId,
    change: Result<SourceChange, ControlError>,
) -> Result<Source, ControlError> {
    let mut tx = control.store().begin().await?;
    accounts::hold(&mut tx, scope).await?;
    let mut record = sources::find_for_update(&mut tx, scope, id)
        .await?
        .filter(|record| record.deleted_at.is_none())
        .ok_or(ControlError::SourceNotFound(id))?;
    let change = change?;
    if !change.is_empty() {
        apply(control, &mut tx, scope, &mut record, change).await?;
        record = sources::find(&mut tx, scope, id)
            .await?
            .ok_or(ControlError::SourceNotFound(id))?;
    }
    let source = Source::new(control, &mut tx, scope, record).await?;
    tx.commit().await?;
    Ok(source)
}

async fn apply(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    record: &mut SourceRecord,
    change: SourceChange,
) -> Result<(), ControlError> {
    let now = control.now();
    let unpauses = change.paused_at == Some(None);
    let remapped = change
        .destination_id
        .is_some_and(|to| to != record.destination_id);
    let leaves = remapped && record.destination_id.is_some() && !unpauses;
    if let Some(to) = change.destination_id.filter(|_| remapped) {
        if let Some(to) = to {
            mapping::require_live(tx, scope, to).await?;
        }
        // A source that moves between destinations waits for somebody to look at it.
        if leaves && to.is_some() {
            record.paused_at.get_or_insert_with(|| now.to_string());
        }
        record.destination_id = to;
    }
    let settings = match &change.properties {
        Some(sent) => Some(judge(control, tx, scope, record, sent).await?),
        None => None,
    };

    if let Some(display_name) = change.display_name {
        record.display_name = display_name;
    }
    if let Some(paused_at) = change.paused_at {
        record.paused_at = paused_at;
    }
    if unpauses {
        record.waits_for_user = false;
    }
    // Otherwise the system pauses for the want of a destination.
    if (unpauses || remapped) && record.destination_id.is_some() && !record.waits_for_user {
        record.system_paused_at = None;
    }
    let mut needs_check = false;
    if let Some(settings) = settings {
        needs_check = !settings.concerns_schedule_only();
        let schedule = values_of(record, SCHEDULE_PROPERTIES);
        let start_date = record.properties.get("start_date").cloned();
        properties::apply(settings, &mut record.properties, &mut record.credentials);
        if values_of(record, SCHEDULE_PROPERTIES) != schedule {
            // Starts of the new schedule count from now on.
            record.ready_at = record.ready_at.map(|_| now);
        }
        if start_date.is_some() && start_date.as_ref() != record.properties.get("start_date") {
            streams::reset_all(control, tx, scope, record.id).await?;
        }
    }
    sources::update(tx, scope, record, now).await?;
    if leaves {
        // It was queued for the old destination. One that runs goes on: what is under way still loads there.
        jobs::end_pending(tx, scope, record.id.into(), JobMode::Sync, now).await?;
    }

    let held = Held::new(&record.properties, &record.credentials);
    let connection_type = type_of(control, record)?;
    if needs_check
        && connection_type.is_scheduled()
        && connection_type.can_be_checked(held.stored())
    {
        checks::enqueue(control, tx, scope, record.id.into()).await?;
    }
    if remapped && record.destination_id.is_some() {
        readiness::mapped(control, tx, scope, record.id).await
    } else {
        readiness::refresh(control, tx, scope, record.id).await
    }
}

fn values_of<const N: usize>(record: &SourceRecord, names: [&str; N]) -> [Option<Value>; N] {
    names.map(|name| record.properties.get(name).cloned())
}

async fn judge(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    record: &SourceRecord,
    sent: &Map<String, Value>,
) -> Result<PropertyChange, ControlError> {
    let connection_type = type_of(control, record)?;
    let held = Held::new(&record.properties, &record.credentials);
    let (mut change, refused) = match connection_type.validate_update(held.stored(), sent) {
        Ok(change) => {
            let refused =
                unavailable::asked_for(connection_type, control.runs(connection_type), &change);
            (change, refused)
        }
        Err(bad) => {
            let facts = facts(tx, scope, connection_type, record).await?;
            return Err(ControlError::BadProperties {
                names: bad.names,
                card: Box::new(connection_type.report_card(held.stored(), facts)),
            });
        }
    };
    if let Some((name, sentence)) = refused {
        let facts = facts(tx, scope, connection_type, record).await?;
        return Err(ControlError::UnavailableProperty {
            name,
            sentence,
            card: Box::new(connection_type.report_card(held.stored(), facts)),
        });
    }
    let features = plans::features(control, tx, scope).await?;
    cron::judge(features, &change, control.now())?;
    let clients = &control.settings().oauth_clients;
    connection_type.supply(clients, held.stored(), &mut change);
    Ok(change)
}
