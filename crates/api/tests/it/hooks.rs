use selvedge_net::NetworkPolicy;
use serde_json::{Value, json};

use crate::app::{Answer, NOW, Tenant, TestApp};

const HOOKS: &str = "/notifications/public/v1/api/hooks";
const POST_BODY: &str = r#"{"data":{"message":"Invalid POST body"},"error":"InvalidBody"}"#;
const PUT_BODY: &str = r#"{"data":{"message":"PUT body must only contain boolean 'enable' key"},"error":"InvalidBody"}"#;
const LIMIT: &str = r#"{"error":{"message":"You have exceeded the limit of 10 hooks."}}"#;
const NOT_FOUND: &str = r#"{"error":"NotFound"}"#;
const URL: &str = "https://hooks.example.org/in/7";

async fn app() -> (TestApp, Tenant, i64) {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let destination = app.destination(&tenant).await;
    (app, tenant, destination)
}

fn hook(destination: i64, url: &str) -> Value {
    json!({"type": "post_load", "destination_id": destination, "config": {"url": url}})
}

async fn add(app: &TestApp, tenant: &Tenant, destination: i64) -> Answer {
    app.post(tenant, HOOKS, hook(destination, URL)).await
}

#[tokio::test]
async fn a_hook_is_added_with_a_secret_that_is_shown_once() {
    let (app, tenant, destination) = app().await;
    app.get(&tenant, HOOKS).await.is(200, r#"{"post_load":[]}"#);
    let created = add(&app, &tenant, destination).await;
    let secret = created.ok()["secret"].as_str().unwrap().to_owned();
    let shown = format!(
        r#"{{"id":100000,"client_id":{},"type":"post_load","version":1,"destination_id":{destination},"config":{{"url":"{URL}"}},"created_at":"{NOW}","modified_at":"{NOW}","disabled_at":null"#,
        tenant.account
    );
    created.is(200, &format!(r#"{shown},"secret":"{secret}"}}"#));
    assert!(
        secret.starts_with("whsec_") && secret.len() == 50,
        "a key of 32 bytes"
    );
    app.get(&tenant, HOOKS)
        .await
        .is(200, &format!(r#"{{"post_load":[{shown}}}]}}"#));
    let path = format!("{HOOKS}/100000");
    let changed = app.put(&tenant, &path, json!({"enable": true})).await;
    changed.is(200, &format!("{shown}}}"));

    // Two hooks may have one address; their secrets differ.
    let second = add(&app, &tenant, destination).await.ok();
    assert_eq!(second["id"], 100_001);
    assert_ne!(second["secret"], secret);
    app.delete(&tenant, &path).await.is(200, "null");
    app.delete(&tenant, &path).await.is(400, NOT_FOUND);
    let listed = app.get(&tenant, HOOKS).await.ok();
    assert_eq!(listed["post_load"].as_array().unwrap().len(), 1);
    assert_eq!(listed["post_load"][0]["id"], 100_001);
}

#[tokio::test]
async fn disabling_keeps_its_first_instant_until_the_hook_is_enabled() {
    let (app, tenant, destination) = app().await;
    add(&app, &tenant, destination).await.ok();
    let path = format!("{HOOKS}/100000");
    for (enable, modified_at, disabled_at) in [
        (true, NOW, Value::Null),
        (false, "2031-02-03T04:07:06Z", json!("2031-02-03T04:07:06Z")),
        (false, "2031-02-03T04:07:06Z", json!("2031-02-03T04:07:06Z")),
        (true, "2031-02-03T04:09:06Z", Value::Null),
        (true, "2031-02-03T04:09:06Z", Value::Null),
    ] {
        app.clock.advance_seconds(60);
        let changed = app
            .put(&tenant, &path, json!({"enable": enable}))
            .await
            .ok();
        assert_eq!(changed["modified_at"], modified_at);
        assert_eq!(changed["disabled_at"], disabled_at);
        assert_eq!(changed["created_at"], NOW);
        let listed = app.get(&tenant, HOOKS).await.ok();
        assert_eq!(listed["post_load"][0], changed);
    }
}

#[tokio::test]
async fn a_new_hook_needs_its_arguments_a_live_destination_and_an_address() {
    let (app, tenant, destination) = app().await;
    let gone = app.destination(&tenant).await;
    app.delete(&tenant, &format!("/v4/destinations/{gone}"))
        .await
        .is(200, "{}");
    let with = |key: &str, value: Value| {
        let mut body = hook(destination, URL);
        body[key] = value;
        body
    };
    for body in [
        json!({}),
        json!([]),
        json!({"type": "post_load"}),
        with("type", json!("pre_load")),
        with("type", Value::Null),
        with("destination_id", json!(destination.to_string())),
        with("config", json!(URL)),
        with("config", json!({"url": URL, "method": "PUT"})),
        with("enable", json!(true)),
        with("secret", json!("whsec_AAAA")),
        hook(gone, URL),
        hook(1, URL),
        hook(destination, ""),
        hook(destination, "hooks.example.org"),
        hook(destination, "http://hooks.example.org/in/7"),
        hook(destination, "ftp://hooks.example.org/in/7"),
        hook(destination, "https://"),
        hook(destination, "https://user:pass@hooks.example.org/"),
        hook(destination, "https://hooks.example.org/a b"),
        hook(destination, "https://127.0.0.1/"),
        hook(destination, "https://0x7f.1/"),
        hook(destination, "https://[::1]/"),
        hook(destination, "https://10.1.2.3:8443/"),
        hook(destination, "https://169.254.169.254/latest/meta-data"),
    ] {
        app.post(&tenant, HOOKS, body).await.is(400, POST_BODY);
    }
    app.get(&tenant, HOOKS).await.is(200, r#"{"post_load":[]}"#);
}

#[tokio::test]
async fn the_operator_opens_plain_http_and_networks() {
    let app = TestApp::with(
        |settings| {
            settings.allow_http_hooks = true;
            settings.network = NetworkPolicy {
                private: true,
                allow: Vec::new(),
                deny: vec!["10.9.0.0/16".parse().unwrap()],
            };
        },
        |state| state,
    )
    .await;
    let tenant = app.tenant("ada@acme.example").await;
    let destination = app.destination(&tenant).await;
    for url in ["http://127.0.0.1:9000/in", "https://10.8.0.1/in"] {
        let created = app.post(&tenant, HOOKS, hook(destination, url)).await.ok();
        assert_eq!(created["config"], json!({"url": url}));
    }
    for url in ["http://10.9.0.1/in", "http://169.254.169.254/"] {
        app.post(&tenant, HOOKS, hook(destination, url))
            .await
            .is(400, POST_BODY);
    }
}

#[tokio::test]
async fn the_tenth_hook_is_the_last_also_when_one_is_disabled() {
    let (app, tenant, destination) = app().await;
    for _ in 0..10 {
        add(&app, &tenant, destination).await.ok();
    }
    let first = format!("{HOOKS}/100000");
    app.put(&tenant, &first, json!({"enable": false}))
        .await
        .ok();
    add(&app, &tenant, destination).await.is(400, LIMIT);
    // The body comes before the limit.
    add(&app, &tenant, 1).await.is(400, POST_BODY);
    app.delete(&tenant, &first).await.is(200, "null");
    add(&app, &tenant, destination).await.ok();
    // The limit is each account's own.
    let other = app.tenant("bob@rival.example").await;
    let destination = app.destination(&other).await;
    add(&app, &other, destination).await.ok();
}

#[tokio::test]
async fn a_change_is_one_boolean() {
    let (app, tenant, destination) = app().await;
    add(&app, &tenant, destination).await.ok();
    for body in [
        json!({}),
        json!([]),
        json!({"enable": null}),
        json!({"enable": "false"}),
        json!({"enable": 0}),
        json!({"enable": false, "config": {"url": URL}}),
        json!({"disabled_at": NOW}),
    ] {
        app.put(&tenant, &format!("{HOOKS}/100000"), body)
            .await
            .is(400, PUT_BODY);
    }
    let listed = app.get(&tenant, HOOKS).await.ok();
    assert_eq!(listed["post_load"][0]["disabled_at"], Value::Null);
}

#[tokio::test]
async fn whatever_is_no_id_of_the_account_is_not_found_before_the_body_is_looked_at() {
    let (app, tenant, _) = app().await;
    for id in ["1", "abc", "-1", "1.5", "99999999999999999999", "%FF"] {
        let path = format!("{HOOKS}/{id}");
        for body in [json!({"enable": true}), json!({}), Value::Null] {
            app.put(&tenant, &path, body).await.is(400, NOT_FOUND);
        }
        app.delete(&tenant, &path).await.is(400, NOT_FOUND);
        for method in ["PUT", "DELETE"] {
            let nobody = app.send(method, &path, None, None).await;
            assert_eq!(nobody.status, 401, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn hooks_go_with_their_destination() {
    let (app, tenant, going) = app().await;
    let staying = app.destination(&tenant).await;
    for destination in [going, staying, going] {
        add(&app, &tenant, destination).await.ok();
    }
    app.delete(&tenant, &format!("/v4/destinations/{going}"))
        .await
        .is(200, "{}");
    let listed = app.get(&tenant, HOOKS).await.ok();
    assert_eq!(listed["post_load"].as_array().unwrap().len(), 1);
    assert_eq!(listed["post_load"][0]["destination_id"], staying);
    app.delete(&tenant, &format!("{HOOKS}/100000"))
        .await
        .is(400, NOT_FOUND);
}
