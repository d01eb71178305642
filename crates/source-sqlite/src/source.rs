//! The source itself: every call goes to a blocking thread and opens the file anew.

use std::path::PathBuf;

use async_trait::async_trait;
use selvedge_connector::{
    Capabilities, Catalog, CheckContext, CheckReport, ConnectionConfig, ConnectorError,
    DiscoverContext, EventSender, ReadContext, Source, StreamRead,
};
use tokio::runtime::Handle;

use crate::connect::open_snapshot;
use crate::discover::discover;
use crate::error::explain;
use crate::files::SourceFiles;
use crate::read::read_stream;
use crate::structure;

/// A configured SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteSource {
    path: PathBuf,
    files: SourceFiles,
}

impl SqliteSource {
    /// Needs the property `path`. Whether the file exists and may be read is asked at each use, because both can change.
    pub fn new(config: &ConnectionConfig, allowed: &SourceFiles) -> Result<Self, ConnectorError> {
        Ok(Self {
            path: PathBuf::from(config.required("path")?),
            files: allowed.clone(),
        })
    }
}

#[async_trait]
impl Source for SqliteSource {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            full_table: true,
            incremental: true,
            log_based: false,
            views: true,
        }
    }

    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        let (source, stop) = (self.clone(), ctx.stop.clone());
        on_blocking_thread(move || {
            let mut report = CheckReport::default();
            let step = format!("find the file {}", source.path.display());
            let path = match source.files.resolve(&source.path) {
                Ok(path) => path,
                Err(error) => {
                    report.failed(step, error, None);
                    return Ok(report);
                }
            };
            report.passed(step);
            let connection = match open_snapshot(&path, &stop) {
                Ok(connection) => connection,
                Err(error) => {
                    report.failed("open the database", error, None);
                    return Ok(report);
                }
            };
            report.passed("open the database");
            match structure::tables(&connection) {
                Ok(_) => report.passed("list its tables"),
                Err(error) => report.failed("list its tables", explain(&error), None),
            }
            Ok(report)
        })
        .await
    }

    async fn discover(&self, ctx: &DiscoverContext) -> Result<Catalog, ConnectorError> {
        let (source, ctx) = (self.clone(), ctx.clone());
        on_blocking_thread(move || {
            let path = source.files.resolve(&source.path)?;
            let connection = open_snapshot(&path, &ctx.stop)?;
            discover(&connection, &source.path, ctx.fidelity)
        })
        .await
    }

    async fn read(
        &self,
        mut ctx: ReadContext,
        stream: StreamRead,
        out: EventSender,
    ) -> Result<(), ConnectorError> {
        let source = self.clone();
        // Whoever stops waiting for the read stops the read.
        ctx.stop = ctx.stop.child_token();
        let _stop_when_dropped = ctx.stop.clone().drop_guard();
        let runtime = Handle::current();
        on_blocking_thread(move || {
            let path = source.files.resolve(&source.path)?;
            read_stream(path, ctx, &stream, out, &runtime)
                .map_err(|error| error.within(format_args!("table {}", stream.location.table)))
        })
        .await
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ConnectorError> + Send + 'static,
) -> Result<T, ConnectorError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        ConnectorError::internal("reading the SQLite file ended unexpectedly")
            .with_detail(error.to_string())
    })?
}
