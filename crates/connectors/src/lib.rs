//! The registry: every connector that runs in this process, one line each.
//!
//! Adding a connector means adding its crate and its line here. What the lists answer is what the API tells about
//! `runs`, so the two cannot drift.

mod taps;

use std::path::PathBuf;
use std::sync::Arc;

use selvedge_connector::{
    AnySource, ConnectionConfig, ConnectorError, Destination, SettingsStore, Source,
};
use selvedge_dest_lake::LakeDestination;
use selvedge_dest_mysql::MysqlDestination;
use selvedge_dest_postgres::PostgresDestination;
use selvedge_dest_sqlite::SqliteDestination;
use selvedge_source_postgres::PostgresSource;
pub use selvedge_source_sqlite::SourceFiles;
use selvedge_source_sqlite::SqliteSource;
use selvedge_types::AccountId;

pub use taps::TapRuntime;

/// What connectors that work on local files need to know about this machine.
#[derive(Clone, Debug)]
pub struct LocalFiles {
    /// Where a source may read files, and where never.
    pub sources: SourceFiles,
    /// Directory of the embedded warehouses, one file per account.
    pub warehouses: PathBuf,
    /// Directory of the files of `local_files` destinations, one directory per account.
    pub exports: PathBuf,
    /// Where rows are collected that go elsewhere as files.
    pub spool: PathBuf,
}

type BuildSource = fn(&Registry, &ConnectionConfig) -> Result<Arc<dyn Source>, ConnectorError>;
type BuildDestination =
    fn(&Registry, AccountId, &ConnectionConfig) -> Result<Arc<dyn Destination>, ConnectorError>;

/// Connection types and what builds them. The provider names of one database are one connector.
const SOURCES: &[(&[&str], BuildSource)] = &[
    (
        &[
            "platform.postgres",
            "platform.hp-postgres",
            "platform.heroku_pg",
            "platform.hp-heroku-pg",
            "platform.cloudsql_pg",
            "platform.hp-cloudsql-pg",
        ],
        |_, config| Ok(Arc::new(PostgresSource::new(config)?)),
    ),
    (&["platform.sqlite"], |registry, config| {
        Ok(Arc::new(SqliteSource::new(
            config,
            &registry.files.sources,
        )?))
    }),
];

const DESTINATIONS: &[(&[&str], BuildDestination)] = &[
    (&["postgres"], |_, _, config| {
        Ok(Arc::new(PostgresDestination::new(config)?))
    }),
    (&["mysql_destination"], |_, _, config| {
        Ok(Arc::new(MysqlDestination::new(config)?))
    }),
    (&["sqlite"], |registry, account, config| {
        Ok(Arc::new(SqliteDestination::new(
            config,
            registry.warehouse(account),
        )?))
    }),
    (&["local_files"], |registry, account, config| {
        let directory = registry.files.exports.join(account.to_string());
        Ok(Arc::new(LakeDestination::local_files(config, directory)?))
    }),
    (&["s3"], |registry, _, config| {
        let spool = registry.files.spool.clone();
        Ok(Arc::new(LakeDestination::s3(config, spool)?))
    }),
    (&["storagegrid"], |registry, _, config| {
        let spool = registry.files.spool.clone();
        Ok(Arc::new(LakeDestination::storage_grid(config, spool)?))
    }),
];

/// Builds connectors from their settings.
#[derive(Clone, Debug)]
pub struct Registry {
    files: LocalFiles,
    taps: Option<TapRuntime>,
}

impl Registry {
    pub fn new(files: LocalFiles) -> Self {
        Self { files, taps: None }
    }

    /// The same, running Singer taps for types without a connector of our own.
    pub fn with_taps(self, taps: TapRuntime) -> Self {
        Self {
            taps: Some(taps),
            ..self
        }
    }

    /// Whether a source of this type runs natively here.
    pub fn runs_source(connection_type: &str) -> bool {
        SOURCES
            .iter()
            .any(|(types, _)| types.contains(&connection_type))
    }

    /// Whether a destination of this type runs natively here.
    pub fn runs_destination(connection_type: &str) -> bool {
        DESTINATIONS
            .iter()
            .any(|(types, _)| types.contains(&connection_type))
    }

    /// The source behind validated settings. `store` keeps settings that a tap replaces itself.
    ///
    /// # Errors
    /// A configuration error when the type neither has a connector here nor a tap, or a setting asks for what the connector
    /// cannot do.
    pub async fn source(
        &self,
        connection_type: &str,
        config: &ConnectionConfig,
        store: Option<Arc<dyn SettingsStore>>,
    ) -> Result<AnySource, ConnectorError> {
        let is_it = |(types, _): &&(&[&str], BuildSource)| types.contains(&connection_type);
        if let Some((_, build)) = SOURCES.iter().find(is_it) {
            return build(self, config).map(AnySource::Native);
        }
        match &self.taps {
            Some(taps) if taps.taps.serves(connection_type) => {
                let tap = taps.source(connection_type, config, store).await?;
                Ok(AnySource::Tap(tap))
            }
            _ => Err(missing("source", connection_type)),
        }
    }

    /// The destination behind validated settings; errors as for [`Registry::source`].
    pub fn destination(
        &self,
        connection_type: &str,
        account: AccountId,
        config: &ConnectionConfig,
    ) -> Result<Arc<dyn Destination>, ConnectorError> {
        match DESTINATIONS
            .iter()
            .find(|(types, _)| types.contains(&connection_type))
        {
            Some((_, build)) => build(self, account, config),
            None => Err(missing("destination", connection_type)),
        }
    }

    /// An embedded warehouse in a file of the caller's choice, for one-off copies.
    pub fn warehouse_at(
        file: PathBuf,
        config: &ConnectionConfig,
    ) -> Result<Arc<dyn Destination>, ConnectorError> {
        Ok(Arc::new(SqliteDestination::new(config, file)?))
    }

    /// The file of an account's embedded warehouse.
    pub fn warehouse(&self, account: AccountId) -> PathBuf {
        self.files.warehouses.join(format!("{account}.db"))
    }
}

fn missing(kind: &str, connection_type: &str) -> ConnectorError {
    ConnectorError::configuration(format!(
        "this server has no connector for the {kind} type {connection_type} yet: it can be configured, but not run"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_type_without_a_connector_is_refused_with_a_sentence() {
        let files = LocalFiles {
            sources: SourceFiles {
                allowed_directories: Vec::new(),
                forbidden: Vec::new(),
            },
            warehouses: PathBuf::from("w"),
            exports: PathBuf::from("e"),
            spool: PathBuf::from("s"),
        };
        let registry = Registry::new(files);
        let config = ConnectionConfig::default();
        let Err(error) = registry.source("platform.github", &config, None).await else {
            panic!("built a source for a type without a connector");
        };
        assert!(error.message.contains("platform.github"));
    }

    #[test]
    fn the_lists_say_what_runs() {
        assert!(
            Registry::runs_source("platform.hp-postgres")
                && Registry::runs_source("platform.sqlite")
        );
        for destination in ["postgres", "mysql_destination", "sqlite"] {
            assert!(Registry::runs_destination(destination), "{destination}");
        }
        assert!(!Registry::runs_source("import_api") && !Registry::runs_destination("snowflake"));
    }
}
