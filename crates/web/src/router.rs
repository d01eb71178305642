//! Every page in one list.

use axum::Router;
use selvedge_catalog::reference::Reference;
use serde_json::Value;

use crate::{DescriptionError, Site, assets, docs, landing, reference};

/// The pages of a server whose API the OpenAPI document `openapi` describes. They need no token and no state of the control
/// plane.
///
/// `connections` makes the connection property reference; it is asked for once, at the first request for it.
///
/// # Errors
/// When `openapi` is not a description that the guide can show.
pub fn router(
    site: &Site,
    openapi: &Value,
    connections: impl FnOnce() -> Reference + Send + 'static,
) -> Result<Router, DescriptionError> {
    Ok(Router::new()
        .merge(assets::routes())
        .merge(landing::routes(site))
        .merge(docs::routes(site, openapi)?)
        .merge(reference::routes(site, connections)))
}
