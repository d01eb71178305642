//! `_sdc_rejected`: records that did not get in, and why.

use rusqlite::params;
use selvedge_connector::{ConnectorError, ShapedBatch};
use selvedge_shape::{Rejection, record_json};
use selvedge_types::Timestamp;

use crate::connect::File;
use crate::error::explain;
use crate::structure::quoted;

/// Rows on their way into the schema's table of rejections, and the reasons for the job's log.
#[derive(Debug)]
pub(crate) struct Rejected {
    /// Name of the rejections' table.
    pub(crate) table: String,
    /// Whether this writer has made sure that it exists.
    ready: bool,
    reasons: Vec<(Rejection, u64)>,
}

impl Rejected {
    pub(crate) fn new(table: String) -> Self {
        Self {
            table,
            ready: false,
            reasons: Vec::new(),
        }
    }

    /// Keeps row `row` of the batch, in the transaction that is open.
    pub(crate) fn put(
        &mut self,
        file: &File,
        data_table: &str,
        batch: &ShapedBatch,
        row: usize,
        reason: &Rejection,
        now: Timestamp,
    ) -> Result<(), ConnectorError> {
        if !self.ready {
            file.execute(&format!(
                "create table if not exists {} (
                   _sdc_rejected_at timestamp_text,
                   table_name text,
                   reason text,
                   record text
                 )",
                quoted(&self.table)
            ))?;
            self.ready = true;
        }
        let insert = || {
            file.connection
                .prepare_cached(&format!(
                    "insert into {} (_sdc_rejected_at, table_name, reason, record) values (?1, ?2, ?3, ?4)",
                    quoted(&self.table)
                ))?
                .execute(params![
                    now.to_micros_string(),
                    data_table,
                    reason.to_string(),
                    record_json(&batch.schema, &batch.records, row),
                ])
        };
        insert().map_err(|error| explain(&error))?;
        match self.reasons.iter_mut().find(|(seen, _)| seen == reason) {
            Some((_, count)) => *count += 1,
            None => self.reasons.push((reason.clone(), 1)),
        }
        Ok(())
    }

    /// One line per reason, for what was rejected since the last call.
    pub(crate) fn notes(&mut self) -> impl Iterator<Item = String> {
        let table = self.table.clone();
        std::mem::take(&mut self.reasons)
            .into_iter()
            .map(move |(reason, count)| {
                format!("{count} record(s) rejected into {table}: {reason}")
            })
    }
}
