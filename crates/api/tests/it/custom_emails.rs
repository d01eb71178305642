use serde_json::{Value, json};

use crate::app::{Answer, NOW, Tenant, TestApp};

const EMAILS: &str = "/notifications/public/v1/api/custom-emails";
const INVALID: &str =
    r#"{"error":{"message":{"email_address":"Required. Must be valid email address format."}}}"#;
const LIMIT: &str = r#"{"error":{"message":"Account not authorized to create additional custom notification email addresses."}}"#;
const NOT_FOUND: &str = r#"{"status":"NOT FOUND"}"#;

async fn app() -> (TestApp, Tenant) {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    (app, tenant)
}

async fn add(app: &TestApp, tenant: &Tenant, address: &str) -> Answer {
    app.post(tenant, EMAILS, json!({"email_address": address}))
        .await
}

async fn id(app: &TestApp, tenant: &Tenant, address: &str) -> i64 {
    add(app, tenant, address).await.ok()["id"].as_i64().unwrap()
}

/// `body` goes out byte for byte.
async fn put(app: &TestApp, tenant: &Tenant, path: &str, body: &str) -> Answer {
    let authorization = format!("Bearer {}", tenant.token);
    app.send_raw("PUT", path, Some(&authorization), body.into())
        .await
}

#[tokio::test]
async fn a_recipient_is_added_listed_and_forgotten() {
    let (app, tenant) = app().await;
    app.get(&tenant, EMAILS).await.is(200, "[]");
    let shown = format!(
        r#"{{"id":100000,"client_id":{},"email_address":"Ops@Acme.example","created_at":"{NOW}","disabled_at":null}}"#,
        tenant.account
    );
    add(&app, &tenant, "Ops@Acme.example").await.is(200, &shown);
    app.get(&tenant, EMAILS)
        .await
        .is(200, &format!("[{shown}]"));
    let path = format!("{EMAILS}/100000");
    app.delete(&tenant, &path).await.is(200, "[1]");
    app.delete(&tenant, &path).await.is(200, "[0]");
    app.get(&tenant, EMAILS).await.is(200, "[]");
    // Its id is not used again.
    assert_eq!(id(&app, &tenant, "ops@acme.example").await, 100_001);
}

#[tokio::test]
async fn an_address_in_whatever_case_gives_the_recipient_there_is() {
    let (app, tenant) = app().await;
    let first = id(&app, &tenant, "ops@acme.example").await;
    let path = format!("{EMAILS}/{first}");
    app.put(&tenant, &path, json!({"disabled_at": NOW}))
        .await
        .ok();
    app.clock.advance_seconds(60);
    let again = add(&app, &tenant, "OPS@acme.EXAMPLE").await;
    again.is(
        200,
        &format!(
            r#"{{"id":{first},"client_id":{},"email_address":"ops@acme.example","created_at":"{NOW}","disabled_at":"{NOW}"}}"#,
            tenant.account
        ),
    );
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let (app, tenant) = app().await;
    for body in [
        json!({}),
        json!({"email": "ops@acme.example"}),
        json!({"email_address": null}),
        json!({"email_address": 5}),
        json!({"email_address": ["ops@acme.example"]}),
        json!({"email_address": ""}),
        json!({"email_address": "ops"}),
        json!({"email_address": "ops@"}),
        json!({"email_address": "@acme.example"}),
        json!({"email_address": " ops@acme.example"}),
        json!({"email_address": "ops@acme.example\n"}),
        json!({"email_address": "a@b@acme.example"}),
        json!({"email_address": "Ops <ops@acme.example>"}),
        json!({"email_address": "ops@acme.example\u{0}"}),
        json!({"email_address": format!("ops@{}.example", "x".repeat(300))}),
        json!([]),
    ] {
        app.post(&tenant, EMAILS, body).await.is(400, INVALID);
    }
    app.get(&tenant, EMAILS).await.is(200, "[]");
    // A key that nobody asked for is ignored.
    let body = json!({"email_address": "ops@acme.example", "extra": 1});
    app.post(&tenant, EMAILS, body).await.ok();
}

#[tokio::test]
async fn the_tenth_recipient_is_the_last_also_when_one_is_disabled() {
    let (app, tenant) = app().await;
    for number in 0..10 {
        id(&app, &tenant, &format!("ops{number}@acme.example")).await;
    }
    let first = format!("{EMAILS}/100000");
    app.put(&tenant, &first, json!({"disabled_at": NOW}))
        .await
        .ok();
    add(&app, &tenant, "more@acme.example").await.is(400, LIMIT);
    // The address comes before the limit, and one that is there needs no room.
    add(&app, &tenant, "more").await.is(400, INVALID);
    assert_eq!(id(&app, &tenant, "OPS3@acme.example").await, 100_003);
    app.delete(&tenant, &first).await.is(200, "[1]");
    add(&app, &tenant, "more@acme.example").await.ok();
    // The limit is each account's own.
    let other = app.tenant("bob@rival.example").await;
    add(&app, &other, "ops0@acme.example").await.ok();
}

