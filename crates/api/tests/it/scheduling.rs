use selvedge_control::scheduler;
use selvedge_types::SourceId;
use serde_json::{Value, json};

use crate::app::{NOW, TestApp, metadata_update, success};

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

#[tokio::test]
async fn a_cron_expression_sets_the_starts_until_it_is_taken_away() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}");
    let put = async |properties: Value| {
        let body = json!({"properties": properties});
        app.put(&tenant, &path, body).await.ok()["schedule"].clone()
    };
    let due = async || scheduler::due(&app.control).await.unwrap().len();

    let settings = json!({
        "frequency_in_minutes": "60", "anchor_time": "2031-01-01T03:30:00Z", "cron_expression": "0 15 6 ? * MON-FRI",
    });
    put(settings).await;
    let answer = app.get(&tenant, &path).await.text;
    let schedule = r#""schedule":{"type":"cron","cron_expression":"0 15 6 ? * MON-FRI","next_fire_time":"2031-02-03T06:15:00Z"}"#;
    assert!(answer.contains(schedule), "{answer}");
    assert_eq!(due().await, 0, "nothing is made up for at once");

    // A manual start neither moves it nor keeps it from coming.
    app.post(&tenant, &format!("{path}/sync"), json!({}))
        .await
        .ok();
    let manual = app.claim(false).await.unwrap();
    app.clock.advance_seconds(60);
    app.finish(&manual, success()).await;
    app.clock.advance_to("2031-02-03T06:14:59Z");
    assert_eq!(due().await, 0);
    app.clock.advance_to("2031-02-03T06:15:00Z");
    assert_eq!(scheduler::enqueue_due(&app.control).await.unwrap().len(), 1);
    let next = app.get(&tenant, &path).await.ok()["schedule"]["next_fire_time"].clone();
    assert_eq!(next, "2031-02-04T06:15:00Z");

    // The job runs over the next start, which is skipped.
    let job = app.claim(false).await.unwrap();
    app.clock.advance_to("2031-02-04T07:00:00Z");
    app.finish(&job, success()).await;
    assert_eq!(due().await, 0);

    let changed = put(json!({"cron_expression": "0 0 8 * * ? 2031-2032"})).await;
    assert_eq!(changed["next_fire_time"], "2031-02-04T08:00:00Z");
    let anchored = put(json!({"cron_expression": null})).await;
    assert_eq!(
        anchored,
        json!({"type": "interval", "unit": "minute", "interval": 60.0, "next_fire_time": "2031-02-04T07:30:00Z"})
    );
    let properties = app.get(&tenant, &path).await.ok()["properties"].clone();
    assert_eq!(properties.get("cron_expression"), None);
}

#[tokio::test]
async fn a_paused_source_shows_no_cron_schedule_and_makes_nothing_up() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}");
    let body = json!({"properties": {"cron_expression": "0 0 5 * * ?"}, "paused_at": NOW});
    assert_eq!(
        app.put(&tenant, &path, body).await.ok()["schedule"],
        Value::Null
    );
    app.clock.advance_to("2031-02-06T12:00:00Z");
    let unpaused = app.put(&tenant, &path, json!({"paused_at": null})).await;
    assert_eq!(
        unpaused.ok()["schedule"]["next_fire_time"],
        "2031-02-07T05:00:00Z"
    );
    assert!(scheduler::due(&app.control).await.unwrap().is_empty());
}

#[tokio::test]
async fn hostile_cron_expressions_are_refused_and_change_nothing() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    let path = format!("/v4/sources/{source}");
    let before = app.get(&tenant, &path).await.ok();
    for expression in [
        "0 0 12 * * ? ".repeat(800),
        "\u{1F552} \u{0} é".to_owned(),
        "0 0 99999999999999999999999 * * ?".to_owned(),
        "0 0 12 * * ?\n".to_owned(),
        " ".to_owned(),
    ] {
        let refused = app
            .put(
                &tenant,
                &path,
                json!({"properties": {"cron_expression": expression}}),
            )
            .await;
        assert_eq!(refused.status, 400, "{expression:?}");
        let body = refused.json();
        assert_eq!(body["error"], "InvalidCronExpression", "{expression:?}");
        let message = body["data"]["message"].as_str().unwrap();
        let start = format!("cron_expression \"{expression}\" is invalid: ");
        assert!(message.starts_with(&start), "{message}");
    }
    assert_eq!(app.get(&tenant, &path).await.ok(), before);
}

