//! `GET /`: what runs here, for a person with a browser.

use askama::Template;
use axum::Router;
use axum::routing::get;
use http::HeaderMap;

use crate::shell::Section;
use crate::{Document, Policy, Shell, Site};

#[derive(Template)]
#[template(path = "landing.html")]
struct Landing<'a> {
    shell: Shell,
    public_url: &'a str,
}

pub(crate) fn routes(site: &Site) -> Router {
    let page = Landing {
        shell: Shell::new(site, Section::Home),
        public_url: &site.public_url,
    };
    let html = page.render().expect("the template writes to memory only");
    let document = Document::page(html, &Policy::default());
    Router::new().route(
        "/",
        get(move |headers: HeaderMap| async move { document.answer(&headers) }),
    )
}