#[tokio::test]
async fn any_instant_disables_at_once_and_null_enables() {
    let (app, tenant) = app().await;
    let path = format!("{EMAILS}/{}", id(&app, &tenant, "ops@acme.example").await);
    for (sent, shown) in [
        (r#""2031-02-03T00:00:00Z""#, json!("2031-02-03T00:00:00Z")),
        // Disabling again stores the new value.
        (
            r#""1999-01-01T01:30:00.250+01:00""#,
            json!("1999-01-01T00:30:00Z"),
        ),
        (r#""2099-12-31""#, json!("2099-12-31T00:00:00Z")),
        ("null", Value::Null),
        ("null", Value::Null),
        (
            r#""2031\u002d02-03T00:00:00Z""#,
            json!("2031-02-03T00:00:00Z"),
        ),
    ] {
        let body = format!(r#"{{ "extra": 1, "disabled_at" : {sent} }}"#);
        put(&app, &tenant, &path, &body)
            .await
            .is(200, &format!(r#"{{"disabled_at":{sent}}}"#));
        let listed = app.get(&tenant, EMAILS).await.ok();
        assert_eq!(listed[0]["disabled_at"], shown, "{sent}");
    }
}

#[tokio::test]
async fn a_bad_instant_is_echoed_as_it_was_sent() {
    let (app, tenant) = app().await;
    let path = format!("{EMAILS}/{}", id(&app, &tenant, "ops@acme.example").await);
    for sent in [
        r#""yesterday""#,
        r#""""#,
        r#""2031-02-30T00:00:00Z""#,
        "0",
        "1.50",
        "1e2",
        "12345678901234567890123",
        "true",
        r#"[1, 2]"#,
        r#"{"b":  {"a": 1.0}}"#,
    ] {
        put(
            &app,
            &tenant,
            &path,
            &format!(r#"{{"disabled_at":{sent}}}"#),
        )
        .await
        .is(400, &format!(r#"{{"disabled_at":{sent}}}"#));
    }
    for missing in ["", "{}", "[]", "{", "null", r#"{"enabled_at":null}"#] {
        put(&app, &tenant, &path, missing)
            .await
            .is(400, r#"{"disabled_at":"missing"}"#);
    }
    let listed = app.get(&tenant, EMAILS).await.ok();
    assert_eq!(listed[0]["disabled_at"], Value::Null);
}

#[tokio::test]
async fn whatever_is_no_id_of_the_account_is_not_found_before_the_body_is_looked_at() {
    let (app, tenant) = app().await;
    let gone = id(&app, &tenant, "ops@acme.example").await;
    app.delete(&tenant, &format!("{EMAILS}/{gone}"))
        .await
        .is(200, "[1]");
    for path in [
        format!("{EMAILS}/{gone}"),
        format!("{EMAILS}/1"),
        format!("{EMAILS}/abc"),
        format!("{EMAILS}/-1"),
        format!("{EMAILS}/1.5"),
        format!("{EMAILS}/99999999999999999999"),
        format!("{EMAILS}/%FF"),
        format!("{EMAILS}/"),
        EMAILS.to_owned(),
    ] {
        for body in [r#"{"disabled_at":null}"#, r#"{"disabled_at":5}"#, "{}", ""] {
            put(&app, &tenant, &path, body).await.is(404, NOT_FOUND);
        }
    }
    let nobody = app.send("PUT", &format!("{EMAILS}/abc"), None, None).await;
    assert_eq!(nobody.status, 401);
    for path in [format!("{EMAILS}/abc"), format!("{EMAILS}/")] {
        app.delete(&tenant, &path).await.is(
            404,
            r#"{"error":"NotFound","data":{"message":"not found"}}"#,
        );
    }
}

#[tokio::test]
async fn two_callers_do_not_both_find_the_last_place_on_postgresql() {
    let app = TestApp::on_postgres().await;
    let tenant = app.tenant("ada@acme.example").await;
    let addresses: Vec<String> = (0..16)
        .map(|number| format!("ops{number}@acme.example"))
        .collect();
    let answers =
        futures_util::future::join_all(addresses.iter().map(|address| add(&app, &tenant, address)))
            .await;
    let added = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(added, 10);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.is(400, LIMIT);
    }
}
