//! Which source a token pushes to.

use selvedge_catalog::{Category, ConnectionType};
use selvedge_store::import_tokens;
use selvedge_types::{AccountScope, DestinationId, Secret, SourceId};
use serde_json::{Map, Value};

use crate::{Control, ControlError};

/// The source that records come for.
#[derive(Clone, Debug)]
pub struct Pusher {
    pub scope: AccountScope,
    pub source: SourceId,
    /// Where the source's data goes now.
    pub destination: Option<DestinationId>,
    pub kind: PusherKind,
    /// Neither deleted nor paused.
    pub active: bool,
}

/// What the source takes.
#[derive(Clone, Debug)]
pub enum PusherKind {
    /// Requests of the Import API.
    ImportApi,
    /// Events of a third party, whose addresses hold the token.
    Webhook {
        type_name: String,
        properties: Map<String, Value>,
    },
}

/// The source of a token; `None` when it is unknown or revoked.
pub(super) async fn authenticate(
    control: &Control,
    token: &Secret,
) -> Result<Option<Pusher>, ControlError> {
    let mut tx = control.store().look_up().await?;
    let Some(found) = import_tokens::authenticate(&mut tx, token.expose()).await? else {
        return Ok(None);
    };
    let connection_type = control.catalog().source_type(&found.source_type);
    let kind = match connection_type.map(ConnectionType::category) {
        Some(Category::ImportApi) => PusherKind::ImportApi,
        Some(Category::Webhook) => PusherKind::Webhook {
            properties: found.properties,
            type_name: found.source_type,
        },
        _ => return Ok(None),
    };
    Ok(Some(Pusher {
        scope: found.scope,
        source: found.source,
        destination: found.destination,
        kind,
        active: found.active,
    }))
}
