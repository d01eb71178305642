use serde_json::{Value, json};

use crate::app::{TestApp, postgres_source};

#[tokio::test]
async fn creating_sources() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let post = async |body: Value| app.post(&tenant, "/v4/sources", body).await;
    let of = |more: Value| {
        let mut body =
            json!({"type": "platform.postgres", "destination_id": 1, "properties": {"host": ""}});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    post(json!({"type": "platform.postgres", "display_name": "Shop", "properties": postgres_source()}))
        .await
        .shows("POST /v4/sources", &[]);

    post(of(
        json!({"type": "platform.nope", "display_name": "####", "extra": 1}),
    ))
    .await
    .shows("SRC-3", &[]);
    post(of(json!({"type": "platform.nope", "display_name": "####"})))
        .await
        .shows("SRC-1", &[("TYPE", "platform.nope")]);
    post(of(json!({"type": "hp.rando", "display_name": "####"})))
        .await
        .shows("SRC-7", &[("TYPE", "hp.rando")]);
    post(of(json!({"display_name": "####", "name": "1a"})))
        .await
        .shows("SRC-4", &[]);
    post(of(json!({"display_name": "####"})))
        .await
        .shows("SRC-6", &[("DISPLAY_NAME", "####"), ("NAME", "")]);
    post(of(json!({"display_name": "New", "name": "shop"})))
        .await
        .shows("SRC-2", &[("NAME", "shop")]);
    post(of(json!({"display_name": "SHOP!!!"})))
        .await
        .shows("SRC-5", &[("DISPLAY_NAME", "SHOP!!!"), ("NAME", "shop")]);
    post(of(json!({"display_name": "New"})))
        .await
        .shows("SRC-DESTINATION", &[("DESTINATION_ID", "1")]);
    let both_days = "0 0 6 1 * MON";
    let refused = post(json!({"type": "platform.postgres", "display_name": "New", "properties": {"host": "", "nope": 1, "cron_expression": both_days}})).await;
    let card = refused.json()["data"]["report_card"].to_string();
    refused.shows(
        "SRC-8",
        &[("NAMES", r#""host","nope""#), ("REPORT_CARD", &card)],
    );
    post(json!({"type": "platform.postgres", "display_name": "New", "properties": {"cron_expression": both_days}}))
        .await
        .shows("SRC-10", &[("EXPRESSION", both_days)]);
}

#[tokio::test]
async fn changing_and_reading_sources() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let id = app.source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{id}");
    let put = async |path: &str, body: Value| app.put(&tenant, path, body).await;
    put("/v4/sources/1", json!({"extra": 1}))
        .await
        .shows("SRC-13", &[("SOURCE_ID", "1")]);
    put(&path, json!({"extra": 1, "display_name": ""}))
        .await
        .shows("SRC-11", &[]);
    put(&path, json!({"display_name": "", "destination_id": 1}))
        .await
        .shows("SRC-12", &[("DISPLAY_NAME", "")]);
    put(
        &path,
        json!({"destination_id": 1, "properties": {"host": ""}}),
    )
    .await
    .shows("SRC-DESTINATION", &[("DESTINATION_ID", "1")]);
    let both_days = "0 0 6 1 * MON";
    let refused = put(
        &path,
        json!({"properties": {"host": "", "cron_expression": both_days}}),
    )
    .await;
    let card = refused.json()["data"]["report_card"].to_string();
    refused.shows("SRC-8", &[("NAMES", r#""host""#), ("REPORT_CARD", &card)]);
    put(&path, json!({"properties": {"cron_expression": both_days}}))
        .await
        .shows("SRC-10", &[("EXPRESSION", both_days)]);
    put(&path, json!({"paused_at": "2031-02-03T00:00:00Z"}))
        .await
        .shows("PUT /v4/sources/{source_id}", &[]);
    app.get(&tenant, &path)
        .await
        .shows("GET /v4/sources/{source_id}", &[]);
    app.get(&tenant, "/v4/sources")
        .await
        .shows("GET /v4/sources", &[]);
    app.get(&tenant, "/v4/sources/1")
        .await
        .shows("SRC-GET", &[("SOURCE_ID", "1")]);
    app.get(&tenant, &format!("{path}/last-connection-check"))
        .await
        .shows("GET /v4/sources/{source_id}/last-connection-check", &[]);

    app.delete(&tenant, &path)
        .await
        .shows("DELETE /v4/sources/{source_id}", &[]);
    let gone = id.to_string();
    app.delete(&tenant, &path)
        .await
        .shows("SRC-13", &[("SOURCE_ID", &gone)]);
    put(&path, json!({"extra": 1}))
        .await
        .shows("SRC-13", &[("SOURCE_ID", &gone)]);
}

#[tokio::test]
async fn tokens_of_pushed_sources() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let body = json!({"type": "import_api", "display_name": "Pushed"});
    let id = app.post(&tenant, "/v4/sources", body).await.ok()["id"].to_string();
    let path = format!("/v4/sources/{id}/tokens");
    let first = app.post(&tenant, &path, Value::Null).await;
    first.shows("POST /v4/sources/{source_id}/tokens", &[]);
    app.post(&tenant, &path, Value::Null).await.ok();
    app.post(&tenant, &path, Value::Null)
        .await
        .shows("TOK-LIMIT", &[("SOURCE_ID", &id)]);
    app.get(&tenant, &path)
        .await
        .shows("GET /v4/sources/{source_id}/tokens", &[]);
    let token = first.json()["id"].to_string();
    app.delete(&tenant, &format!("{path}/{token}"))
        .await
        .shows("DELETE /v4/sources/{source_id}/tokens/{token_id}", &[]);
    app.delete(&tenant, &format!("{path}/{token}"))
        .await
        .shows("TOK-ID", &[("TOKEN_ID", &token)]);
    let pulled = app.source(&tenant, "Shop").await.to_string();
    for method in ["GET", "POST"] {
        app.send(method, "/v4/sources/1/tokens", Some(&tenant.token), None)
            .await
            .shows("TOK-SOURCE", &[("SOURCE_ID", "1")]);
        let path = format!("/v4/sources/{pulled}/tokens");
        app.send(method, &path, Some(&tenant.token), None)
            .await
            .shows("TOK-TYPE", &[("SOURCE_ID", &pulled)]);
    }
    app.delete(&tenant, "/v4/sources/1/tokens/1")
        .await
        .shows("TOK-SOURCE", &[("SOURCE_ID", "1")]);
}
