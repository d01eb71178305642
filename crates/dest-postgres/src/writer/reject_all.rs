//! A stream whose table cannot have its name: every record goes to the rejected table.

use async_trait::async_trait;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, LoadContext, ShapedBatch, TableTarget,
    TableWriter,
};
use selvedge_shape::Rejection;

use crate::commits::{self, Home, TableState};
use crate::link::Link;
use crate::rejected::Rejections;

pub(crate) struct RejectAll {
    link: Link,
    ctx: LoadContext,
    target: TableTarget,
    home: Home,
    reason: Rejection,
    committed: Option<String>,
    in_transaction: bool,
    rejections: Rejections,
    rejected: u64,
}

impl RejectAll {
    pub(crate) fn new(
        link: Link,
        ctx: LoadContext,
        target: TableTarget,
        home: Home,
        reason: Rejection,
        committed: Option<String>,
    ) -> Self {
        Self {
            link,
            ctx,
            target,
            home,
            reason,
            committed,
            in_transaction: false,
            rejections: Rejections::default(),
            rejected: 0,
        }
    }

    async fn write_rows(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
        for row in 0..batch.records.num_rows() {
            self.rejections.add(batch, row, &self.reason);
            self.count().await?;
        }
        for refused in &batch.refused {
            self.rejections.add_refused(refused);
            self.count().await?;
        }
        Ok(())
    }

    async fn count(&mut self) -> Result<(), ConnectorError> {
        self.rejected += 1;
        match self.rejections.is_full() {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    async fn flush(&mut self) -> Result<(), ConnectorError> {
        if self.rejections.is_empty() {
            return Ok(());
        }
        if !self.home.commits {
            commits::make_home(&self.link, &self.target.schema_name, self.home).await?;
            self.home = Home {
                schema: true,
                commits: true,
            };
        }
        if !self.in_transaction {
            self.link.execute("begin").await?;
            self.in_transaction = true;
        }
        self.rejections
            .flush(
                &self.link,
                &self.target.schema_name,
                &self.target.table_name,
                self.ctx.clock.now(),
            )
            .await
    }

    async fn checkpoint(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        self.flush().await?;
        if self.in_transaction {
            commits::write_mark(
                &self.link,
                &self.target,
                &self.target.table_name,
                upto,
                self.ctx.fence,
                TableState::Ready,
                self.ctx.clock.now(),
            )
            .await?;
            self.link.execute("commit").await?;
            self.in_transaction = false;
        }
        let rejected = std::mem::take(&mut self.rejected);
        let notes = match rejected {
            0 => Vec::new(),
            _ => vec![format!(
                "{}: {rejected} records were rejected.",
                self.reason
            )],
        };
        Ok(CommitReport {
            books: Books {
                rejected,
                ..Books::default()
            },
            durable: true,
            notes,
            ..CommitReport::default()
        })
    }
}

#[async_trait]
impl TableWriter for RejectAll {
    fn table_name(&self) -> &str {
        &self.target.table_name
    }

    fn committed_position(&self) -> Option<&str> {
        self.committed.as_deref()
    }

    async fn write(&mut self, batch: ShapedBatch) -> Result<(), ConnectorError> {
        Box::pin(self.write_rows(&batch)).await
    }

    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        Box::pin(self.checkpoint(&upto)).await
    }

    async fn finish(mut self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let report = Box::pin(self.checkpoint(&upto)).await?;
        self.link.close().await;
        Ok(report)
    }
}
