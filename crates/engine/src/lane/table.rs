//! The table of a lane: the messages of its parts become records.

use selvedge_connector::{ConnectorError, TableTarget, TableWriter};
use selvedge_intake::{Message, Messages, Typing};

use super::{LaneError, LanePart};
use crate::record_table::{Given, RecordTable, Surroundings, Typed};

/// An open table of a lane.
pub(super) struct LaneTable {
    pub(super) records: RecordTable,
    /// Of the records that came last.
    typing: Option<Typing>,
}

impl LaneTable {
    pub(super) fn new(
        around: &Surroundings,
        target: &TableTarget,
        writer: Box<dyn TableWriter>,
    ) -> Self {
        Self {
            records: RecordTable::new(around, target, writer),
            typing: None,
        }
    }

    /// Takes all records of a part.
    pub(super) async fn write(&mut self, part: &LanePart) -> Result<(), LaneError> {
        if self.typing.as_ref() != Some(&part.header.typing) {
            self.type_records(&part.header.typing).await?;
            self.typing = Some(part.header.typing.clone());
        }
        let text = match std::str::from_utf8(&part.messages) {
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

    async fn type_records(&mut self, typing: &Typing) -> Result<(), LaneError> {
        let schema;
        let typed = match typing {
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
        let typed = self.records.type_records(typed).await;
        typed.map_err(LaneError::Target)
    }
}

fn unreadable(part: &LanePart, error: &dyn std::error::Error) -> LaneError {
    LaneError::Log(ConnectorError::internal(format!(
        "the accepted records at {} cannot be read: {error}",
        part.at
    )))
}
