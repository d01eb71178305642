//! Opening the server's state: the data directory, its key, and the store.

use anyhow::{Context, bail};
use selvedge_control::remembered::BELIEVED;
use selvedge_store::{MasterKey, Store, StoreError, StoreLocation};
use selvedge_types::Secret;

use crate::config::StateSettings;
use crate::data_dir::DataDir;

/// The opened state. Commands open it beside a running server.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) master_key: MasterKey,
}

impl State {
    /// Opens the store, making directory, key and tables on first use.
    pub(crate) async fn open(settings: &StateSettings) -> anyhow::Result<Self> {
        let directory = DataDir::prepare(&settings.data_dir)?;
        let master_key = master_key(settings, &directory)?;
        let location = match &settings.database_url {
            Some(url) => StoreLocation::Postgres(Secret::new(url.as_str())),
            None => StoreLocation::SqliteFile(directory.store()),
        };
        let store = Store::open(location, master_key.clone()).await.map_err(|error| match error {
            StoreError::WrongMasterKey => anyhow::anyhow!(
                "the master key is not the one this store was made with: restore {} or set SELVEDGE_MASTER_KEY",
                directory.root().join("master.key").display()
            ),
            other => anyhow::Error::new(other).context("the store could not be opened"),
        })?;
        Ok(Self { store, master_key })
    }

    /// Waits until a running server no longer believes what it read before this process wrote.
    pub(crate) async fn believed(&self) {
        tokio::time::sleep(BELIEVED).await;
    }
}

fn master_key(settings: &StateSettings, directory: &DataDir) -> anyhow::Result<MasterKey> {
    let text = match (&settings.master_key, &settings.database_url) {
        (Some(key), _) => key.clone(),
        (None, Some(_)) => bail!(
            "with a database URL every node must be given the same key: set SELVEDGE_MASTER_KEY to 32 random bytes in \
             base64, for example from `openssl rand -base64 32`"
        ),
        (None, None) => {
            directory.master_key(|| Ok(MasterKey::generate()?.to_text().expose().to_owned()))?
        }
    };
    MasterKey::parse(&Secret::new(text)).context("the master key cannot be used")
}
