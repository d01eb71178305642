//! Reading one stream: plan, COPY, decode, hand on, in one snapshot.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use futures_util::Stream;
use selvedge_connector::{
    ConnectorError, ErrorKind, EventSender, KeyOrder, LogLevel, ReadContext, SourceEvent,
    StreamRead,
};
use selvedge_postgres::{Canceller, PostgresConfig, Session, connect, connector_error};
use tokio_postgres::CopyOutStream;
use tracing::debug;

use crate::decode::BatchDecoder;
use crate::snapshot::{Snapshot, plan};

mod position;

/// How long a stopped read waits for the server to take the request to cancel.
const CANCEL_TIMEOUT: Duration = Duration::from_millis(500);

pub(crate) async fn read(
    config: &PostgresConfig,
    ctx: ReadContext,
    stream: StreamRead,
    out: EventSender,
) -> Result<(), ConnectorError> {
    let what = format!("table {}.{}", stream.location.schema, stream.location.table);
    let connecting = async {
        tokio::select! {
            biased;
            () = ctx.stop.cancelled() => Err(ConnectorError::stopped()),
            session = connect(config, &ctx.dialer) => session,
        }
    };
    let session = connecting.await?;
    let canceller = session.canceller();
    // One race for the whole transfer: wherever it waits, for the server or for the engine, it can be stopped.
    let outcome = tokio::select! {
        biased;
        () = ctx.stop.cancelled() => Err(ConnectorError::stopped()),
        outcome = transfer(&session, &ctx, &stream, &out) => outcome,
    };
    match outcome {
        Ok(()) => {
            session.close().await;
            Ok(())
        }
        Err(error) => {
            abandon(&canceller, &error).await;
            Err(match error.kind {
                ErrorKind::Stopped => error,
                _ => error.within(what),
            })
        }
    }
}

/// A server that is busy sorting does not notice that its client has gone.
async fn abandon(canceller: &Canceller, error: &ConnectorError) {
    if error.kind == ErrorKind::Unreachable {
        return;
    }
    match tokio::time::timeout(CANCEL_TIMEOUT, canceller.cancel()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "the query could not be cancelled"),
        Err(_) => debug!("the query could not be cancelled in time"),
    }
}

async fn transfer(
    session: &Session,
    ctx: &ReadContext,
    stream: &StreamRead,
    out: &EventSender,
) -> Result<(), ConnectorError> {
    let client = session.client();
    client
        .batch_execute("begin isolation level repeatable read read only")
        .await
        .map_err(|error| connector_error(&error))?;
    let Snapshot { sql, mappings, key } = plan(client, stream, ctx.fidelity).await?;
    let mut decoder = BatchDecoder::new(
        stream.schema.clone(),
        &mappings,
        ctx.batch_bytes,
        ctx.batch_rows,
    )?;
    let copy = client
        .copy_out(&sql)
        .await
        .map_err(|error| copy_error(&error, key.is_some()))?;
    let mut copy = pin!(copy);
    let mut order = KeyOrder::default();
    loop {
        let more = fill(copy.as_mut(), &mut decoder).await?;
        let events = match (decoder.take()?, key) {
            (None, _) => Vec::new(),
            (Some(batch), None) => vec![SourceEvent::Batch(batch)],
            (Some(batch), Some((index, kind))) => {
                let last = position::last_key(batch.records.column(index).as_ref(), kind);
                order.push(batch, last)
            }
        };
        for event in events {
            out.send(event).await?;
        }
        if !more {
            break;
        }
    }
    for event in order.finish() {
        out.send(event).await?;
    }
    decoder.check_end()?;
    client
        .batch_execute("commit")
        .await
        .map_err(|error| connector_error(&error))?;
    warn_of_losses(&decoder, stream, out).await
}

/// Decodes until the batch is full (`true`) or the stream has ended. Everything that has arrived is taken in one go: the
/// task is left only when there is nothing to decode.
async fn fill(
    mut copy: Pin<&mut CopyOutStream>,
    decoder: &mut BatchDecoder,
) -> Result<bool, ConnectorError> {
    std::future::poll_fn(|cx| {
        loop {
            match copy.as_mut().poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(false)),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(connector_error(&error)));
                }
                Poll::Ready(Some(Ok(message))) => match decoder.push(&message) {
                    Ok(false) => {}
                    Ok(true) => return Poll::Ready(Ok(true)),
                    Err(error) => return Poll::Ready(Err(error)),
                },
            }
        }
    })
    .await
}

/// In an incremental read the only value in the statement is the position.
fn copy_error(error: &tokio_postgres::Error, incremental: bool) -> ConnectorError {
    let converted = connector_error(error);
    let about_a_value = converted
        .code
        .as_deref()
        .is_some_and(|code| code.starts_with("22"));
    if incremental && about_a_value {
        return ConnectorError {
            kind: ErrorKind::Configuration,
            message: "the stored position is not a value of the replication key's type".to_owned(),
            ..converted
        };
    }
    converted
}

/// One line per column, at the end, when the count is known.
async fn warn_of_losses(
    decoder: &BatchDecoder,
    stream: &StreamRead,
    out: &EventSender,
) -> Result<(), ConnectorError> {
    let (schema, table) = (&stream.location.schema, &stream.location.table);
    for (column, count, loss) in decoder.losses() {
        let line = format!(
            "table {schema}.{table}, column {column}: {} were read as NULL ({count})",
            loss.as_str()
        );
        out.send(SourceEvent::Log(LogLevel::Warning, line)).await?;
    }
    Ok(())
}
