//! Who pushes: the token in the header, or in the address.

use std::sync::Arc;

use axum::http::HeaderMap;
use http::header::AUTHORIZATION;
use selvedge_control::intake::{Pusher, PusherKind};
use selvedge_types::Secret;

use crate::Gate;
use crate::answer::{Answer, CANNOT_KEEP};

/// The Import API source whose token the header holds. Of two headers it is not known which one counts for others on the way.
pub(crate) async fn by_header(gate: &Gate, headers: &HeaderMap) -> Result<Arc<Pusher>, Answer> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let token = match (sent.next(), sent.next()) {
        (Some(header), None) => header.to_str().ok().and_then(bearer),
        _ => None,
    };
    let token = token.ok_or(Answer::NotAuthorized)?;
    let pusher = find(gate, token).await?;
    match pusher.kind {
        PusherKind::ImportApi => active(pusher),
        PusherKind::Webhook { .. } => Err(Answer::NotAuthorized),
    }
}

/// The webhook source whose token the address holds.
pub(crate) async fn by_address(gate: &Gate, token: &str) -> Result<Arc<Pusher>, Answer> {
    let pusher = find(gate, Secret::new(token)).await?;
    match pusher.kind {
        PusherKind::Webhook { .. } => active(pusher),
        PusherKind::ImportApi => Err(Answer::NotAuthorized),
    }
}

async fn find(gate: &Gate, token: Secret) -> Result<Arc<Pusher>, Answer> {
    match gate.pushers.authenticate(&gate.control, &token).await {
        Ok(Some(pusher)) => Ok(pusher),
        Ok(None) => Err(Answer::NotAuthorized),
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "a token could not be looked up");
            Err(Answer::Unavailable(CANNOT_KEEP))
        }
    }
}

fn active(pusher: Arc<Pusher>) -> Result<Arc<Pusher>, Answer> {
    match pusher.active {
        true => Ok(pusher),
        false => Err(Answer::Inactive),
    }
}

/// The token of `Bearer <token>`.
fn bearer(header: &str) -> Option<Secret> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| Secret::new(token))
}
