//! `POST /v2/webhooks/{token}`: events that a third party sends. Whoever knows the address may send.

use axum::body::Body;
use axum::http::HeaderMap;
use http::StatusCode;
use selvedge_control::intake::PusherKind;
use selvedge_intake::{MAX_RECORDS, WebhookKind};

use super::examine;
use crate::answer::{Answer, CANNOT_KEEP};
use crate::body::{self, Format};
use crate::openapi::{
    Accepted, Common, ErrorMessage, NeedsToken, PushRefusal, WebhookBody, WebhookPath,
};
use crate::{Gate, accept, pusher};

/// Send an event
///
/// An object is a record, an array of objects one for each. Records without the key of the source's table are dropped.
#[utoipa::path(
    post,
    path = "/v2/webhooks/{token}",
    tag = "Incoming webhooks",
    operation_id = "receive_webhook",
    security(()),
    params(WebhookPath),
    request_body = WebhookBody,
    responses(
        (status = 200, description = "Accepted", body = Accepted),
        (status = 400, description = "The body cannot be read, is no object and no array of 1 to 20,000 objects, or is not encoded as it says.", body = PushRefusal),
        (status = 415, description = "Another media type or encoding", body = ErrorMessage),
        NeedsToken,
        Common,
    ),
)]
pub(crate) async fn webhook(
    gate: &Gate,
    token: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Answer, Answer> {
    let pusher = pusher::by_address(gate, token).await?;
    let PusherKind::Webhook {
        type_name,
        properties,
    } = &pusher.kind
    else {
        return Err(Answer::NotAuthorized);
    };
    let kind = WebhookKind::of(type_name, properties).ok_or(Answer::NotAuthorized)?;
    match body::format(headers) {
        Ok(Format::Json) => {}
        Ok(Format::Transit) => {
            return Err(Answer::ContentType("application/transit+json".to_owned()));
        }
        // Some senders have a name of their own for the JSON they send.
        Err(sent) if is_json(&sent) => {}
        Err(sent) => return Err(Answer::ContentType(sent)),
    }
    let account = pusher.scope.account();
    let body = body::read(gate, account, headers, body, Format::Json).await?;
    let turn = gate
        .clocks
        .turn(
            &gate.control,
            pusher.scope,
            pusher.source,
            MAX_RECORDS as i64,
        )
        .await
        .map_err(|error| {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "the clock of a source could not be read");
            Answer::Unavailable(CANNOT_KEEP)
        })?;
    let first = turn.first();
    let intake = examine(gate, account, &body, move |bytes| {
        selvedge_intake::webhook(bytes, &kind, first)
    })
    .await?;
    turn.used(intake.record_count() as i64 + i64::from(intake.dropped_count));
    accept::keep(gate, &pusher, intake, None).await?;
    Ok(Answer::Accepted(StatusCode::OK))
}

/// Whether a media type is JSON by its ending.
fn is_json(media_type: &str) -> bool {
    let ending = media_type.len().checked_sub("+json".len());
    let ending = ending.and_then(|at| media_type.get(at..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("+json"))
}
