//! `_sdc_rejected`: records that did not get in, and why. JSON Lines, whatever the destination's format.

use std::io::{BufWriter, Write};

use selvedge_connector::ConnectorError;
use selvedge_types::Timestamp;
use tempfile::NamedTempFile;

use crate::spool::{Sealed, Spool, failed};

/// Different reasons that are told in the job's log; the object has them all.
const MAX_REASONS: usize = 100;

/// The rejections of one load.
#[derive(Debug)]
pub(crate) struct RejectedFile {
    out: BufWriter<NamedTempFile>,
    reasons: Vec<(String, u64)>,
}

#[derive(serde::Serialize)]
struct Line<'a> {
    _sdc_rejected_at: String,
    table_name: &'a str,
    reason: &'a str,
    record: &'a str,
}

impl RejectedFile {
    pub(crate) fn create(spool: &Spool) -> Result<Self, ConnectorError> {
        Ok(Self {
            out: BufWriter::new(spool.named()?),
            reasons: Vec::new(),
        })
    }

    pub(crate) fn put(
        &mut self,
        table_name: &str,
        record: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), ConnectorError> {
        let line = Line {
            _sdc_rejected_at: now.to_micros_string(),
            table_name,
            reason,
            record,
        };
        serde_json::to_writer(&mut self.out, &line)
            .map_err(|error| failed(std::io::Error::from(error)))?;
        self.out.write_all(b"\n").map_err(failed)?;
        let known = self.reasons.iter_mut().find(|(seen, _)| seen == reason);
        if let Some((_, count)) = known {
            *count += 1;
        } else if self.reasons.len() < MAX_REASONS {
            self.reasons.push((reason.to_owned(), 1));
        }
        Ok(())
    }

    /// The file, and one line per reason for the job's log.
    pub(crate) fn seal(self) -> Result<(Sealed, Vec<String>), ConnectorError> {
        let notes = self
            .reasons
            .iter()
            .map(|(reason, count)| {
                format!("{count} record(s) rejected into _sdc_rejected: {reason}")
            })
            .collect();
        let sealed = Sealed::new(
            self.out
                .into_inner()
                .map_err(|error| failed(error.into_error()))?,
        )?;
        Ok((sealed, notes))
    }
}
