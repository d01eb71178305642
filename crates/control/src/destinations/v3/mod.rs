//! Destinations in version 3, which is out of date but still served: one per account, with its last check.

mod body;
mod destination;

use selvedge_store::destinations;
use selvedge_types::{AccountScope, DestinationId};

use super::create::insert;
use super::update::apply;
use super::{DestinationChange, NewDestination};
use crate::{Control, ControlError};

pub use destination::{DestinationV3, LastCheck};

/// Creates the account's only destination, as [`destinations::create`](super::create()) does.
pub async fn create(
    control: &Control,
    scope: AccountScope,
    new: NewDestination,
) -> Result<DestinationV3, ControlError> {
    let mut tx = control.store().begin().await?;
    let record = insert(control, &mut tx, scope, new).await?;
    let destination = DestinationV3::new(&mut tx, scope, record).await?;
    tx.commit().await?;
    Ok(destination)
}

/// Changes a destination, as [`destinations::update`](super::update()) does.
pub async fn update(
    control: &Control,
    scope: AccountScope,
    id: DestinationId,
    change: DestinationChange,
) -> Result<DestinationV3, ControlError> {
    let mut tx = control.store().begin().await?;
    let record = apply(control, &mut tx, scope, id, change).await?;
    let destination = DestinationV3::new(&mut tx, scope, record).await?;
    tx.commit().await?;
    Ok(destination)
}

/// The account's oldest live destination: version 3 knows of one.
pub async fn find(
    control: &Control,
    scope: AccountScope,
) -> Result<Option<DestinationV3>, ControlError> {
    let mut tx = control.store().read().await?;
    let oldest = destinations::list(&mut tx, scope).await?.into_iter().next();
    match oldest {
        Some(record) => DestinationV3::new(&mut tx, scope, record).await.map(Some),
        None => Ok(None),
    }
}
