//! Rows into batches.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use selvedge_connector::{ConnectorError, ErrorKind, SourceBatch, StreamSchema};
use selvedge_postgres::copy::{CopyError, Next, Rows};

use super::{ColumnDecoder, DecodeError, Loss};
use crate::types::Mapping;

/// Offsets into the text of a batch are 32 bits wide; a single value may have a gigabyte of its own.
const MAX_BATCH_BYTES: usize = 512 << 20;

/// Collects rows until a batch is full.
pub(crate) struct BatchDecoder {
    schema: Arc<StreamSchema>,
    arrow_schema: SchemaRef,
    columns: Vec<ColumnDecoder>,
    /// Rows and bytes of the batch in the making.
    rows: usize,
    bytes: usize,
    max_rows: usize,
    max_bytes: usize,
    header_seen: bool,
    ended: bool,
}

impl BatchDecoder {
    /// One mapping for each field of the schema. Batches close at about `max_bytes` or `max_rows`.
    pub(crate) fn new(
        schema: Arc<StreamSchema>,
        mappings: &[Mapping],
        max_bytes: usize,
        max_rows: usize,
    ) -> Result<Self, ConnectorError> {
        let columns = mappings
            .iter()
            .map(ColumnDecoder::new)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            arrow_schema: schema.arrow_schema(),
            schema,
            columns,
            rows: 0,
            bytes: 0,
            max_rows: max_rows.max(1),
            max_bytes: max_bytes.clamp(1, MAX_BATCH_BYTES),
            header_seen: false,
            ended: false,
        })
    }

    /// Takes a CopyData message; says whether the batch is full.
    #[inline]
    pub(crate) fn push(&mut self, message: &[u8]) -> Result<bool, ConnectorError> {
        let mut rows = Rows::new(message);
        if !self.header_seen {
            rows.header().map_err(|error| broken(&error))?;
            self.header_seen = true;
        }
        if self.ended {
            return Err(broken(&CopyError::Trailing));
        }
        loop {
            match rows
                .next(self.columns.len())
                .map_err(|error| broken(&error))?
            {
                Next::Row => self.push_row(&mut rows)?,
                Next::Message => break,
                Next::End => {
                    self.ended = true;
                    break;
                }
            }
        }
        self.bytes += message.len();
        Ok(self.rows >= self.max_rows || self.bytes >= self.max_bytes)
    }

    #[inline]
    fn push_row(&mut self, rows: &mut Rows<'_>) -> Result<(), ConnectorError> {
        for (index, column) in self.columns.iter_mut().enumerate() {
            let pushed = rows
                .field()
                .map_err(DecodeError::from)
                .and_then(|field| column.push(field));
            if let Err(error) = pushed {
                return Err(self.undecodable(index, &error));
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows so far; `None` when there are none.
    pub(crate) fn take(&mut self) -> Result<Option<SourceBatch>, ConnectorError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let mut arrays = Vec::with_capacity(self.columns.len());
        for index in 0..self.columns.len() {
            let array = self.columns[index]
                .finish()
                .map_err(|error| self.unreadable(index, &error.to_string()))?;
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        let records =
            RecordBatch::try_new_with_options(Arc::clone(&self.arrow_schema), arrays, &options)
                .map_err(|error| ConnectorError::internal(error.to_string()))?;
        self.rows = 0;
        self.bytes = 0;
        Ok(Some(SourceBatch {
            schema: Arc::clone(&self.schema),
            records,
        }))
    }

    /// Must be asked when the stream is over: a COPY that was cut short has no trailer.
    pub(crate) fn check_end(&self) -> Result<(), ConnectorError> {
        if self.ended {
            return Ok(());
        }
        Err(broken(&CopyError::Truncated))
    }

    /// Columns whose values became NULL in this run: name, count and what they were.
    pub(crate) fn losses(&self) -> impl Iterator<Item = (&str, u64, Loss)> {
        let names = self.schema.fields.iter().map(|field| field.name.as_str());
        names
            .zip(&self.columns)
            .filter_map(|(name, column)| column.lost().map(|(count, loss)| (name, count, loss)))
    }

    #[cold]
    fn undecodable(&self, index: usize, error: &DecodeError) -> ConnectorError {
        self.unreadable(index, &error.to_string())
    }

    fn unreadable(&self, index: usize, reason: &str) -> ConnectorError {
        let name = self
            .schema
            .fields
            .get(index)
            .map_or("?", |field| field.name.as_str());
        ConnectorError::new(
            ErrorKind::Data,
            format!("the column {name} cannot be read: {reason}"),
        )
    }
}

/// Not one value but the stream is wrong: somebody between us and the server cut or mixed it up.
fn broken(error: &CopyError) -> ConnectorError {
    ConnectorError::new(
        ErrorKind::Unreachable,
        "An I/O error occurred while sending to the backend.",
    )
    .with_detail(error.to_string())
}
