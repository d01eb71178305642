use selvedge_control::scheduler;
use selvedge_types::SourceId;
use serde_json::json;

use crate::app::{NOW, TestApp, success};

#[tokio::test]
async fn a_source_runs_when_it_becomes_ready_and_then_at_its_interval() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}");
    let next = async || app.get(&tenant, &path).await.ok()["schedule"]["next_fire_time"].clone();
    app.put(
        &tenant,
        &path,
        json!({"properties": {"frequency_in_minutes": "60"}}),
    )
    .await
    .ok();
    let text = app.get(&tenant, &path).await.text;
    let schedule = r#""schedule":{"type":"interval","unit":"minute","interval":60.0,"next_fire_time":"2031-02-03T04:05:07Z"}"#;
    assert!(text.contains(schedule), "{text}");

    let queued = scheduler::enqueue_due(&app.control).await.unwrap();
    assert_eq!(queued.len(), 1);
    assert_eq!(queued[0].connection, source);
    assert!(
        scheduler::enqueue_due(&app.control)
            .await
            .unwrap()
            .is_empty(),
        "one job at a time"
    );
    let job = app.claim(false).await.unwrap();
    assert_eq!(next().await, "2031-02-03T05:05:06Z");

    // It takes longer than an hour: that slot is skipped, while it runs and after it has ended.
    app.clock.advance_seconds(4_000);
    assert_eq!(next().await, "2031-02-03T06:05:06Z");
    app.finish(&job, success()).await;
    assert!(scheduler::due(&app.control).await.unwrap().is_empty());
    app.clock.advance_seconds(3_200);
    assert_eq!(
        scheduler::due(&app.control).await.unwrap()[0].1,
        SourceId(source)
    );
}

#[tokio::test]
async fn paused_unmapped_deleted_and_unfinished_sources_are_never_due() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let unfinished = app.source(&tenant, "Unfinished").await;
    let path = format!("/v4/sources/{source}");
    let due = async || scheduler::due(&app.control).await.unwrap().len();
    assert_eq!(due().await, 1, "{unfinished} has nothing selected");
    app.put(&tenant, &path, json!({"paused_at": NOW}))
        .await
        .ok();
    assert_eq!(due().await, 0);
    let destination = app
        .put(&tenant, &path, json!({"paused_at": null}))
        .await
        .ok()["destination_id"]
        .clone();
    assert_eq!(due().await, 1);
    app.put(&tenant, &path, json!({"destination_id": null}))
        .await
        .ok();
    assert_eq!(due().await, 0);
    app.put(&tenant, &path, json!({"destination_id": destination}))
        .await
        .ok();
    assert_eq!(due().await, 1);
    app.delete(&tenant, &path).await.ok();
    assert_eq!(due().await, 0);
}

#[tokio::test]
async fn an_anchor_gives_the_next_slot_after_saving() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let settings = json!({"frequency_in_minutes": "360", "anchor_time": "2031-01-01T03:30:00Z"});
    let path = format!("/v4/sources/{source}");
    let schedule = app
        .put(&tenant, &path, json!({"properties": settings}))
        .await
        .ok()["schedule"]
        .clone();
    assert_eq!(
        schedule,
        json!({"type": "interval", "unit": "minute", "interval": 360.0, "next_fire_time": "2031-02-03T09:30:00Z"})
    );
    assert!(scheduler::due(&app.control).await.unwrap().is_empty());
}
