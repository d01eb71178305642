//! Files that pages load: the stylesheet and the icon. Their addresses carry a hash of their content, so they may be
//! kept for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::routing::get;
use http::HeaderMap;
use selvedge_prepared::digest;

use crate::Document;
use crate::document::Caching;

const STYLE: &str = include_str!("../assets/style.css");
const ICON: &str = include_str!("../assets/icon.svg");

static STYLE_DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    Document::asset("text/css; charset=utf-8", STYLE).with_caching(Caching::Forever)
});
static ICON_DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::asset("image/svg+xml", ICON));
static STYLE_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/assets/style.css?{}", digest(STYLE.as_bytes())));

/// Where pages find the stylesheet.
pub(crate) fn stylesheet_address() -> &'static str {
    &STYLE_ADDRESS
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route(
            "/assets/style.css",
            get(|headers: HeaderMap| async move { STYLE_DOCUMENT.answer(&headers) }),
        )
        .route(
            "/assets/icon.svg",
            get(|headers: HeaderMap| async move { ICON_DOCUMENT.answer(&headers) }),
        )
}
