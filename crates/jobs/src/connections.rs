//! From stored settings to connectors.

use std::sync::Arc;

use selvedge_connector::{AnySource, ConnectionConfig, ConnectorError, Destination};
use selvedge_connectors::Registry;
use selvedge_control::{Control, destinations, sources};
use selvedge_types::{AccountScope, DestinationId, SourceId};

use crate::rotated::SourceSettings;

/// The connector of a source.
pub(crate) async fn source(
    control: &Control,
    registry: &Registry,
    scope: AccountScope,
    id: SourceId,
) -> Result<AnySource, ConnectorError> {
    match sources::settings_for_run(control, scope, id).await {
        Ok(Some(settings)) => {
            let known = settings.properties.clone();
            let store = SourceSettings::new(control.clone(), scope, id, known);
            let config = ConnectionConfig::new(settings.properties);
            let store = Arc::new(store);
            registry
                .source(&settings.type_name, &config, Some(store))
                .await
        }
        Ok(None) => Err(ConnectorError::configuration("the source has been deleted")),
        Err(error) => Err(unreadable(&error)),
    }
}

/// The connector of a destination.
pub(crate) async fn destination(
    control: &Control,
    registry: &Registry,
    scope: AccountScope,
    id: DestinationId,
) -> Result<Arc<dyn Destination>, ConnectorError> {
    match destinations::settings_for_run(control, scope, id).await {
        Ok(Some(settings)) => {
            let config = ConnectionConfig::new(settings.properties);
            registry.destination(&settings.type_name, scope.account(), &config)
        }
        Ok(None) => Err(ConnectorError::configuration(
            "the destination has been deleted",
        )),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &selvedge_control::ControlError) -> ConnectorError {
    tracing::error!(%error, "the settings of a connection could not be read");
    ConnectorError::internal("We encountered an internal error while checking the connection.")
}