#[tokio::test]
async fn streams_that_start_over_make_the_next_job_due_at_once() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let tenant = app.tenant("ada@acme.example").await;
        let source = app.configured_source(&tenant, "Shop").await;
        let path = format!("/v4/sources/{source}");
        let daily = json!({"properties": {"cron_expression": "0 0 12 * * ?"}});
        app.put(&tenant, &path, daily).await.ok();
        let due = async || scheduler::due(&app.control).await.unwrap().len();
        let choose = async |metadata: Value| {
            let path = format!("{path}/streams/metadata");
            app.put(&tenant, &path, metadata_update(metadata))
                .await
                .ok();
        };
        let start = async || {
            let path = format!("{path}/sync");
            app.post(&tenant, &path, Value::Null).await.ok();
            app.claim(false).await.unwrap()
        };
        choose(json!({"replication-method": "FULL_TABLE"})).await;
        assert_eq!(due().await, 0, "nothing was read, and nothing starts over");

        // The job that runs is stopped; the next one does not wait for the schedule.
        let job = start().await;
        app.clock.advance_seconds(60);
        choose(json!({"replication-method": "INCREMENTAL", "replication-key": "id"})).await;
        assert_eq!(due().await, 0, "one job at a time");
        app.finish(&job, success()).await;
        assert_eq!(due().await, 1);
        let next = app.get(&tenant, &path).await.ok()["schedule"]["next_fire_time"].clone();
        assert_eq!(next, "2031-02-03T04:06:07Z");

        // Not while it is paused; afterwards it still is to come.
        app.put(&tenant, &path, json!({"paused_at": NOW}))
            .await
            .ok();
        assert_eq!(due().await, 0);
        app.put(&tenant, &path, json!({"paused_at": null}))
            .await
            .ok();
        app.clock.advance_seconds(1);
        assert_eq!(scheduler::enqueue_due(&app.control).await.unwrap().len(), 1);
        let job = app.claim(false).await.unwrap();
        app.clock.advance_seconds(60);
        app.finish(&job, success()).await;
        assert_eq!(due().await, 0, "once is enough");
        let next = app.get(&tenant, &path).await.ok()["schedule"]["next_fire_time"].clone();
        assert_eq!(next, "2031-02-03T12:00:00Z");
    }
}

#[tokio::test]
async fn a_new_start_date_makes_the_next_job_due_at_once() {
    for app in [TestApp::start().await, TestApp::on_postgres().await] {
        let tenant = app.tenant("ada@acme.example").await;
        app.destination(&tenant).await;
        let body = json!({"type": "platform.github", "display_name": "Code", "properties": {
            "access_token": "hunter2", "repository": "acme/site", "start_date": "2030-01-01T00:00:00Z",
        }});
        let source = app.post(&tenant, "/v4/sources", body).await.ok()["id"]
            .as_i64()
            .unwrap();
        app.run_checks().await;
        app.select_orders(&tenant, source).await;
        assert_eq!(scheduler::enqueue_due(&app.control).await.unwrap().len(), 1);
        let job = app.claim(false).await.unwrap();
        app.clock.advance_seconds(60);
        app.finish(&job, success()).await;
        app.clock.advance_seconds(60);
        let due = async || scheduler::due(&app.control).await.unwrap().len();
        let path = format!("/v4/sources/{source}");
        for (start_date, expected) in [("2030-01-01T00:00:00Z", 0), ("2029-01-01T00:00:00Z", 1)] {
            let body = json!({"properties": {"start_date": start_date}});
            app.put(&tenant, &path, body).await.ok();
            assert_eq!(due().await, expected, "{start_date}");
        }
    }
}
