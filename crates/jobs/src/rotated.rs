//! Where a tap's rotated tokens go: back to the source that it runs for.

use async_trait::async_trait;
use selvedge_catalog::Properties;
use selvedge_connector::{ConnectorError, SettingsStore};
use selvedge_control::{Control, sources};
use selvedge_types::{AccountScope, SourceId};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

/// The settings of one source, for as long as its tap runs.
pub(crate) struct SourceSettings {
    control: Control,
    scope: AccountScope,
    source: SourceId,
    /// As the tap has them.
    known: Mutex<Properties>,
}

impl SourceSettings {
    pub(crate) fn new(
        control: Control,
        scope: AccountScope,
        source: SourceId,
        known: Properties,
    ) -> Self {
        Self {
            control,
            scope,
            source,
            known: Mutex::new(known),
        }
    }
}

#[async_trait]
impl SettingsStore for SourceSettings {
    async fn save(&self, changed: Map<String, Value>) -> Result<(), ConnectorError> {
        let mut known = self.known.lock().await;
        let (control, scope, source) = (&self.control, self.scope, self.source);
        let kept = sources::keep_rotated(control, scope, source, &known, &changed).await;
        let kept = kept.map_err(|error| {
            tracing::error!(%error, source.id = %self.source, "settings that a tap replaced could not be kept");
            ConnectorError::internal("settings that the tap replaced could not be kept")
        })?;
        tracing::info!(source.id = %self.source, properties = ?kept, "a tap replaced settings");
        known.extend(changed);
        Ok(())
    }
}
