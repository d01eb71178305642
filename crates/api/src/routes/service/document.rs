//! `GET /openapi.json`: this interface, described. Made once, when it is first asked for.

use std::sync::{Arc, OnceLock};

use axum::Extension;
use axum::response::Response;
use http::HeaderMap;
use selvedge_prepared::Prepared;
use utoipa::openapi::OpenApi;

use crate::ApiError;
use crate::json::CONTENT_TYPE;
use crate::openapi::parameters::HeldTag;
use crate::type_cards::PrepareError;

/// The document and, once somebody has asked for it, its text in all forms.
#[derive(Clone)]
pub(crate) struct Document(Arc<Inner>);

struct Inner {
    document: OpenApi,
    answer: OnceLock<Prepared>,
}

impl Document {
    pub(crate) fn new(document: OpenApi) -> Self {
        Self(Arc::new(Inner {
            document,
            answer: OnceLock::new(),
        }))
    }

    /// Compressing takes milliseconds.
    async fn prepared(&self) -> Result<&Prepared, PrepareError> {
        if let Some(answer) = self.0.answer.get() {
            return Ok(answer);
        }
        let inner = Arc::clone(&self.0);
        let made = tokio::task::spawn_blocking(move || {
            let text = serde_json::to_vec_pretty(&inner.document)?;
            Ok::<_, PrepareError>(Prepared::new(CONTENT_TYPE, text))
        });
        let made = made.await??;
        // Two that come first at the same time arrive at the same bytes.
        Ok(self.0.answer.get_or_init(|| made))
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
    params(HeldTag),
    responses(
        (status = 200, description = "The document", body = Object,
            headers(("ETag" = String, description = "Entity tag, to send in `If-None-Match`"))),
        (status = 304, description = "The caller has this answer already"),
    ),
)]
pub(crate) async fn openapi_document(
    Extension(document): Extension<Document>,
    request: HeaderMap,
) -> Result<Response, ApiError> {
    Ok(document.prepared().await?.answer(&request))
}
