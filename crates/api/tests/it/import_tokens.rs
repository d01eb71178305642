use serde_json::{Value, json};

use crate::app::{Answer, Tenant, TestApp};

/// An account with a source of the Import API.
async fn app() -> (TestApp, Tenant, i64) {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = pushed(&app, &tenant, "Pushed Events").await;
    (app, tenant, source)
}

async fn pushed(app: &TestApp, tenant: &Tenant, display_name: &str) -> i64 {
    let body = json!({"type": "import_api", "display_name": display_name});
    let source = app.post(tenant, "/v4/sources", body).await.ok();
    source["id"].as_i64().unwrap()
}

async fn create(app: &TestApp, tenant: &Tenant, source: i64) -> Answer {
    let path = format!("/v4/sources/{source}/tokens");
    app.send("POST", &path, Some(&tenant.token), None).await
}

#[tokio::test]
async fn a_token_is_shown_once_and_listed_by_its_id() {
    let (app, tenant, source) = app().await;
    let path = format!("/v4/sources/{source}/tokens");
    app.get(&tenant, &path).await.is(200, "[]");
    let answer = create(&app, &tenant, source).await;
    let created = answer.ok();
    let id = created["id"].as_i64().unwrap();
    let token = created["access_token"].as_str().unwrap();
    answer.is(200, &format!(r#"{{"id":{id},"access_token":"{token}"}}"#));
    assert!((100_000..=999_999).contains(&id));
    assert!(token.starts_with("at_") && token.len() == 3 + 64, "{token}");

    app.clock.advance_seconds(60);
    let second = create(&app, &tenant, source).await.ok()["id"]
        .as_i64()
        .unwrap();
    assert!(second > id, "the larger id is the newer token");
    app.get(&tenant, &path).await.is(
        200,
        &format!(
            r#"[{{"token_id":{second},"created_at":"2031-02-03T04:06:06Z"}},{{"token_id":{id},"created_at":"2031-02-03T04:05:06Z"}}]"#
        ),
    );
    // It opens its source, not this API.
    assert_eq!(
        app.send("GET", &path, Some(token), None).await.status,
        401,
        "an Import API token in place of an access token"
    );
}

#[tokio::test]
async fn a_third_token_waits_until_one_is_revoked() {
    let (app, tenant, source) = app().await;
    let first = create(&app, &tenant, source).await.ok()["id"].clone();
    create(&app, &tenant, source).await.ok();
    let refused = format!(
        r#"{{"error":"TokenLimit","data":{{"message":"source ({source}) already has 2 active access tokens"}}}}"#
    );
    create(&app, &tenant, source).await.is(400, &refused);
    // Each source has its own.
    let other = pushed(&app, &tenant, "Other").await;
    create(&app, &tenant, other).await.ok();

    app.clock.advance_seconds(60);
    let path = format!("/v4/sources/{source}");
    let before = app.get(&tenant, &path).await.ok();
    let answer = app
        .delete(&tenant, &format!("{path}/tokens/{first}"))
        .await
        .ok();
    assert_eq!(answer["updated_at"], "2031-02-03T04:06:06Z");
    assert_ne!(answer["updated_at"], before["updated_at"]);
    assert_eq!(answer, app.get(&tenant, &path).await.ok());
    create(&app, &tenant, source).await.ok();
    create(&app, &tenant, source).await.is(400, &refused);
}

#[tokio::test]
async fn two_requests_at_once_do_not_make_three_tokens() {
    let app = TestApp::on_postgres().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = pushed(&app, &tenant, "Pushed").await;
    let (one, two, three) = tokio::join!(
        create(&app, &tenant, source),
        create(&app, &tenant, source),
        create(&app, &tenant, source)
    );
    let mut statuses = [one, two, three].map(|answer| answer.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 400]);
}

#[tokio::test]
async fn sources_that_have_no_tokens_say_why() {
    let (app, tenant, source) = app().await;
    let token = create(&app, &tenant, source).await.ok()["id"].clone();
    let pulled = app.source(&tenant, "Shop").await;
    let gone = pushed(&app, &tenant, "Gone").await;
    app.delete(&tenant, &format!("/v4/sources/{gone}"))
        .await
        .ok();
    let unknown = |id: i64| {
        format!(r#"{{"error":"InvalidId","data":{{"message":"source not found ({id})"}}}}"#)
    };
    let unsupported = format!(
        r#"{{"error":"InvalidType","data":{{"message":"source ({pulled}) does not support access tokens"}}}}"#
    );
    for (id, expected) in [
        (gone, unknown(gone)),
        (1, unknown(1)),
        (pulled, unsupported),
    ] {
        let path = format!("/v4/sources/{id}/tokens");
        app.get(&tenant, &path).await.is(400, &expected);
        create(&app, &tenant, id).await.is(400, &expected);
        app.delete(&tenant, &format!("{path}/{token}"))
            .await
            .is(400, &expected);
    }
}

#[tokio::test]
async fn a_token_is_revoked_once_and_by_its_own_source() {
    let (app, tenant, source) = app().await;
    let other = pushed(&app, &tenant, "Other").await;
    let token = create(&app, &tenant, source).await.ok()["id"].clone();
    let not_found = |id: &Value| {
        format!(r#"{{"error":"InvalidId","data":{{"message":"token not found ({id})"}}}}"#)
    };
    app.delete(&tenant, &format!("/v4/sources/{other}/tokens/{token}"))
        .await
        .is(400, &not_found(&token));
    let path = format!("/v4/sources/{source}/tokens");
    let before = app.get(&tenant, &path).await.text;
    app.delete(&tenant, &format!("{path}/1"))
        .await
        .is(400, &not_found(&json!(1)));
    assert_eq!(app.get(&tenant, &path).await.text, before);
    app.delete(&tenant, &format!("{path}/{token}")).await.ok();
    app.delete(&tenant, &format!("{path}/{token}"))
        .await
        .is(400, &not_found(&token));
    app.get(&tenant, &path).await.is(200, "[]");
}

#[tokio::test]
async fn addresses_of_tokens_are_exact() {
    let (app, tenant, source) = app().await;
    let not_found = r#"{"error":"NotFound","data":{"message":"not found"}}"#;
    for (method, path) in [
        ("DELETE", format!("/v4/sources/{source}/tokens/abc")),
        ("DELETE", format!("/v4/sources/{source}/tokens/")),
        ("DELETE", format!("/v4/sources/{source}/tokens")),
        ("GET", format!("/v4/sources/{source}/tokens/1")),
        ("PUT", format!("/v4/sources/{source}/tokens")),
        ("GET", "/v4/sources/abc/tokens".to_owned()),
    ] {
        app.send(method, &path, Some(&tenant.token), None)
            .await
            .is(404, not_found);
    }
}
