//! JSON in and out: bodies that may be anything, answers with the documented content type.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::ApiError;

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
        Ok(text) => (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "answer could not be serialised");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The request body, `None` when it is empty, not valid JSON or not an object: what that means differs by endpoint.
/// The content type is not asked for. Extracting fails only for a body over the limit.
pub(crate) struct JsonBody(Option<Map<String, Value>>);

impl JsonBody {
    pub(crate) fn object(&self) -> Option<&Map<String, Value>> {
        self.0.as_ref()
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        match Bytes::from_request(request, state).await {
            // serde_json refuses nesting deeper than 128 levels, so that no body can exhaust the stack.
            Ok(bytes) => Ok(Self(serde_json::from_slice(&bytes).ok())),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::TooLarge)
            }
            // The connection broke in the middle of the body: nobody reads the answer.
            Err(_) => Ok(Self(None)),
        }
    }
}
