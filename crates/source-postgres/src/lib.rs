//! PostgreSQL as a source: tables, partitioned tables, views, materialised and foreign tables, read by binary COPY in one
//! snapshot per stream.
//!
//! Where to look: [`types`] for what becomes of a column, `discover` for what is listed, `snapshot` for the SQL that
//! reads a stream, `read` for how rows flow, `decode` for the hot loop.

mod catalog;
mod check;
mod decode;
mod discover;
mod guard;
mod json_schema;
mod read;
mod snapshot;
pub mod types;

use async_trait::async_trait;
use selvedge_connector::{
    Capabilities, Catalog, CheckContext, CheckReport, ConnectionConfig, ConnectorError,
    DiscoverContext, EventSender, ReadContext, Source, StreamRead,
};
use selvedge_postgres::PostgresConfig;

/// A configured PostgreSQL source.
#[derive(Clone, Debug)]
pub struct PostgresSource {
    config: PostgresConfig,
}

impl PostgresSource {
    /// Reads the source's properties; see [`PostgresConfig::from_source`] for their names. Fails on a property that is
    /// missing, malformed, or asks for something that is not available yet.
    pub fn new(config: &ConnectionConfig) -> Result<Self, ConnectorError> {
        Ok(Self {
            config: PostgresConfig::from_source(config)?,
        })
    }
}

#[async_trait]
impl Source for PostgresSource {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            full_table: true,
            incremental: true,
            log_based: false,
            views: true,
        }
    }

    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        check::check(&self.config, ctx).await
    }

    async fn discover(&self, ctx: &DiscoverContext) -> Result<Catalog, ConnectorError> {
        discover::discover(&self.config, ctx).await
    }

    async fn read(
        &self,
        ctx: ReadContext,
        stream: StreamRead,
        out: EventSender,
    ) -> Result<(), ConnectorError> {
        read::read(&self.config, ctx, stream, out).await
    }
}
