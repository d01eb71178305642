//! A destination is created, takes the sources that have none, and is checked.

use selvedge_catalog::{PropertyChange, SetupFacts, StoredProperties};
use selvedge_store::destinations::{self, DestinationRecord};
use selvedge_store::{Credentials, Tx, sources as stored_sources};
use selvedge_types::AccountScope;
use serde_json::Map;
use uuid::Uuid;

use super::{Destination, NewDestination};
use crate::{Control, ControlError, accounts, checks, properties, sources, unavailable};

/// Creates a destination and queues its first check; never waits for it.
pub async fn create(
    control: &Control,
    scope: AccountScope,
    new: NewDestination,
) -> Result<Destination, ControlError> {
    let mut tx = control.store().begin().await?;
    let record = insert(control, &mut tx, scope, new).await?;
    tx.commit().await?;
    Destination::new(control, record)
}

/// What creating a destination is, in whatever version it was asked for.
pub(super) async fn insert(
    control: &Control,
    tx: &mut Tx,
    scope: AccountScope,
    new: NewDestination,
) -> Result<DestinationRecord, ControlError> {
    let connection_type = control
        .catalog()
        .destination_type(&new.type_name)
        .filter(|connection_type| !connection_type.is_stub())
        .ok_or_else(|| ControlError::UnknownDestinationType(new.type_name.clone()))?;
    if !connection_type.has_access() {
        return Err(ControlError::NoAccessToDestinationType(new.type_name));
    }

    let now = control.now();
    accounts::hold(tx, scope).await?;
    let limit = control.settings().max_destinations;
    let limit = if new.only_one { limit.min(1) } else { limit };
    if destinations::count_live(tx, scope).await? >= limit {
        return Err(ControlError::DestinationLimit);
    }
    let empty_card =
        || Box::new(connection_type.report_card(StoredProperties::none(), SetupFacts::default()));
    let mut change: PropertyChange = connection_type
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
    let clients = &control.settings().oauth_clients;
    connection_type.supply(clients, StoredProperties::none(), &mut change);

    let mut row = destinations::NewDestination {
        name: match new.name {
            Some(name) => name,
            None => free_name(&new.type_name, &destinations::live_names(tx, scope).await?),
        },
        destination_type: new.type_name,
        description: new.description,
        properties: Map::new(),
        credentials: Credentials::default(),
    };
    properties::apply(change, &mut row.properties, &mut row.credentials);
    let id = destinations::create(tx, scope, &row, now).await?;
    if !new.ignore_unmapped_sources {
        for source in stored_sources::map_unmapped(tx, scope, id, now).await? {
            sources::mapped(control, tx, scope, source).await?;
        }
    }
    checks::enqueue(control, tx, scope, id.into()).await?;
    let record = destinations::find(tx, scope, id)
        .await?
        .ok_or(ControlError::NotFound)?;
    tracing::info!(destination.id = id.0, destination.kind = %record.destination_type, "destination created");
    Ok(record)
}

/// The type itself, or with the first number from 2 that no live destination has.
fn free_name(type_name: &str, taken: &[String]) -> String {
    let free = |name: &String| !taken.contains(name);
    std::iter::once(type_name.to_owned())
        .chain((2..).map(|number: u32| format!("{type_name}_{number}")))
        .find(free)
        .unwrap_or_else(|| type_name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::free_name;

    #[test]
    fn generated_names_count_up() {
        let taken = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        assert_eq!(free_name("postgres", &taken(&[])), "postgres");
        assert_eq!(free_name("postgres", &taken(&["postgres"])), "postgres_2");
        assert_eq!(
            free_name("postgres", &taken(&["postgres", "postgres_2"])),
            "postgres_3"
        );
        assert_eq!(free_name("postgres", &taken(&["postgres_2"])), "postgres");
    }
}
