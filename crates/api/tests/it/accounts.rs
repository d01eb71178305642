use serde_json::{Value, json};

use crate::app::TestApp;

async fn create(app: &TestApp, form: &Value) -> crate::app::Answer {
    app.send("POST", "/v3/accounts", None, Some(form)).await
}

#[tokio::test]
async fn a_partner_creates_an_account_and_its_token_works() {
    let app = TestApp::start().await;
    let answer = create(&app, &app.account_form("ada@acme.example")).await;
    let body = answer.ok();
    assert_eq!(
        body.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["access_token", "stitch_account_id"]
    );
    let token = body["access_token"].as_str().unwrap();
    assert!(token.starts_with("ac_"));
    assert!(body["stitch_account_id"].as_i64().unwrap() >= 100_000);
    app.send("GET", "/v4/sources", Some(token), None)
        .await
        .is(200, "[]");
}

#[tokio::test]
async fn an_address_in_use_is_refused_without_regard_to_case() {
    let app = TestApp::start().await;
    app.tenant("ada@acme.example").await;
    create(&app, &app.account_form("Ada@ACME.example")).await.is(
        400,
        r#"{"code":"ExistingUser","message":"This email address is already associated with an active user."}"#,
    );
}

#[tokio::test]
async fn every_failing_field_is_named() {
    let app = TestApp::start().await;
    let good = app.account_form("ada@acme.example");
    let with = |field: &str, value: Value| {
        let mut form = good.clone();
        form[field] = value;
        form
    };
    for (field, value, problem) in [
        ("partner_id", Value::Null, "required"),
        ("partner_id", json!("oc_unknown"), "required"),
        ("partner_id", json!(5), "invalid"),
        ("partner_id", json!("oc\0"), "invalid"),
        ("partner_secret", json!(""), "required"),
        ("partner_secret", json!("oc_wrong"), "required"),
        ("first_name", Value::Null, "required"),
        ("last_name", json!([]), "invalid"),
        ("company", json!("  "), "required"),
        ("company", json!("a\0b"), "invalid"),
        ("email", json!("nobody"), "invalid"),
        ("region", json!("mars-1"), "invalid"),
        ("region", Value::Null, "required"),
    ] {
        let expected = format!(
            r#"{{"code":"BadRequest","message":"Invalid form data.","errors":{{"{field}":"{problem}"}}}}"#
        );
        create(&app, &with(field, value)).await.is(400, &expected);
    }
    create(&app, &json!({})).await.is(
        400,
        r#"{"code":"BadRequest","message":"Invalid form data.","errors":{"partner_id":"required","partner_secret":"required","first_name":"required","last_name":"required","company":"required","email":"required","region":"required"}}"#,
    );
}

#[tokio::test]
async fn a_body_that_is_no_object_has_no_fields_to_name() {
    let app = TestApp::start().await;
    for body in ["", "[]", "{", "\"x\"", "null", "\u{0}"] {
        let answer = app
            .send_raw("POST", "/v3/accounts", None, body.into())
            .await;
        answer.is(
            400,
            r#"{"code":"BadRequest","message":"Invalid form data.","errors":{}}"#,
        );
    }
}

#[tokio::test]
async fn an_operator_may_give_a_default_region() {
    let app = TestApp::with(
        |settings| settings.default_region = Some("eu-central-1".to_owned()),
        |state| state,
    )
    .await;
    let mut form = app.account_form("ada@acme.example");
    form.as_object_mut().unwrap().shift_remove("region");
    create(&app, &form).await.ok();
}

#[tokio::test]
async fn nothing_is_told_about_addresses_without_valid_credentials() {
    let app = TestApp::start().await;
    app.tenant("ada@acme.example").await;
    let mut form = app.account_form("ada@acme.example");
    form["partner_secret"] = json!("oc_wrong");
    create(&app, &form).await.is(
        400,
        r#"{"code":"BadRequest","message":"Invalid form data.","errors":{"partner_secret":"required"}}"#,
    );
}

#[tokio::test]
async fn a_disabled_partner_creates_nothing() {
    let app = TestApp::start().await;
    let mut tx = app.control.store().begin().await.unwrap();
    selvedge_store::partners::disable(&mut tx, app.partner_id(), app.control.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    create(&app, &app.account_form("ada@acme.example")).await.is(
        400,
        r#"{"code":"BadRequest","message":"Invalid form data.","errors":{"partner_id":"required"}}"#,
    );
}
