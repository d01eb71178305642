//! The intake log as the engine reads it.

use std::sync::Arc;

use async_trait::async_trait;
use selvedge_connector::ConnectorError;
use selvedge_engine::lane::{LanePart, LaneParts, LogPosition};
use selvedge_spool::{IntakeLog, Lane, Lsn, PartReader, StoredPart, next_part};

/// The parts of a lane, up to `last`.
pub(super) struct LogParts {
    pub(super) log: Arc<dyn IntakeLog>,
    pub(super) lane: Lane,
    pub(super) last: Lsn,
    pub(super) reader: Option<Box<dyn PartReader>>,
}

#[async_trait]
impl LaneParts for LogParts {
    async fn next(&mut self) -> Result<Option<LanePart>, ConnectorError> {
        let Some(reader) = self.reader.take() else {
            return Ok(None);
        };
        let (reader, next) = next_part(reader).await;
        let Some(part) = next.map_err(|error| ConnectorError::internal(error.to_string()))? else {
            return Ok(None);
        };
        if part.lsn > self.last {
            return Ok(None);
        }
        self.reader = Some(reader);
        lane_part(part).map(Some)
    }

    async fn seek(&mut self, after: LogPosition) -> Result<(), ConnectorError> {
        self.reader = Some(self.log.read(&self.lane, Lsn(after)));
        Ok(())
    }
}

fn lane_part(part: StoredPart) -> Result<LanePart, ConnectorError> {
    let header = serde_json::from_slice(&part.header).map_err(|error| {
        ConnectorError::internal(format!(
            "the header of accepted records cannot be read: {error}"
        ))
    })?;
    Ok(LanePart {
        at: part.lsn.0,
        received_at: part.received_at,
        header,
        messages: part.payload,
        record_count: part.record_count,
        activates: part.urgent,
    })
}
