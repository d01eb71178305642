//! Destinations that lie or fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use selvedge_connector::{
    CheckContext, CheckReport, Checkpoint, CommitReport, ConnectorError, Destination, ErrorKind,
    LoadContext, Nesting, ShapedBatch, SystemValues, TableTarget, TableWriter, TypeFidelity,
};

use super::RowFault;

/// What goes wrong, once. Calls are counted from 1 over all tables, `commit` and `finish` together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationFault {
    /// A row is lost or doubled, and the books are made to balance all the same: only the rows themselves tell.
    Row(RowFault),
    /// The connection breaks at this write; nothing of it arrives.
    FailWrite(u64),
    /// The connection breaks before this commit is made.
    FailBeforeCommit(u64),
    /// This commit is made, but the answer never comes back.
    FailAfterCommit(u64),
}

/// A destination with a fault in it. Clones share the count.
#[derive(Clone)]
pub struct SabotagedDestination {
    inner: Arc<dyn Destination>,
    fault: DestinationFault,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    rows: AtomicU64,
    writes: AtomicU64,
    commits: AtomicU64,
}

impl SabotagedDestination {
    pub fn new(inner: Arc<dyn Destination>, fault: DestinationFault) -> Self {
        Self {
            inner,
            fault,
            counts: Arc::default(),
        }
    }
}

#[async_trait]
impl Destination for SabotagedDestination {
    fn display_name(&self) -> &'static str {
        self.inner.display_name()
    }

    fn nesting(&self) -> Nesting {
        self.inner.nesting()
    }

    fn fidelity(&self) -> TypeFidelity {
        self.inner.fidelity()
    }

    async fn check(&self, ctx: &CheckContext) -> Result<CheckReport, ConnectorError> {
        self.inner.check(ctx).await
    }

    async fn open(
        &self,
        ctx: LoadContext,
        target: TableTarget,
    ) -> Result<Box<dyn TableWriter>, ConnectorError> {
        Ok(Box::new(Writer {
            inner: self.inner.open(ctx, target).await?,
            fault: self.fault,
            counts: Arc::clone(&self.counts),
            dropped: 0,
            doubled: 0,
        }))
    }
}

struct Writer {
    inner: Box<dyn TableWriter>,
    fault: DestinationFault,
    counts: Arc<Counts>,
    /// Rows to be covered up in the next report.
    dropped: u64,
    doubled: u64,
}

impl Writer {
    /// Counts a commit and breaks it if its turn has come.
    fn enter_commit(&self) -> Result<u64, ConnectorError> {
        let number = self.counts.commits.fetch_add(1, Ordering::SeqCst) + 1;
        if self.fault == DestinationFault::FailBeforeCommit(number) {
            return Err(broken("before the commit"));
        }
        Ok(number)
    }
}

#[async_trait]
impl TableWriter for Writer {
    fn table_name(&self) -> &str {
        self.inner.table_name()
    }

    fn committed_position(&self) -> Option<&str> {
        self.inner.committed_position()
    }

    async fn write(&mut self, batch: ShapedBatch) -> Result<(), ConnectorError> {
        let number = self.counts.writes.fetch_add(1, Ordering::SeqCst) + 1;
        if self.fault == DestinationFault::FailWrite(number) {
            return Err(broken("during a write"));
        }
        let rows = batch.records.num_rows();
        let before = self.counts.rows.fetch_add(rows as u64, Ordering::SeqCst);
        let DestinationFault::Row(fault) = self.fault else {
            return self.inner.write(batch).await;
        };
        let pieces = fault.pieces(before, rows);
        let passed: usize = pieces.iter().map(|piece| piece.len()).sum();
        self.dropped += rows.saturating_sub(passed) as u64;
        self.doubled += passed.saturating_sub(rows) as u64;
        for piece in pieces {
            let records = batch.records.slice(piece.start, piece.len());
            let system = SystemValues {
                sequences: piece.map(|row| batch.system.sequences.at(row)).collect(),
                ..batch.system.clone()
            };
            let schema = Arc::clone(&batch.schema);
            self.inner
                .write(ShapedBatch::of_columns(schema, records, system))
                .await?;
        }
        Ok(())
    }

    async fn commit(&mut self, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let number = self.enter_commit()?;
        let mut report = self.inner.commit(upto).await?;
        if self.fault == DestinationFault::FailAfterCommit(number) {
            return Err(broken("after the commit"));
        }
        cover_up(&mut report, self.dropped, self.doubled);
        (self.dropped, self.doubled) = (0, 0);
        Ok(report)
    }

    async fn finish(self: Box<Self>, upto: Checkpoint) -> Result<CommitReport, ConnectorError> {
        let number = self.enter_commit()?;
        let mut report = self.inner.finish(upto).await?;
        if self.fault == DestinationFault::FailAfterCommit(number) {
            return Err(broken("after the commit"));
        }
        cover_up(&mut report, self.dropped, self.doubled);
        Ok(report)
    }
}

fn cover_up(report: &mut CommitReport, dropped: u64, doubled: u64) {
    let books = &mut report.books;
    books.written += dropped;
    let superseded = doubled.min(books.superseded);
    books.superseded -= superseded;
    books.written = books.written.saturating_sub(doubled - superseded);
}

fn broken(when: &str) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unreachable,
        format!("the connection to the destination broke {when}"),
    )
}
