//! An open `COPY … FROM STDIN (FORMAT binary)`.

use std::mem;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::SinkExt;
use selvedge_connector::{ConnectorError, ErrorKind};
use selvedge_postgres::copy::{HEADER, TRAILER};
use tokio_postgres::CopyInSink;

use crate::ddl::column_list;
use crate::link::Link;

/// Rows are handed to the session in pieces of about this size.
const CHUNK: usize = 256 * 1024;

/// Takes encoded rows. Dropping it makes the server undo the COPY.
pub(crate) struct CopyIn {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    /// Encoded rows that were not handed over yet: append to it, then call [`CopyIn::make_room`].
    pub(crate) buffer: Vec<u8>,
    columns: Vec<String>,
}

impl CopyIn {
    /// Begins to write `columns` of `table`, a quoted name.
    pub(crate) async fn begin(
        link: &Link,
        table: &str,
        columns: Vec<String>,
    ) -> Result<Self, ConnectorError> {
        let statement = format!(
            "copy {table} ({}) from stdin (format binary)",
            column_list(columns.iter().map(String::as_str))
        );
        let sink = link.run(link.client().copy_in(&statement)).await?;
        let mut buffer = Vec::with_capacity(CHUNK + CHUNK / 8);
        buffer.extend_from_slice(HEADER);
        Ok(Self {
            sink: Box::pin(sink),
            buffer,
            columns,
        })
    }

    /// The columns that rows have, in order.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether the buffer should be handed over before more rows come.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() >= CHUNK
    }

    /// Hands the buffer over; waits while the server is behind.
    pub(crate) async fn make_room(&mut self, link: &Link) -> Result<(), ConnectorError> {
        let fresh = Vec::with_capacity(CHUNK + CHUNK / 8);
        let full = Bytes::from(mem::replace(&mut self.buffer, fresh));
        self.hand_over(link, full).await
    }

    /// Ends the COPY; the number of rows that the server took.
    pub(crate) async fn finish(mut self, link: &Link) -> Result<u64, ConnectorError> {
        self.buffer.extend_from_slice(&TRAILER);
        let last = Bytes::from(mem::take(&mut self.buffer));
        self.hand_over(link, last).await?;
        link.run(self.sink.as_mut().finish()).await
    }

    /// A server that has refused the rows stops listening; its reason only comes with the end.
    async fn hand_over(&mut self, link: &Link, piece: Bytes) -> Result<(), ConnectorError> {
        let Err(broken) = link.run(self.sink.feed(piece)).await else {
            return Ok(());
        };
        if broken.kind == ErrorKind::Stopped {
            return Err(broken);
        }
        match link.run(self.sink.as_mut().finish()).await {
            Err(reason) if reason.code.is_some() => Err(reason),
            _ => Err(broken),
        }
    }
}
