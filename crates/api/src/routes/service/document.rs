//! `GET /openapi.json`: this interface, described. Made once, with the router.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header;
use utoipa::openapi::OpenApi;

use crate::ApiError;
use crate::json::CONTENT_TYPE;

/// The text of the document; `None` if it could not be written.
#[derive(Clone)]
pub(crate) struct Document(Option<Bytes>);

impl Document {
    pub(crate) fn new(document: &OpenApi) -> Self {
        match serde_json::to_vec_pretty(document) {
            Ok(text) => Self(Some(text.into())),
            Err(error) => {
                tracing::error!(%error, "OpenAPI document could not be serialised");
                Self(None)
            }
        }
    }
}

/// Fetch this document
///
/// OpenAPI 3.1. Clients can be generated from it.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Service",
    security(()),
    responses((status = 200, description = "The document", body = Object)),
)]
pub(crate) async fn openapi_document(
    Extension(Document(text)): Extension<Document>,
) -> Result<Response, ApiError> {
    let text = text.ok_or(ApiError::Panicked)?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
