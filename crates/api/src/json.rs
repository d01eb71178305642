//! JSON in and out: bodies that may be anything, answers with the documented content type.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{ApiError, AppState};

pub(crate) const CONTENT_TYPE: &str = "application/json;charset=utf-8";

/// An answer with status 200.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        respond(StatusCode::OK, &self.0)
    }
}

/// `{"status": 200}`, where there is nothing else to say.
#[derive(Serialize, ToSchema)]
#[schema(as = Done)]
pub(crate) struct DoneView {
    /// Always 200.
    status: u16,
}

impl Default for DoneView {
    fn default() -> Self {
        Self { status: 200 }
    }
}

/// Serialises `body`; the only place that does.
pub(crate) fn respond<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => respond_with(status, text),
        Err(error) => {
            tracing::error!(%error, "answer could not be serialised");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An answer that is JSON already.
pub(crate) fn respond_with(status: StatusCode, text: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], text.into()).into_response()
}

/// The request body, `None` when it is empty, not valid JSON or not an object: what that means differs by endpoint.
/// The content type is not asked for. Extracting fails only for a body that is over the limit or takes too long.
pub(crate) struct JsonBody(Option<Map<String, Value>>);

impl JsonBody {
    pub(crate) fn object(&self) -> Option<&Map<String, Value>> {
        self.0.as_ref()
    }
}

impl FromRequest<AppState> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Self::Rejection> {
        let bytes = read_body(request, state).await?;
        Ok(Self(bytes.as_deref().and_then(object)))
    }
}

/// Like [`JsonBody`], with every value as the text that was sent: for answers that echo one to the last digit. What is no
/// object there is none here: nobody is sent back a number or a depth that readers of JSON choke on.
pub(crate) struct RawBody(HashMap<String, Box<RawValue>>);

impl RawBody {
    /// `None` when the body has no such key, or is no object.
    pub(crate) fn value(&self, key: &str) -> Option<&RawValue> {
        self.0.get(key).map(|value| &**value)
    }
}

impl FromRequest<AppState> for RawBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Self::Rejection> {
        let bytes = read_body(request, state).await?.unwrap_or_default();
        let values = object(&bytes).and_then(|_| serde_json::from_slice(&bytes).ok());
        Ok(Self(values.unwrap_or_default()))
    }
}

/// The JSON object in `bytes`, if it is one.
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    // serde_json refuses nesting deeper than 128 levels, so that no body can exhaust the stack.
    serde_json::from_slice(bytes).ok()
}

/// The whole body; `None` when it broke off or was framed wrongly.
pub(crate) async fn read_body(
    request: Request,
    state: &AppState,
) -> Result<Option<Bytes>, ApiError> {
    let reading = Bytes::from_request(request, state);
    match tokio::time::timeout(state.body_timeout, reading).await {
        Ok(Ok(bytes)) => Ok(Some(bytes)),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(ApiError::TooLarge)
        }
        Ok(Err(_)) => Ok(None),
        Err(_) => Err(ApiError::BodyTimeout),
    }
}
