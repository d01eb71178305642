use std::io::Read as _;

use axum::body::Body;
use flate2::read::GzDecoder;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use selvedge_catalog::{Catalog, ConnectionType};
use tower::ServiceExt as _;

use crate::app::{Tenant, TestApp};

#[tokio::test]
async fn the_lists_hold_every_card_as_it_is_found_by_itself() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let catalog = Catalog::global();
    for (path, names) in [
        ("/v4/source-types", names(catalog.source_types())),
        ("/v4/destination-types", names(catalog.destination_types())),
    ] {
        let list = app.get(&tenant, path).await;
        let mut cards = Vec::new();
        for name in names {
            let card = ask(&app, &tenant, "GET", &format!("{path}/{name}"), &[]).await;
            assert_eq!(card.status, 200, "{name}");
            let text = String::from_utf8(card.body).unwrap();
            assert!(
                text.starts_with(&format!(r#"{{"type":"{name}","#)),
                "{text}"
            );
            cards.push(text);
        }
        list.is(200, &format!("[{}]", cards.join(",")));
        app.get(&tenant, &format!("{path}/nope")).await.is(
            404,
            r#"{"error":"NotFound","data":{"message":"not found"}}"#,
        );
    }
}

#[tokio::test]
async fn a_stub_is_found_and_other_kinds_are_not() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    app.get(&tenant, "/v4/source-types/salesforce").await.is(
        200,
        concat!(
            r#"{"type":"salesforce","details":{"pricing_tier":"standard","pipeline_state":"deprecated","#,
            r#""default_start_date":"-1 year","default_scheduling_interval":30,"protocol":"salesforce","access":false,"#,
            r#""image_version":null,"runs":"not_yet"},"upgrade_available":{"type":"platform.salesforce"}}"#
        ),
    );
    for path in [
        "/v4/source-types/snowflake",
        "/v4/destination-types/platform.github",
        "/v4/source-types/",
        "/v4/source-types/PLATFORM.GITHUB",
    ] {
        assert_eq!(app.get(&tenant, path).await.status, 404, "{path}");
    }
}

const LIST: &str = "/v4/source-types";
const CARD: &str = "/v4/source-types/platform.github";

#[tokio::test]
async fn an_answer_that_the_caller_has_is_not_sent_again() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    for path in [LIST, CARD] {
        let first = ask(&app, &tenant, "GET", path, &[]).await;
        assert_eq!(first.headers["cache-control"], "private, no-cache");
        assert_eq!(first.headers["vary"], "accept-encoding");
        assert!(!first.headers.contains_key("content-encoding"));
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");

        let again = ask(&app, &tenant, "GET", path, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
        for name in ["etag", "cache-control", "vary"] {
            assert_eq!(again.headers[name], first.headers[name]);
        }
        let other = ask(&app, &tenant, "GET", path, &[("if-none-match", "\"x\"")]).await;
        assert_eq!((other.status.as_u16(), &other.body), (200, &first.body));
    }
}

#[tokio::test]
async fn whoever_takes_gzip_gets_the_same_text_compressed() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    for path in [LIST, CARD] {
        let plain = ask(&app, &tenant, "GET", path, &[]).await;
        let gzip = ("accept-encoding", "gzip, deflate");
        let compressed = ask(&app, &tenant, "GET", path, &[gzip]).await;
        assert_eq!(compressed.headers["content-encoding"], "gzip");
        assert_eq!(
            compressed.headers["content-type"],
            "application/json;charset=utf-8"
        );
        assert_ne!(compressed.headers["etag"], plain.headers["etag"]);
        assert!(compressed.body.len() * 2 < plain.body.len());
        let mut text = Vec::new();
        GzDecoder::new(&compressed.body[..])
            .read_to_end(&mut text)
            .unwrap();
        assert!(text == plain.body, "{path}");

        let tag = compressed.headers["etag"].to_str().unwrap();
        let again = ask(&app, &tenant, "GET", path, &[gzip, ("if-none-match", tag)]).await;
        assert_eq!(again.status, 304);
        // The plain form is another representation.
        let plain_again = ask(&app, &tenant, "GET", path, &[("if-none-match", tag)]).await;
        assert_eq!(plain_again.status, 200);
    }
}

#[tokio::test]
async fn head_has_the_headers_and_no_body() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    for path in [LIST, CARD] {
        let get = ask(&app, &tenant, "GET", path, &[]).await;
        let head = ask(&app, &tenant, "HEAD", path, &[]).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        assert_eq!(head.headers["etag"], get.headers["etag"]);
        assert_eq!(
            head.headers["content-length"],
            get.body.len().to_string().as_str()
        );
    }
}

#[tokio::test]
async fn a_tag_is_no_way_past_the_token() {
    let app = TestApp::start().await;
    app.tenant("ada@acme.example").await;
    let stranger = Tenant {
        account: 1,
        token: "ac_stranger".to_owned(),
    };
    let answer = ask(&app, &stranger, "GET", LIST, &[("if-none-match", "*")]).await;
    assert_eq!(answer.status, 401);
    assert!(!answer.headers.contains_key("etag"));
}

fn names<'a>(types: impl Iterator<Item = &'a ConnectionType>) -> Vec<&'a str> {
    types.map(ConnectionType::name).collect()
}

struct Raw {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

async fn ask(
    app: &TestApp,
    tenant: &Tenant,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Raw {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", &tenant.token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.router.clone().oneshot(request).await.unwrap();
    Raw {
        status: response.status(),
        headers: response.headers().clone(),
        body: response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec(),
    }
}

#[tokio::test]
async fn a_card_says_what_runs_here() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    for (path, runs) in [
        ("/v4/source-types/platform.postgres", "native"),
        ("/v4/source-types/platform.github", "not_yet"),
        ("/v4/destination-types/sqlite", "native"),
    ] {
        assert_eq!(
            app.get(&tenant, path).await.ok()["details"]["runs"],
            runs,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_card_has_the_documented_field_order() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let card = app
        .get(&tenant, "/v4/source-types/platform.github")
        .await
        .ok();
    let keys: Vec<&String> = card.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "type",
            "current_step",
            "current_step_type",
            "steps",
            "details",
            "upgrade_available"
        ]
    );
    let property = &card["steps"][0]["properties"][0];
    let keys: Vec<&String> = property.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "name",
            "is_required",
            "is_credential",
            "system_provided",
            "property_type",
            "json_schema",
            "provided",
            "tap_mutable"
        ]
    );
}
