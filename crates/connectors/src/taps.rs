//! Source types that run as Singer taps.

use std::sync::Arc;

use selvedge_connector::{ConnectionConfig, ConnectorError, SettingsStore, Tap};
use selvedge_singer::{Mutable, SingerTap, TapHost, TapLimits, TapSettings};
use selvedge_taps::Taps;

/// What taps run with on this server.
#[derive(Clone, Debug)]
pub struct TapRuntime {
    pub taps: Arc<Taps>,
    pub host: TapHost,
    pub limits: TapLimits,
}

impl TapRuntime {
    /// The tap behind validated settings. It is installed first where it is missing and the operator allows that.
    ///
    /// # Errors
    /// There is no program for the type, or a property is not what the tap wants.
    pub(crate) async fn source(
        &self,
        connection_type: &str,
        config: &ConnectionConfig,
        store: Option<Arc<dyn SettingsStore>>,
    ) -> Result<Arc<dyn Tap>, ConnectorError> {
        let configuration = self.taps.configuration(connection_type, config)?;
        let program = self.taps.program(connection_type).await?;
        let mutable = configuration.mutable.into_iter();
        Ok(Arc::new(SingerTap::new(
            self.host.clone(),
            TapSettings {
                program,
                config: configuration.config,
                secrets: configuration.secrets,
                mutable: mutable
                    .map(|(config_key, property)| Mutable {
                        config_key,
                        property,
                    })
                    .collect(),
                store,
                limits: self.limits.clone(),
            },
        )))
    }
}
