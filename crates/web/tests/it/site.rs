//! A site, and asking it for pages.

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use selvedge_web::Site;
use tower::ServiceExt as _;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

pub(crate) fn site() -> Router {
    selvedge_web::router(&Site {
        brand: "Loom & Co".to_owned(),
        public_url: "https://pipes.example.com".to_owned(),
    })
}

pub(crate) async fn get(address: &str) -> Answer {
    let request = Request::get(address).body(Body::empty()).unwrap();
    let response = site().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}
