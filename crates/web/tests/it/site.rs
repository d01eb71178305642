//! A site, and asking it for pages.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use selvedge_catalog::reference::Reference;
use selvedge_catalog::{Catalog, Runs};
use selvedge_web::Site;
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// One site for all tests of a process: reading the whole catalogue takes a second in a test build.
static SITE: LazyLock<Router> = LazyLock::new(site);

pub(crate) fn site() -> Router {
    let site = Site {
        brand: "Loom & Co".to_owned(),
        public_url: "https://pipes.example.com".to_owned(),
    };
    selvedge_web::router(&site, &openapi(), reference).expect("the description can be shown")
}

/// A description with everything that the guide draws.
fn openapi() -> Value {
    json!({
        "openapi": "3.1.0",
        "tags": [
            {"name": "Cloth", "description": "What is woven."},
            {"name": "Unused"},
        ],
        "paths": {
            "/v4/cloths/{cloth_id}": {"put": {
                "operationId": "update_cloth",
                "summary": "Change a cloth",
                "description": "First words.\n\nSecond <words>.",
                "tags": ["Cloth"],
                "security": [{"access_token": []}],
                "parameters": [
                    {"name": "cloth_id", "in": "path", "required": true, "schema": {"type": "integer"}},
                    {"$ref": "#/components/parameters/Key"},
                ],
                "requestBody": {"content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/Cloth"},
                    "example": {"warp": 2},
                }}},
                "responses": {
                    "200": {"description": "The cloth", "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Cloth"},
                    }}},
                    "413": {"$ref": "#/components/responses/TooLarge"},
                    "400": {"description": "Refused", "content": {"application/json": {
                        "schema": {"type": "string"},
                        "examples": {"torn": {"summary": "The cloth is torn", "value": "torn"}},
                    }}},
                },
            }},
        },
        "components": {
            "parameters": {"Key": {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}},
            "schemas": {"Cloth": {"type": "object", "required": ["warp"], "properties": {
                "warp": {"type": "integer", "description": "Threads along."},
                "fringes": {"type": "array", "items": {"type": "object", "properties": {"colour": {"type": ["string", "null"]}}}},
            }}},
        },
    })
}

/// A server that runs PostgreSQL and nothing else.
pub(crate) fn reference() -> Reference {
    Reference::new(Catalog::global(), |connection_type| {
        if connection_type.name().contains("postgres") {
            Runs::Native
        } else {
            Runs::NotYet
        }
    })
}

pub(crate) async fn get(address: &str) -> Answer {
    let request = Request::get(address).body(Body::empty()).unwrap();
    let response = SITE.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}
