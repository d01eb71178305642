use serde_json::json;

use crate::app::TestApp;

const EMAILS: &str = "/notifications/public/v1/api/custom-emails";
const HOOKS: &str = "/notifications/public/v1/api/hooks";

#[tokio::test]
async fn custom_emails() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let post = async |address: &str| {
        let body = json!({"email_address": address});
        app.post(&tenant, EMAILS, body).await
    };
    let added = post("ops@acme.example").await;
    added.shows("POST /notifications/public/v1/api/custom-emails", &[]);
    let path = format!("{EMAILS}/{}", added.json()["id"]);
    for body in [json!({}), json!({"email_address": "ops"}), json!([])] {
        app.post(&tenant, EMAILS, body).await.shows("EML-1", &[]);
    }
    app.get(&tenant, EMAILS)
        .await
        .shows("GET /notifications/public/v1/api/custom-emails", &[]);
    let put = async |path: &str, body| app.put(&tenant, path, body).await;
    put(&path, json!({"disabled_at": "2031-02-03T00:00:00Z"}))
        .await
        .shows("PUT /notifications/public/v1/api/custom-emails/{id}", &[]);
    for (value, echo) in [
        (json!("soon"), "\"soon\""),
        (json!(7), "7"),
        (json!({"a": [1]}), "{\"a\":[1]}"),
    ] {
        put(&path, json!({"disabled_at": value}))
            .await
            .shows("EML-4", &[("VALUE", echo)]);
    }
    put(&path, json!({}))
        .await
        .shows("EML-4", &[("VALUE", "\"missing\"")]);
    for unknown in ["900001", "abc"] {
        // The id is judged before the body.
        put(&format!("{EMAILS}/{unknown}"), json!({}))
            .await
            .shows("EML-5", &[]);
    }
    for index in 2..=10 {
        post(&format!("ops{index}@acme.example")).await.ok();
    }
    post("one@too.many").await.shows("EML-2", &[]);
    app.delete(&tenant, &path).await.shows(
        "DELETE /notifications/public/v1/api/custom-emails/{id}",
        &[],
    );
}

#[tokio::test]
async fn hooks() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let destination = app.destination(&tenant).await;
    let post = async |url: &str| {
        let body =
            json!({"type": "post_load", "destination_id": destination, "config": {"url": url}});
        app.post(&tenant, HOOKS, body).await
    };
    let added = post("https://hooks.acme.example/in").await;
    added.shows("POST /notifications/public/v1/api/hooks", &[]);
    let path = format!("{HOOKS}/{}", added.json()["id"]);
    post("not an address").await.shows("HKS-1", &[]);
    app.post(&tenant, HOOKS, json!({}))
        .await
        .shows("HKS-1", &[]);
    app.get(&tenant, HOOKS)
        .await
        .shows("GET /notifications/public/v1/api/hooks", &[]);
    let put = async |path: &str, body| app.put(&tenant, path, body).await;
    put(&path, json!({"enable": false}))
        .await
        .shows("PUT /notifications/public/v1/api/hooks/{id}", &[]);
    for body in [
        json!({}),
        json!({"enable": "no"}),
        json!({"enable": true, "a": 1}),
    ] {
        put(&path, body).await.shows("HKS-4", &[]);
    }
    for unknown in ["900001", "abc"] {
        let unknown = format!("{HOOKS}/{unknown}");
        put(&unknown, json!({})).await.shows("HKS-5", &[]);
        app.delete(&tenant, &unknown).await.shows("HKS-5", &[]);
    }
    for _ in 2..=10 {
        post("https://hooks.acme.example/in").await.ok();
    }
    post("https://hooks.acme.example/in")
        .await
        .shows("HKS-3", &[]);
    app.delete(&tenant, &path)
        .await
        .shows("DELETE /notifications/public/v1/api/hooks/{id}", &[]);
}
