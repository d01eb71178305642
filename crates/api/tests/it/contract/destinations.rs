use serde_json::{Value, json};

use crate::app::{TestApp, postgres_destination};

#[tokio::test]
async fn destinations() {
    let app = TestApp::with(|settings| settings.max_destinations = 1, |state| state).await;
    let tenant = app.tenant("ada@acme.example").await;
    let account = tenant.account.to_string();
    let post = async |body: Value| app.post(&tenant, "/v4/destinations", body).await;
    let bad = json!({"host": ""});

    post(json!({"type": "nope", "properties": bad, "extra": 1}))
        .await
        .shows("DST-3", &[]);
    post(json!({"type": "nope", "properties": bad}))
        .await
        .shows("DST-TYPE", &[("TYPE", "nope")]);
    let refused = post(json!({"type": "postgres", "properties": bad})).await;
    let card = refused.json()["data"]["report_card"].to_string();
    refused.shows(
        "DST-PROPERTIES",
        &[("NAMES", r#""host""#), ("REPORT_CARD", &card)],
    );
    let created = post(json!({"type": "postgres", "properties": postgres_destination()})).await;
    created.shows("POST /v4/destinations", &[]);
    post(json!({"type": "storagegrid", "properties": bad}))
        .await
        .shows("DST-ACCESS", &[("TYPE", "storagegrid")]);
    post(json!({"type": "postgres", "properties": bad}))
        .await
        .shows("DST-1", &[]);

    app.get(&tenant, "/v4/destinations")
        .await
        .shows("GET /v4/destinations", &[]);
    app.get(&tenant, "/v4/destinations?nope=1")
        .await
        .shows("DST-7", &[]);

    let id = created.json()["id"].to_string();
    let path = format!("/v4/destinations/{id}");
    let put = async |path: &str, body: Value| app.put(&tenant, path, body).await;
    put("/v4/destinations/1", json!({"type": "s3"}))
        .await
        .shows("DST-5", &[]);
    put(&path, json!({"type": "s3", "extra": 1}))
        .await
        .shows("DST-4", &[]);
    put(&path, json!({"properties": bad, "extra": 1}))
        .await
        .shows("DST-BODY", &[]);
    put(&path, json!({"properties": {"port": "5433"}}))
        .await
        .shows("PUT /v4/destinations/{destination_id}", &[]);
    let check = format!("{path}/last-connection-check");
    app.get(&tenant, &check).await.shows(
        "GET /v4/destinations/{destination_id}/last-connection-check",
        &[],
    );

    app.delete(&tenant, "/v4/destinations/")
        .await
        .shows("DST-8", &[]);
    app.delete(&tenant, "/v4/destinations/abc")
        .await
        .shows("DST-9", &[]);
    app.delete(&tenant, &path)
        .await
        .shows("DELETE /v4/destinations/{destination_id}", &[]);
    for gone in [id.as_str(), "1"] {
        app.delete(&tenant, &format!("/v4/destinations/{gone}"))
            .await
            .shows(
                "DST-6",
                &[("DESTINATION_ID", gone), ("ACCOUNT_ID", &account)],
            );
    }
    put(&path, json!({})).await.shows("DST-5", &[]);
    app.get(&tenant, &check).await.shows("GEN-404", &[]);
}

#[tokio::test]
async fn destinations_in_version_3() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let post = async |body: Value| app.post(&tenant, "/v3/destinations", body).await;
    let bad = json!({"host": ""});
    for body in [
        json!({"type": "nope", "connection": bad, "extra": 1}),
        json!({"type": "postgres"}),
        json!({"connection": {}}),
        json!([]),
    ] {
        post(body).await.shows("DST-2", &[]);
    }
    post(json!({"type": "nope", "connection": bad}))
        .await
        .shows("DST-TYPE", &[("TYPE", "nope")]);
    let created = post(json!({"type": "postgres", "connection": postgres_destination()})).await;
    created.shows("POST /v3/destinations", &[]);
    post(json!({"type": "storagegrid", "connection": bad}))
        .await
        .shows("DST-ACCESS", &[("TYPE", "storagegrid")]);
    post(json!({"type": "postgres", "connection": bad}))
        .await
        .shows("DST-1", &[]);
    app.get(&tenant, "/v3/destinations")
        .await
        .shows("GET /v3/destinations", &[]);

    let path = format!("/v3/destinations/{}", created.json()["id"]);
    let put = async |path: &str, body: Value| app.put(&tenant, path, body).await;
    put("/v3/destinations/1", json!({}))
        .await
        .shows("DST-5", &[]);
    for body in [json!({}), json!({"type": "s3"})] {
        put(&path, body).await.shows("DST-4", &[]);
    }
    put(&path, json!({"type": "postgres"}))
        .await
        .shows("DST-2", &[]);
    put(
        &path,
        json!({"type": "postgres", "connection": {"port": "5433"}}),
    )
    .await
    .shows("PUT /v3/destinations/{destination_id}", &[]);
    for (method, path) in [("DELETE", &path), ("GET", &path)] {
        app.send(method, path, Some(&tenant.token), None)
            .await
            .shows("GEN-404", &[]);
    }
}
