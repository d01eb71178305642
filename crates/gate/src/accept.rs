//! The last steps of a request: its records become durable, then it is answered.

use std::sync::Arc;

use selvedge_control::intake::{Pusher, note_received};
use selvedge_intake::{Intake, Part};
use selvedge_spool::{AppendError, Entry, Part as LogPart, Squeezed};
use selvedge_types::DestinationId;

use crate::Gate;
use crate::answer::{Answer, CANNOT_KEEP};

/// Keeps all records of a request. When this returns without an error they are durable. `squeezed` is the body, if it was compressed
/// ahead.
pub(crate) async fn keep(
    gate: &Gate,
    pusher: &Pusher,
    intake: Intake,
    squeezed: Option<Squeezed>,
) -> Result<(), Answer> {
    let records = intake.record_count();
    let bytes = intake.parts.iter().map(|part| part.messages.len()).sum();
    if intake.parts.is_empty() {
        // All records were without a key: there is nothing to keep.
        return Ok(());
    }
    let received_at = gate.control.now();
    let parts = intake.parts.into_iter();
    let entry = Entry {
        account: pusher.scope.account(),
        source: pusher.source,
        received_at,
        parts: parts
            .map(|part| log_part(part, pusher.destination))
            .collect::<Result<_, _>>()?,
        squeezed,
    };
    match gate.log.append(entry).await {
        Ok(_) => {
            gate.metrics.accepted(records, bytes);
            note_received(&gate.control, pusher.scope, pusher.source, received_at);
            Ok(())
        }
        Err(error) => Err(refused(pusher, &error)),
    }
}

fn log_part(part: Part, destination: Option<DestinationId>) -> Result<LogPart, Answer> {
    let header = serde_json::to_vec(&part.header).map_err(|error| {
        tracing::error!(%error, "a header could not be written down");
        Answer::Unavailable(CANNOT_KEEP)
    })?;
    Ok(LogPart {
        destination,
        table_name: Arc::from(part.header.table_name),
        record_count: part.record_count,
        urgent: part.activates,
        table_version: part.header.table_version,
        header: header.into(),
        payload: part.messages,
    })
}

fn refused(pusher: &Pusher, error: &AppendError) -> Answer {
    let account = pusher.scope.account().0;
    match error {
        AppendError::QuotaExceeded { .. } => {
            tracing::warn!(account.id = account, %error, "a request was not accepted");
            Answer::Unavailable(
                "Too much data of this account waits to be loaded. Nothing of this request was accepted; send it again later.",
            )
        }
        error => {
            tracing::error!(account.id = account, %error, "a request was not accepted");
            Answer::Unavailable(CANNOT_KEEP)
        }
    }
}
