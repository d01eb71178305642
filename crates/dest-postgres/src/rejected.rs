//! The table `_sdc_rejected`: records that did not get in, with the reason. The cold path.

use selvedge_connector::{ConnectorError, RefusedRecord, ShapedBatch};
use selvedge_postgres::quote_qualified;
use selvedge_shape::system::REJECTED_TABLE;
use selvedge_shape::{Rejection, record_text};
use selvedge_types::Timestamp;

use crate::commits::lock_creation;
use crate::link::Link;

/// Rejections are written out before they hold more text than this.
const MAX_BYTES: usize = 1 << 20;

/// Rejected records on their way into the table.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    reasons: Vec<String>,
    records: Vec<String>,
    size_bytes: usize,
    table_ready: bool,
}

impl Rejections {
    pub(crate) fn add(&mut self, batch: &ShapedBatch, row: usize, reason: &Rejection) {
        self.push(&reason.to_string(), record_text(batch, row));
    }

    /// A record that never became a row.
    pub(crate) fn add_refused(&mut self, refused: &RefusedRecord) {
        self.push(&refused.reason, refused.record.clone());
    }

    fn push(&mut self, reason: &str, record: String) {
        // The server cannot hold NUL characters; JSON text has none.
        let reason = reason.replace('\0', "");
        self.size_bytes += reason.len() + record.len();
        self.reasons.push(reason);
        self.records.push(record);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }

    /// Whether it is time to write them out.
    pub(crate) fn is_full(&self) -> bool {
        self.size_bytes >= MAX_BYTES
    }

    /// Appends them as part of the open transaction; the table is created with the first.
    pub(crate) async fn flush(
        &mut self,
        link: &Link,
        schema: &str,
        table_name: &str,
        now: Timestamp,
    ) -> Result<(), ConnectorError> {
        if self.is_empty() {
            return Ok(());
        }
        let table = quote_qualified(schema, REJECTED_TABLE);
        if !self.table_ready {
            link.execute(&format!(
                "{} create table if not exists {table} (
                   _sdc_rejected_at timestamp without time zone,
                   table_name text,
                   reason text,
                   record text
                 )",
                lock_creation(schema)
            ))
            .await?;
            self.table_ready = true;
        }
        link.count(
            &format!(
                "insert into {table} (_sdc_rejected_at, table_name, reason, record)
                 select timestamp 'epoch' + $1::bigint * interval '1 microsecond', $2::text, reason, record
                 from unnest($3::text[], $4::text[]) as rejections (reason, record)"
            ),
            &[&now.as_micros(), &table_name, &self.reasons, &self.records],
        )
        .await?;
        self.reasons.clear();
        self.records.clear();
        self.size_bytes = 0;
        Ok(())
    }
}
