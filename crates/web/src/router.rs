//! Every page in one list.

use axum::Router;
use serde_json::Value;

use crate::{DescriptionError, Site, assets, docs, landing};

/// The pages of a server whose API the OpenAPI document `openapi` describes. They need no token and no state of the control
/// plane.
///
/// # Errors
/// When `openapi` is not a description that the guide can show.
pub fn router(site: &Site, openapi: &Value) -> Result<Router, DescriptionError> {
    Ok(Router::new()
        .merge(assets::routes())
        .merge(landing::routes(site))
        .merge(docs::routes(site, openapi)?))
}
