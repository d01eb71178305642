//! A stream whose table cannot have its name: every record goes to the rejected table.

use async_trait::async_trait;
use selvedge_connector::{
    Books, Checkpoint, CommitReport, ConnectorError, LoadContext, ShapedBatch, TableTarget,
    TableWriter,
};
use selvedge_shape::Rejection;

use crate::commits::{self, Home, NewMark, TableState};
use crate::link::Link;
use crate::rejected::Rejections;

pub(crate) struct RejectAll {
    link: Link,
    ctx: LoadContext,
    target: TableTarget,
    home: Home,
    reason: Rejection,
    committed: Option<String>,
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
            rejections: Rejections::new(&target.schema_name, &target.table_name),
            link,
            ctx,
            target,
            home,
            reason,
            committed,
            rejected: 0,
        }
    }

    async fn write_rows(&mut self, batch: &ShapedBatch) -> Result<(), ConnectorError> {
        self.rejected += batch.record_count() as u64;
        for refused in &batch.refused {
            self.rejections.add_refused(refused);
            self.land_if_full().await?;
        }
        for row in 0..batch.records.num_rows() {
            self.rejections.add(batch, row, &self.reason);
            self.land_if_full().await?;
        }
        Ok(())
    }

    async fn land_if_full(&mut self) -> Result<(), ConnectorError> {
        match self.rejections.is_full() {
            true => self.land().await,
            false => Ok(()),
        }
    }

    async fn land(&mut self) -> Result<(), ConnectorError> {
        if !self.home.commits {
            let schema = &self.target.schema_name;
            self.home = commits::make_home(&mut self.link, schema, self.home).await?;
        }
        let now = self.ctx.clock.now();
        self.rejections.land(&mut self.link, now).await
    }

    async fn checkpoint(&mut self, upto: &Checkpoint) -> Result<CommitReport, ConnectorError> {
        if !self.rejections.is_empty() {
            self.land().await?;
            commits::enter(&mut self.link, &self.target).await?;
            self.link.execute("start transaction").await?;
            self.rejections.insert(&mut self.link).await?;
            let mark = NewMark {
                table_name: &self.target.table_name,
                upto,
                fence: self.ctx.fence,
                state: TableState::Ready,
                now: self.ctx.clock.now(),
            };
            commits::write_mark(&mut self.link, &self.target, mark).await?;
            self.link.execute("commit").await?;
            commits::leave(&mut self.link, &self.target).await?;
            self.rejections.clear(&mut self.link).await?;
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
