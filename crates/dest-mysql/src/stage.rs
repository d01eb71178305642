//! A temporary table for rows on their way, and the lines that are not there yet.
//!
//! Rows are staged outside any transaction: a temporary table goes with its session, so a run that is cut short leaves
//! nothing behind, and the changes of structure that a batch may need never tear a transaction of rows apart.

use std::mem;

use bytes::Bytes;
use selvedge_connector::ConnectorError;

use crate::link::Link;
use crate::sql::{column_list, quote_qualified};

/// Lines are handed to the server in loads of about this size.
const LOAD_BYTES: usize = 4 << 20;
/// The column by which rows of one sequence are told apart: the later counts.
pub(crate) const ARRIVAL: &str = "_sdc_arrival";

pub(crate) struct Stage {
    /// Quoted, with its schema.
    table: String,
    exists: bool,
    columns: Vec<String>,
    /// Encoded lines: append to it, then call [`Stage::added`].
    pub(crate) buffer: Vec<u8>,
    buffered: u64,
    landed: u64,
}

impl Stage {
    pub(crate) fn new(schema: &str, name: &str) -> Self {
        Self {
            table: quote_qualified(schema, name),
            exists: false,
            columns: Vec::new(),
            buffer: Vec::new(),
            buffered: 0,
            landed: 0,
        }
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn exists(&self) -> bool {
        self.exists
    }

    /// Rows on the server.
    pub(crate) fn landed(&self) -> u64 {
        self.landed
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.landed == 0 && self.buffered == 0
    }

    /// Runs the statement that creates the table.
    pub(crate) async fn create(
        &mut self,
        link: &mut Link,
        statement: &str,
    ) -> Result<(), ConnectorError> {
        link.execute(statement).await?;
        self.exists = true;
        Ok(())
    }

    /// From now on lines have these columns.
    pub(crate) async fn take_columns(
        &mut self,
        link: &mut Link,
        columns: Vec<String>,
    ) -> Result<(), ConnectorError> {
        if self.columns != columns {
            self.land(link).await?;
            self.columns = columns;
        }
        Ok(())
    }

    /// Counts a line that was appended to the buffer, and hands the buffer over when it is full.
    pub(crate) async fn added(&mut self, link: &mut Link) -> Result<(), ConnectorError> {
        self.buffered += 1;
        match self.buffer.len() >= LOAD_BYTES {
            true => self.land(link).await,
            false => Ok(()),
        }
    }

    /// Hands over all lines.
    pub(crate) async fn land(&mut self, link: &mut Link) -> Result<(), ConnectorError> {
        if self.buffered == 0 {
            return Ok(());
        }
        let fresh = Vec::with_capacity(self.buffer.len());
        let lines = Bytes::from(mem::replace(&mut self.buffer, fresh));
        let sent = mem::take(&mut self.buffered);
        let columns = column_list(self.columns.iter().map(String::as_str));
        let arrived = link.load(&self.table, &columns, lines).await?;
        if arrived != sent {
            return Err(ConnectorError::internal(format!(
                "of {sent} rows {arrived} arrived in the temporary table"
            )));
        }
        self.landed += arrived;
        Ok(())
    }

    /// Takes all rows away again. Commits the open transaction, if there is one.
    pub(crate) async fn clear(&mut self, link: &mut Link) -> Result<(), ConnectorError> {
        if mem::take(&mut self.landed) > 0 {
            link.execute(&format!("truncate table {}", self.table))
                .await?;
        }
        Ok(())
    }
}
