//! The table of a lane: the messages of its parts become records.

use selvedge_connector::{ConnectorError, TableTarget, TableWriter};
use selvedge_intake::{Message, Messages, PartHeader, Typing};

use super::{LaneError, LanePart};
use crate::record_table::{Given, RecordTable, Surroundings, Typed};

/// An open table of a lane.
pub(super) struct LaneTable {
    pub(super) records: RecordTable,
    /// How the records that came last are typed, and their replication keys.
    described: Option<(Typing, Vec<String>)>,
}

impl LaneTable {
    pub(super) fn new(
        around: &Surroundings,
        target: &TableTarget,
        writer: Box<dyn TableWriter>,
    ) -> Self {
        Self {
            records: RecordTable::new(around, target, writer),
            described: None,
        }
    }

    /// Takes all records of a part.
    pub(super) async fn write(&mut self, part: &LanePart) -> Result<(), LaneError> {
        let header = &part.header;
        let as_before = |(typing, bookmark_names): &(Typing, Vec<String>)| {
            *typing == header.typing && *bookmark_names == header.bookmark_names
        };
        if !self.described.as_ref().is_some_and(as_before) {
            self.describe(header).await?;
            self.described = Some((header.typing.clone(), header.bookmark_names.clone()));
        }
        let text = match selvedge_intake::utf8(&part.messages) {
            Ok(text) => text,
            Err(error) => return Err(unreadable(part, &error)),
        };
        let received_at = Some(part.received_at.as_micros());
        for message in Messages::new(text) {
            let message = message.map_err(|error| unreadable(part, &error))?;
            let Message::Upsert {
                sequence,
                extracted_at,
                data,
            } = message
            else {
                continue;
            };
            let record = Given {
                text: data,
                sequence,
                extracted_at,
                received_at,
            };
            if self.records.push(&record) {
                self.records.flush().await.map_err(LaneError::Target)?;
            }
        }
        Ok(())
    }

    async fn describe(&mut self, header: &PartHeader) -> Result<(), LaneError> {
        let schema;
        let typed = match &header.typing {
            Typing::Schema(text) => {
                schema = serde_json::from_str(text).map_err(|error| {
                    LaneError::Log(ConnectorError::internal(format!(
                        "an accepted schema is no JSON: {error}"
                    )))
                })?;
                Typed::Schema(&schema)
            }
            Typing::Value => Typed::Values,
            Typing::Tag => Typed::Tags,
        };
        let typed = self.records.type_records(typed, &header.bookmark_names);
        typed.await.map_err(LaneError::Target)
    }
}

fn unreadable(part: &LanePart, error: &dyn std::error::Error) -> LaneError {
    LaneError::Log(ConnectorError::internal(format!(
        "the accepted records at {} cannot be read: {error}",
        part.at
    )))
}
