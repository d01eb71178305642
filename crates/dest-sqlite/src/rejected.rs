//! `_sdc_rejected`: records that did not get in, and why.

use rusqlite::params;
use selvedge_connector::ConnectorError;
use selvedge_types::Timestamp;

use crate::connect::File;
use crate::error::explain;
use crate::structure::quoted;

/// Different reasons that are told in the job's log; the table has them all.
const MAX_REASONS: usize = 100;

/// Rows on their way into the schema's table of rejections, and the reasons for the job's log.
#[derive(Debug)]
pub(crate) struct Rejected {
    /// Name of the rejections' table.
    pub(crate) table: String,
    /// Whether this writer has made sure that it exists.
    ready: bool,
    reasons: Vec<(String, u64)>,
}

impl Rejected {
    pub(crate) fn new(table: String) -> Self {
        Self {
            table,
            ready: false,
            reasons: Vec::new(),
        }
    }

    /// Keeps the text of a record that did not get in, in the transaction that is open, and counts its reason.
    pub(crate) fn put(
        &mut self,
        file: &File,
        data_table: &str,
        record: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), ConnectorError> {
        self.keep(file, data_table, record, reason, now)?;
        let known = self.reasons.iter_mut().find(|(seen, _)| seen == reason);
        if let Some((_, count)) = known {
            *count += 1;
        } else if self.reasons.len() < MAX_REASONS {
            self.reasons.push((reason.to_owned(), 1));
        }
        Ok(())
    }

    /// Keeps the text of a record of which a part did not get in.
    pub(crate) fn keep(
        &mut self,
        file: &File,
        data_table: &str,
        record: &str,
        reason: &str,
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
                    reason,
                    record,
                ])
        };
        insert().map(|_| ()).map_err(|error| explain(&error))
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
