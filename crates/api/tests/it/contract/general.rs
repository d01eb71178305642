use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::channel::Channel;
use serde_json::json;

use super::rows::CONTRACT;
use crate::app::{Tenant, TestApp};

/// Method and an address of every endpoint that takes a token, with ids that nothing has.
fn with_token(tenant: &Tenant) -> Vec<(&'static str, String)> {
    let successes = CONTRACT.rows.iter().filter(|row| row.id == row.endpoint);
    let open = |endpoint: &str| ["POST /v3/accounts", "POST /oauth/token"].contains(&endpoint);
    successes
        .filter(|row| !open(row.endpoint))
        .map(|row| {
            let (method, template) = row.endpoint.split_once(' ').unwrap();
            let segments = template.split('/').map(|segment| match segment {
                "{stitch_client_id}" => tenant.account.to_string(),
                "{job_name}" => "1.2.sync.7d3f2c1a-5b6e-41f0-8c5d-0a1b2c3d4e5f".to_owned(),
                id if id.starts_with('{') => "1".to_owned(),
                literal => literal.to_owned(),
            });
            (method, segments.collect::<Vec<_>>().join("/"))
        })
        .collect()
}

#[tokio::test]
async fn the_general_refusals_are_the_same_everywhere() {
    let app = TestApp::with(|_| {}, |state| state.with_body_limit(1_000)).await;
    let tenant = app.tenant("ada@acme.example").await;
    for (method, path) in with_token(&tenant) {
        for authorization in [
            None,
            Some("Bearer x"),
            Some("Bearer \u{e9}"),
            Some(app.partner_id()),
        ] {
            app.send_raw(method, &path, authorization, Vec::new())
                .await
                .shows("GEN-401", &[]);
        }
        for suffix in ["/", "//", "/x/y/z", "%2F"] {
            let answer = app
                .send(
                    method,
                    &format!("{path}{suffix}"),
                    Some(&tenant.token),
                    None,
                )
                .await;
            assert!(
                matches!(answer.status.as_u16(), 404 | 400),
                "{method} {path}{suffix}"
            );
        }
        app.send("PATCH", &path, Some(&tenant.token), None)
            .await
            .shows("GEN-404", &[]);
    }
    let authorization = format!("Bearer {}", tenant.token);
    app.send_raw(
        "POST",
        "/v4/sources",
        Some(&authorization),
        vec![b' '; 1_001],
    )
    .await
    .shows("GEN-413", &[]);
    for key in ["", "a\tb"] {
        let headers = [("authorization", &*authorization), ("idempotency-key", key)];
        app.send_with("POST", "/v4/sources", &headers, "{}")
            .await
            .shows("GEN-KEY", &[]);
    }
    let headers = [("authorization", &*authorization), ("idempotency-key", "k")];
    app.send_with("POST", "/v4/sources", &headers, "{}").await;
    app.send_with("POST", "/v4/sources", &headers, "[]")
        .await
        .shows("GEN-422", &[]);
}

#[tokio::test]
async fn too_many_requests_are_refused_everywhere() {
    let limit = NonZeroU32::new(1).unwrap();
    let app = TestApp::with(|_| {}, |state| state.with_request_limit(limit)).await;
    let tenant = app.tenant("ada@acme.example").await;
    app.get(&tenant, "/v4/sources").await.ok();
    for (method, path) in with_token(&tenant) {
        app.send(method, &path, Some(&tenant.token), None)
            .await
            .shows("GEN-429", &[]);
    }
}

#[tokio::test]
async fn failures_of_the_server_say_nothing_more() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let form = app.account_form("bob@acme.example");
    app.control.store().close().await;
    app.send("POST", "/v3/accounts", None, Some(&form))
        .await
        .shows("GEN-500", &[]);
    for (method, path) in with_token(&tenant) {
        app.send(method, &path, Some(&tenant.token), Some(&json!({})))
            .await
            .shows("GEN-500", &[]);
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let timeout = Duration::from_millis(20);
    let app = TestApp::with(|_| {}, |state| state.with_body_timeout(timeout)).await;
    let (_open, body) = Channel::<Bytes>::new(1);
    app.send_with("POST", "/v3/accounts", &[], Body::new(body))
        .await
        .shows("GEN-408", &[]);
}
