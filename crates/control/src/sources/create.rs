//! A source is created, named, mapped, and checked as soon as its settings are complete.

use selvedge_catalog::{ConnectionType, PropertyChange, SetupFacts, StoredProperties};
use selvedge_store::{Credentials, sources};
use selvedge_types::AccountScope;
use serde_json::Map;
use uuid::Uuid;

use super::{NewSource, Source, cron, mapping, naming, readiness};
use crate::properties::{self, Held};
use crate::{Control, ControlError, accounts, checks, unavailable};

/// Creates a source. When its settings are complete a check is queued; nobody waits for it.
pub async fn create(
    control: &Control,
    scope: AccountScope,
    new: NewSource,
) -> Result<Source, ControlError> {
    let connection_type = control
        .catalog()
        .source_type(&new.type_name)
        .filter(|connection_type| !connection_type.is_stub())
        .ok_or_else(|| ControlError::UnknownSourceType(new.type_name.clone()))?;
    if !connection_type.has_access() {
        return Err(ControlError::NoAccessToSourceType(new.type_name));
    }
    let name = name(&new)?;

    let now = control.now();
    let mut tx = control.store().begin().await?;
    accounts::hold(&mut tx, scope).await?;
    if sources::name_taken(&mut tx, scope, &name).await? {
        return Err(name_taken(&new, name));
    }
    let destination_id = match new.destination_id {
        Some(asked) => {
            mapping::require_live(&mut tx, scope, asked).await?;
            Some(asked)
        }
        None => mapping::only(&mut tx, scope).await?,
    };
    let change = judge(control, connection_type, &new)?;

    let mut row = sources::NewSource {
        source_type: new.type_name.clone(),
        display_name: new.display_name.clone(),
        name,
        properties: Map::new(),
        credentials: Credentials::default(),
        destination_id,
        ready_at: None,
    };
    properties::apply(change, &mut row.properties, &mut row.credentials);
    let held = Held::new(&row.properties, &row.credentials);
    let id = sources::create(&mut tx, scope, &row, now).await?;
    if connection_type.is_scheduled() && connection_type.can_be_checked(held.stored()) {
        checks::enqueue(control, &mut tx, scope, id.into()).await?;
    }
    readiness::refresh(control, &mut tx, scope, id).await?;
    let record = sources::find(&mut tx, scope, id)
        .await?
        .ok_or(ControlError::SourceNotFound(id))?;
    let source = Source::new(control, &mut tx, scope, record).await?;
    tx.commit().await?;
    tracing::info!(source.id = id.0, source.kind = %source.type_name, "source created");
    Ok(source)
}

/// The name that was sent, or the one that follows from the label.
fn name(new: &NewSource) -> Result<String, ControlError> {
    if let Some(name) = &new.name {
        return if naming::valid(name) {
            Ok(name.clone())
        } else {
            Err(ControlError::InvalidName)
        };
    }
    let name = naming::derive(&new.display_name);
    if naming::valid(&name) {
        Ok(name)
    } else {
        Err(ControlError::InvalidDerivedName {
            display_name: new.display_name.clone(),
            name,
        })
    }
}

/// The refusal tells whether the caller chose the name or derivation made it.
fn name_taken(new: &NewSource, name: String) -> ControlError {
    if new.name.is_some() || new.display_name == name {
        ControlError::NameTaken(name)
    } else {
        ControlError::DerivedNameTaken {
            display_name: new.display_name.clone(),
            name,
        }
    }
}

fn judge(
    control: &Control,
    connection_type: &'static ConnectionType,
    new: &NewSource,
) -> Result<PropertyChange, ControlError> {
    let empty_card =
        || Box::new(connection_type.report_card(StoredProperties::none(), SetupFacts::default()));
    let mut change = connection_type
        .validate_create(&new.properties, Uuid::new_v4())
        .map_err(|bad| ControlError::BadProperties {
            names: bad.names,
            card: empty_card(),
        })?;
    if let Some((name, sentence)) =
        unavailable::asked_for(connection_type, control.runs(connection_type), &change)
    {
        return Err(ControlError::UnavailableProperty {
            name,
            sentence,
            card: empty_card(),
        });
    }
    cron::judge(&change, control.now())?;
    let clients = &control.settings().oauth_clients;
    connection_type.supply(clients, StoredProperties::none(), &mut change);
    Ok(change)
}
