use selvedge_control::scheduler;
use serde_json::{Value, json};

use crate::app::{TestApp, success};

/// From an account to a completed extraction and back, as a client goes.
async fn walk_through(app: TestApp) {
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}");
    let configured = app.get(&tenant, &path).await.ok();
    assert_eq!(
        configured["report_card"]["current_step_type"],
        "fully_configured"
    );
    assert_eq!(configured["schedule"]["type"], "interval");

    assert_eq!(scheduler::enqueue_due(&app.control).await.unwrap().len(), 1);
    let job = app.claim(false).await.unwrap();
    app.finish(&job, success()).await;
    let extractions = format!("/v4/{}/extractions", tenant.account);
    let extractions = app.get(&tenant, &extractions).await.ok();
    assert_eq!(extractions["data"][0]["job_name"], job.name.to_string());

    let changed = json!({"display_name": "Store", "properties": {"host": "new.example.net", "anchor_time": "2031-01-01T03:30:00Z"}});
    app.put(&tenant, &path, changed).await.ok();
    app.run_checks().await;
    let check = app
        .get(&tenant, &format!("{path}/last-connection-check"))
        .await
        .ok();
    assert_eq!(check["status"], "succeeded");

    let destination = configured["destination_id"].as_i64().unwrap();
    app.delete(&tenant, &format!("/v4/destinations/{destination}"))
        .await
        .is(200, "{}");
    assert_eq!(app.get(&tenant, &path).await.ok()["schedule"], Value::Null);
    app.destination(&tenant).await;
    assert_ne!(app.get(&tenant, &path).await.ok()["schedule"], Value::Null);
    assert_ne!(
        app.delete(&tenant, &path).await.ok()["deleted_at"],
        Value::Null
    );
}

#[tokio::test]
async fn a_client_gets_from_an_account_to_an_extraction() {
    walk_through(TestApp::start().await).await;
}

#[tokio::test]
async fn the_same_way_leads_there_on_postgresql() {
    walk_through(TestApp::on_postgres().await).await;
}
