//! `GET /reference/connections`: the connection property reference, as a page and as data.
//!
//! [`selvedge_catalog::reference`] says what is in it. The page without a search and the data are made once, at the first
//! request; a search draws the table again and keeps the rest.

mod data;
mod markdown;
mod objects;
mod page;
mod search;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use http::HeaderMap;
use selvedge_catalog::reference::Reference;

pub use data::json;
pub use markdown::markdown;
use page::Renderer;
use search::Search;

use crate::{Document, Site};

/// What is made at the first request. Reading the whole catalogue takes a moment that starting should not wait for.
struct Kept {
    renderer: Renderer,
    page: Document,
    json: Document,
}

type Shared = Arc<LazyLock<Kept, Box<dyn FnOnce() -> Kept + Send>>>;

pub(crate) fn routes(
    site: &Site,
    reference: impl FnOnce() -> Reference + Send + 'static,
) -> Router {
    let site = site.clone();
    let make: Box<dyn FnOnce() -> Kept + Send> = Box::new(move || {
        let reference = reference();
        let json = Document::asset("application/json;charset=utf-8", json(&reference));
        let renderer = Renderer::new(&site, reference);
        Kept {
            page: renderer.page(&Search::default()),
            renderer,
            json,
        }
    });
    let shared: Shared = Arc::new(LazyLock::new(make));
    Router::new()
        .route("/reference/connections", get(find))
        .route("/reference/connections.json", get(list))
        .with_state(shared)
}

/// The page, with the rows that the query asks for.
async fn find(
    State(shared): State<Shared>,
    Query(search): Query<Search>,
    headers: HeaderMap,
) -> Response {
    aside(move || {
        if search.is_empty() {
            shared.page.answer(&headers)
        } else {
            shared.renderer.page(&search).answer(&headers)
        }
    })
    .await
}

/// The same as data.
async fn list(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    aside(move || shared.json.answer(&headers)).await
}

/// Rendering and compressing take milliseconds: too long between other requests.
async fn aside(answer: impl FnOnce() -> Response + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(answer).await {
        Ok(response) => response,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
