use serde_json::json;

use crate::app::{Tenant, TestApp};

/// Bodies that no endpoint can use.
fn useless() -> Vec<Vec<u8>> {
    let deep = |open: &str| open.repeat(100_000).into_bytes();
    vec![
        Vec::new(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"x\"".to_vec(),
        b"1e999".to_vec(),
        b"{\"a\": 1e999}".to_vec(),
        b"{\"type\": \"\xff\"}".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"{\"a\": \"\\ud800\"}".to_vec(),
        deep("["),
        deep("{\"a\":"),
    ]
}

/// A custom e-mail and a hook, each with the first id.
async fn notified(app: &TestApp, tenant: &Tenant, destination: i64) {
    let email = json!({"email_address": "ops@acme.example"});
    let hook = json!({"type": "post_load", "destination_id": destination, "config": {"url": "https://a.example/"}});
    for (resource, body) in [("custom-emails", email), ("hooks", hook)] {
        let path = format!("/notifications/public/v1/api/{resource}");
        assert_eq!(app.post(tenant, &path, body).await.ok()["id"], 100_000);
    }
}

#[tokio::test]
async fn useless_bodies_get_the_documented_answer_of_every_endpoint() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let destination = app.destination(&tenant).await;
    let source = app.configured_source(&tenant, "Shop").await;
    notified(&app, &tenant, destination).await;
    let authorization = format!("Bearer {}", tenant.token);
    for (method, path, expected) in [
        (
            "POST",
            "/v3/accounts".to_owned(),
            r#"{"code":"BadRequest","message":"Invalid form data.","errors":{}}"#,
        ),
        (
            "POST",
            "/v3/destinations".to_owned(),
            r#""body must be a map with type = redshift, postgres, or snowflake. required-keys = type, connection""#,
        ),
        (
            "PUT",
            format!("/v3/destinations/{destination}"),
            r#""body must be a map with type = redshift, postgres, or snowflake. required-keys = type, connection""#,
        ),
        (
            "POST",
            "/v4/destinations".to_owned(),
            r#""POST body may only include a type, a name, a description, map of properties, and boolean for unmapped sources""#,
        ),
        (
            "PUT",
            format!("/v4/destinations/{destination}"),
            r#""PUT body may only include a name, a description, and map of properties""#,
        ),
        (
            "POST",
            "/v4/sources".to_owned(),
            r#"{"error":"InvalidBody","data":{"message":"POST body may only include a non-empty type, a non-empty display_name and map of string properties"}}"#,
        ),
        (
            "PUT",
            format!("/v4/sources/{source}"),
            r#"{"error":"InvalidBody","data":{"message":"PUT body many only include the keys: display_name, properties, and paused_at"}}"#,
        ),
        (
            "PUT",
            "/notifications/public/v1/api/custom-emails/100000".to_owned(),
            r#"{"disabled_at":"missing"}"#,
        ),
        (
            "POST",
            "/notifications/public/v1/api/custom-emails".to_owned(),
            r#"{"error":{"message":{"email_address":"Required. Must be valid email address format."}}}"#,
        ),
        (
            "POST",
            "/notifications/public/v1/api/hooks".to_owned(),
            r#"{"data":{"message":"Invalid POST body"},"error":"InvalidBody"}"#,
        ),
        (
            "PUT",
            "/notifications/public/v1/api/hooks/100000".to_owned(),
            r#"{"data":{"message":"PUT body must only contain boolean 'enable' key"},"error":"InvalidBody"}"#,
        ),
        (
            "PUT",
            format!("/v4/sources/{source}/streams/metadata"),
            r#""body must contain a 'streams' property with a list of metadatas by tap_stream_id""#,
        ),
    ] {
        for body in useless() {
            app.send_raw(method, &path, Some(&authorization), body)
                .await
                .is(400, expected);
        }
    }
}

#[tokio::test]
async fn a_body_where_none_is_expected_is_ignored() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let authorization = format!("Bearer {}", tenant.token);
    let body = serde_json::json!({"type": "import_api", "display_name": "Pushed"});
    let pushed = app.post(&tenant, "/v4/sources", body).await.ok()["id"].clone();
    for (method, path) in [
        ("GET", "/v4/sources".to_owned()),
        ("POST", "/v3/sessions/ephemeral".to_owned()),
        ("POST", format!("/v4/sources/{pushed}/tokens")),
        ("POST", format!("/v4/sources/{source}/sync")),
        ("DELETE", format!("/v4/sources/{source}/sync")),
        ("DELETE", format!("/v4/sources/{source}")),
    ] {
        let answer = app
            .send_raw(method, &path, Some(&authorization), b"{nonsense".to_vec())
            .await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large() {
    let app = TestApp::with(|_| {}, |state| state.with_body_limit(1_000)).await;
    let tenant = app.tenant("ada@acme.example").await;
    let authorization = format!("Bearer {}", tenant.token);
    let too_large = r#"{"error":"TooLarge","data":{"message":"body too large"}}"#;
    for path in ["/v4/sources", "/v4/destinations", "/v3/accounts"] {
        app.send_raw("POST", path, Some(&authorization), vec![b' '; 1_001])
            .await
            .is(413, too_large);
        assert_eq!(
            app.send_raw("POST", path, Some(&authorization), vec![b' '; 1_000])
                .await
                .status,
            400
        );
    }
}
