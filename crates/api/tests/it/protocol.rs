use crate::app::TestApp;

const NOT_FOUND: &str = r#"{"error":"NotFound","data":{"message":"not found"}}"#;
const UNAUTHORIZED: &str =
    r#"{"error":"Unauthorized","data":{"message":"invalid or missing access token"}}"#;

#[tokio::test]
async fn every_documented_form_of_authorization_is_accepted() {
    let app = TestApp::start().await;
    let token = app.tenant("ada@acme.example").await.token;
    for form in ["Bearer ", "bearer ", "BEARER ", "Bearer: ", ""] {
        let answer = app
            .send_raw(
                "GET",
                "/v4/sources",
                Some(&format!("{form}{token}")),
                Vec::new(),
            )
            .await;
        answer.is(200, "[]");
    }
    for wrong in ["", "Bearer", "Bearer x", "Basic x", app.partner_id()] {
        app.send_raw("GET", "/v4/sources", Some(wrong), Vec::new())
            .await
            .is(401, UNAUTHORIZED);
    }
    app.send_raw("GET", "/v4/sources", None, Vec::new())
        .await
        .is(401, UNAUTHORIZED);
}

#[tokio::test]
async fn a_revoked_token_stops_working_at_once() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let mut tx = app.control.store().begin().await.unwrap();
    let scope = selvedge_types::AccountScope::of(selvedge_types::AccountId(tenant.account));
    let token = selvedge_store::tokens::list(&mut tx, scope).await.unwrap()[0].id;
    assert!(
        selvedge_store::tokens::revoke(&mut tx, scope, token, app.control.now())
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
    app.get(&tenant, "/v4/sources").await.is(401, UNAUTHORIZED);
}

#[tokio::test]
async fn the_time_of_last_use_is_written_on_demand() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    app.get(&tenant, "/v4/sources").await.ok();
    selvedge_control::tokens::flush_use(&app.control)
        .await
        .unwrap();
    let mut tx = app.control.store().read().await.unwrap();
    let scope = selvedge_types::AccountScope::of(selvedge_types::AccountId(tenant.account));
    let token = &selvedge_store::tokens::list(&mut tx, scope).await.unwrap()[0];
    assert_eq!(token.last_used_at, Some(app.control.now()));
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_not_found_and_need_no_token() {
    let app = TestApp::start().await;
    for (method, path) in [
        ("GET", "/v4"),
        ("GET", "/v4/sources/"),
        ("GET", "/v4/destinations/1"),
        ("GET", "/v3/destinations/1"),
        ("DELETE", "/v3/destinations/1"),
        ("GET", "/v3/accounts"),
        ("GET", "/v3/sessions/ephemeral"),
        ("PATCH", "/v4/sources/1"),
        ("PUT", "/v4/sources"),
        ("OPTIONS", "/v4/sources"),
        ("GET", "/v4/sources/1/streams/metadata/x"),
        ("TRACE", "/"),
        ("GET", "//v4/sources"),
    ] {
        app.send(method, path, None, None).await.is(404, NOT_FOUND);
    }
}

#[tokio::test]
async fn the_token_comes_before_the_ids() {
    let app = TestApp::start().await;
    for (method, path) in [
        ("GET", "/v4/sources/x"),
        ("PUT", "/v4/destinations/x"),
        ("PUT", "/v3/destinations/x"),
        ("GET", "/v4/x/extractions"),
        ("GET", "/v4/1/extractions/x"),
        ("POST", "/v4/sources/x/sync"),
        ("POST", "/v4/sources/x/tokens"),
        ("DELETE", "/v4/sources/x/tokens/x"),
        ("PUT", "/notifications/public/v1/api/custom-emails/x"),
        ("DELETE", "/notifications/public/v1/api/custom-emails/x"),
        ("PUT", "/notifications/public/v1/api/hooks/x"),
        ("DELETE", "/notifications/public/v1/api/hooks/x"),
    ] {
        app.send(method, path, None, None)
            .await
            .is(401, UNAUTHORIZED);
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let answer = app
        .send("HEAD", "/v4/sources", Some(&tenant.token), None)
        .await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, ""));
    assert_eq!(
        answer.headers["content-type"],
        "application/json;charset=utf-8"
    );
    assert_eq!(
        app.send("HEAD", "/v4/sources/1", Some(&tenant.token), None)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_server_says_whether_it_is_well() {
    let app = TestApp::start().await;
    app.send("GET", "/healthz", None, None)
        .await
        .is(200, r#"{"status":"ok"}"#);
    app.send("GET", "/readyz", None, None)
        .await
        .is(200, r#"{"status":"ready"}"#);
}

#[tokio::test]
async fn a_server_without_its_store_is_not_ready_and_fails_without_telling_why() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    app.control.store().close().await;
    app.send("GET", "/healthz", None, None)
        .await
        .is(200, r#"{"status":"ok"}"#);
    app.send("GET", "/readyz", None, None)
        .await
        .is(503, r#"{"status":"unavailable"}"#);
    app.get(&tenant, "/v4/sources").await.is(
        500,
        r#"{"error":"InternalError","data":{"message":"internal error"}}"#,
    );
}
