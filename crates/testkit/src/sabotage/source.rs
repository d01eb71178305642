//! Sources that lie or fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use selvedge_connector::{
    Capabilities, Catalog, CheckContext, CheckReport, ConnectorError, DiscoverContext, ErrorKind,
    EventSender, ReadContext, Source, SourceBatch, SourceEvent, StreamRead, event_channel,
};

use super::RowFault;

/// What goes wrong, once. Counted from 1 over all streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFault {
    /// A row is lost or doubled on its way.
    Row(RowFault),
    /// The connection breaks instead of this batch.
    FailBatch(u64),
}

/// A source with a fault in it. Clones share the count.
#[derive(Clone)]
pub struct SabotagedSource {
    inner: Arc<dyn Source>,
    fault: SourceFault,
    rows: Arc<AtomicU64>,
    batches: Arc<AtomicU64>,
}

impl SabotagedSource {
    pub fn new(inner: Arc<dyn Source>, fault: SourceFault) -> Self {
        Self {
            inner,
            fault,
            rows: Arc::default(),
            batches: Arc::default(),
        }
    }

    async fn pass_on(&self, batch: SourceBatch, out: &EventSender) -> Result<(), ConnectorError> {
        let number = self.batches.fetch_add(1, Ordering::SeqCst) + 1;
        let rows = batch.records.num_rows();
        let before = self.rows.fetch_add(rows as u64, Ordering::SeqCst);
        let fault = match self.fault {
            SourceFault::Row(fault) => fault,
            SourceFault::FailBatch(failing) if failing == number => {
                return Err(ConnectorError::new(
                    ErrorKind::Unreachable,
                    "the connection to the source broke",
                ));
            }
            SourceFault::FailBatch(_) => return out.send(SourceEvent::Batch(batch)).await,
        };
        for piece in fault.pieces(before, rows) {
            out.send(SourceEvent::Batch(SourceBatch {
                schema: Arc::clone(&batch.schema),
                records: batch.records.slice(piece.start, piece.len()),
            }))
            .await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Source for SabotagedSource {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        self.inner.check(ctx).await
    }

    async fn discover(&self, ctx: &DiscoverContext) -> Result<Catalog, ConnectorError> {
        self.inner.discover(ctx).await
    }

    async fn read(
        &self,
        ctx: ReadContext,
        stream: StreamRead,
        out: EventSender,
    ) -> Result<(), ConnectorError> {
        let (sender, mut events) = event_channel(1);
        let forward = async move {
            while let Some(event) = events.recv().await {
                match event {
                    SourceEvent::Batch(batch) => self.pass_on(batch, &out).await?,
                    other => out.send(other).await?,
                }
            }
            Ok(())
        };
        // When forwarding fails its receiver goes, and with it the reader; its own error is the cause.
        let (read, forwarded) = tokio::join!(self.inner.read(ctx, stream, sender), forward);
        forwarded.and(read)
    }
}
