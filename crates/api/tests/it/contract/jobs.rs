use serde_json::Value;

use crate::app::{TestApp, success};

#[tokio::test]
async fn jobs() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let account = tenant.account.to_string();
    let source = app.configured_source(&tenant, "Shop").await.to_string();
    let path = format!("/v4/sources/{source}/sync");
    let ids = [
        ("CLIENT_ID", account.as_str()),
        ("SOURCE_ID", source.as_str()),
    ];
    app.post(&tenant, &path, Value::Null)
        .await
        .shows("POST /v4/sources/{source_id}/sync", &[]);
    app.post(&tenant, &path, Value::Null)
        .await
        .shows("JOB-1", &ids);
    app.delete(&tenant, &path)
        .await
        .shows("DELETE /v4/sources/{source_id}/sync", &[]);
    let unknown = [("CLIENT_ID", account.as_str()), ("SOURCE_ID", "1")];
    app.post(&tenant, "/v4/sources/1/sync", Value::Null)
        .await
        .shows("JOB-2", &unknown);
    app.delete(&tenant, "/v4/sources/1/sync")
        .await
        .shows("JOB-2", &unknown);
    let bare = app.source(&tenant, "Bare").await.to_string();
    app.post(&tenant, &format!("/v4/sources/{bare}/sync"), Value::Null)
        .await
        .shows(
            "JOB-GENERIC",
            &[("CLIENT_ID", &account), ("SOURCE_ID", &bare)],
        );
    app.delete(&tenant, &format!("/v4/sources/{source}"))
        .await
        .ok();
    app.post(&tenant, &path, Value::Null)
        .await
        .shows("JOB-3", &[]);
    app.delete(&tenant, &path).await.shows("JOB-3", &[]);
}

#[tokio::test]
async fn extractions_and_loads() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let account = tenant.account;
    let source = app.configured_source(&tenant, "Shop").await;
    app.post(&tenant, &format!("/v4/sources/{source}/sync"), Value::Null)
        .await
        .ok();
    let job = app.claim(false).await.unwrap();
    app.logs.write(&job.name, "text");
    app.finish(&job, success()).await;
    app.get(&tenant, &format!("/v4/{account}/extractions"))
        .await
        .shows("GET /v4/{stitch_client_id}/extractions", &[]);
    app.get(&tenant, &format!("/v4/{account}/extractions/{}", job.name))
        .await
        .shows("GET /v4/{stitch_client_id}/extractions/{job_name}", &[]);
    app.get(&tenant, &format!("/v4/{account}/loads"))
        .await
        .shows("GET /v4/{stitch_client_id}/loads", &[]);
    app.get(&tenant, &format!("/v4/{account}/extractions/nope"))
        .await
        .shows("EXT-2", &[]);
    for foreign in ["1".to_owned(), (account + 1).to_string()] {
        app.get(&tenant, &format!("/v4/{foreign}/extractions"))
            .await
            .shows("EXT-1", &[]);
        app.get(&tenant, &format!("/v4/{foreign}/extractions/{}", job.name))
            .await
            .shows("EXT-1", &[]);
        app.get(&tenant, &format!("/v4/{foreign}/loads"))
            .await
            .shows("LOD-1", &[]);
    }
}
