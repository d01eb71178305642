//! Every page in one list.

use axum::Router;

use crate::{Site, assets, landing};

/// The pages of a server. They need no token and no state of the control plane.
pub fn router(site: &Site) -> Router {
    Router::new()
        .merge(assets::routes())
        .merge(landing::routes(site))
}
