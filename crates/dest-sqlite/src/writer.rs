//! The writer as the engine sees it: every call goes to a blocking thread.

use async_trait::async_trait;
use selvedge_connector::{Checkpoint, CommitReport, ConnectorError, ShapedBatch, TableWriter};
use tokio::runtime::Handle;

use crate::load::Load;

/// A table under load. `None` only while a call is under way, or after one was abandoned.
pub(crate) struct SqliteWriter {
    load: Option<Box<Load>>,
    table_name: String,
    /// The position of the last commit before this writer.
    committed: Option<String>,
}

impl SqliteWriter {
    pub(crate) fn new(mut load: Load) -> Self {
        Self {
            table_name: load.table_name().to_owned(),
            committed: load.take_committed_position(),
            load: Some(Box::new(load)),
        }
    }

    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Load) -> Result<T, ConnectorError> + Send + 'static,
    ) -> Result<T, ConnectorError> {
        let mut load = self.load.take().ok_or_else(|| {
            ConnectorError::internal("a table was written to after a call was abandoned")
        })?;
        let (load, result) = tokio::task::spawn_blocking(move || {
            let result = work(&mut load);
            (load, result)
        })
        .await
        .map_err(|error| {
            ConnectorError::internal("writing the SQLite file ended unexpectedly")
                .with_detail(error.to_string())
        })?;
        self.load = Some(load);
        result
    }
}

#[async_trait]
impl TableWriter for SqliteWriter {
    fn table_name(&self) -> &str {
        &self.table_name
    }

    fn committed_position(&self) -> Option<&str> {
        self.committed.as_deref()
    }

    async fn write(&mut self, batch: ShapedBatch) -> Result<(), ConnectorError> {
        self.run(move |load| load.write(&batch)).await
    }

    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.run(move |load| load.commit(&upto)).await
    }

    async fn finish(mut self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.run(move |load| load.finish(&upto)).await
    }
}

impl Drop for SqliteWriter {
    /// Closing the file takes an open transaction back and may fold the write-ahead file in: work for a blocking thread.
    fn drop(&mut self) {
        if let Some(load) = self.load.take()
            && let Ok(runtime) = Handle::try_current()
        {
            drop(runtime.spawn_blocking(move || drop(load)));
        }
    }
}
