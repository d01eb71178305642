use selvedge_store::loads;
use selvedge_types::job::{JobOutcome, PhaseOutcome};
use selvedge_types::{AccountId, AccountScope, SourceId};
use serde_json::{Value, json};

use crate::app::{NOW, Tenant, TestApp, success};

async fn ready() -> (TestApp, Tenant, i64) {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app.configured_source(&tenant, "Shop").await;
    (app, tenant, source)
}

async fn start(app: &TestApp, tenant: &Tenant, source: i64) -> crate::app::Answer {
    app.post(tenant, &format!("/v4/sources/{source}/sync"), Value::Null)
        .await
}

#[tokio::test]
async fn a_job_is_started_once_and_stopped_without_waiting() {
    let (app, tenant, source) = ready().await;
    let name = start(&app, &tenant, source).await.ok()["job_name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(name.starts_with(&format!("{}.{source}.sync.", tenant.account)));
    let already = format!(
        r#"{{"error":{{"type":"already_running","message":"Did not create job for client-id: {}; connection-id: {source} because one already exists"}}}}"#,
        tenant.account
    );
    start(&app, &tenant, source).await.is(200, &already);
    let job = app.claim(false).await.unwrap();
    start(&app, &tenant, source).await.is(200, &already);
    let path = format!("/v4/sources/{source}/sync");
    for _ in 0..2 {
        app.delete(&tenant, &path)
            .await
            .is(200, r#"{"status":200}"#);
        // It has not ended yet.
        start(&app, &tenant, source).await.is(200, &already);
    }
    app.finish(&job, JobOutcome::terminated()).await;
    app.delete(&tenant, &path)
        .await
        .is(200, r#"{"status":200}"#);
    start(&app, &tenant, source).await.ok();
}

#[tokio::test]
async fn mistakes_have_their_literal_texts() {
    let (app, tenant, source) = ready().await;
    let account = tenant.account;
    let unknown = format!(
        r#"{{"error":{{"type":"invalid_source","message":"Unable to locate source(1) for client ({account})"}}}}"#
    );
    start(&app, &tenant, 1).await.is(400, &unknown);
    app.delete(&tenant, "/v4/sources/1/sync")
        .await
        .is(400, &unknown);
    app.get(&tenant, "/v4/sources/1/sync")
        .await
        .is(400, &unknown);

    let generic = |id: i64| {
        format!(
            r#"{{"error":{{"type":"generic","message":"Could not create job for client-id: {account}; connection-id: {id}"}}}}"#
        )
    };
    let unconfigured = app.source(&tenant, "Unconfigured").await;
    start(&app, &tenant, unconfigured)
        .await
        .is(400, &generic(unconfigured));
    let pushed = json!({"type": "import_api", "display_name": "Pushed"});
    let pushed = app.post(&tenant, "/v4/sources", pushed).await.ok()["id"]
        .as_i64()
        .unwrap();
    start(&app, &tenant, pushed).await.is(400, &generic(pushed));
    app.put(
        &tenant,
        &format!("/v4/sources/{source}"),
        json!({"destination_id": null}),
    )
    .await
    .ok();
    start(&app, &tenant, source).await.is(400, &generic(source));

    app.delete(&tenant, &format!("/v4/sources/{source}"))
        .await
        .ok();
    let deleted = r#"{"error":{"type":"invalid_source","message":"Integration is deleted."}}"#;
    start(&app, &tenant, source).await.is(400, deleted);
    app.delete(&tenant, &format!("/v4/sources/{source}/sync"))
        .await
        .is(400, deleted);
}

#[tokio::test]
async fn a_paused_source_runs_by_hand() {
    let (app, tenant, source) = ready().await;
    app.put(
        &tenant,
        &format!("/v4/sources/{source}"),
        json!({"paused_at": NOW}),
    )
    .await
    .ok();
    start(&app, &tenant, source).await.ok();
}

#[tokio::test]
async fn deleting_a_source_stops_its_job() {
    let (app, tenant, source) = ready().await;
    start(&app, &tenant, source).await.ok();
    app.claim(false).await.unwrap();
    app.delete(&tenant, &format!("/v4/sources/{source}"))
        .await
        .ok();
    let progress = app
        .get(&tenant, &format!("/v4/sources/{source}/sync"))
        .await
        .ok();
    assert_eq!(progress["stop_requested_at"], NOW);
}

#[tokio::test]
async fn a_running_job_shows_how_far_it_has_come() {
    let (app, tenant, source) = ready().await;
    let path = format!("/v4/sources/{source}/sync");
    app.get(&tenant, &path).await.is(200, "null");
    start(&app, &tenant, source).await.ok();
    assert_eq!(app.get(&tenant, &path).await.ok()["state"], "pending");
    let job = app.claim(false).await.unwrap();
    app.clock.advance_seconds(4);
    let progress = selvedge_types::job::JobProgress {
        row_count: 1_000,
        size_bytes: 64_000,
        streams_done: 1,
        streams_total: 2,
    };
    let mut tx = app.control.store().begin().await.unwrap();
    selvedge_store::jobs::heartbeat(
        &mut tx,
        &job.name,
        job.fence,
        app.control.now(),
        60,
        &progress,
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    app.get(&tenant, &path).await.is(200, &format!(
        r#"{{"job_name":"{}","state":"running","created_at":"{NOW}","started_at":"{NOW}","stop_requested_at":null,"row_count":1000,"size_bytes":64000,"rows_per_second":250.0,"streams_done":1,"streams_total":2}}"#,
        job.name
    ));
}

#[tokio::test]
async fn the_last_completed_extraction_of_each_source_is_listed() {
    let (app, tenant, source) = ready().await;
    let path = format!("/v4/{}/extractions", tenant.account);
    app.get(&tenant, &path)
        .await
        .is(200, r#"{"data":[],"page":1,"total":0,"links":{}}"#);
    start(&app, &tenant, source).await.ok();
    let job = app.claim(false).await.unwrap();
    app.clock.advance_seconds(161);
    app.finish(
        &job,
        JobOutcome {
            tap: PhaseOutcome::failed("gone"),
            ..success()
        },
    )
    .await;
    app.get(&tenant, &path).await.is(200, &format!(
        r#"{{"data":[{{"target_exit_status":0,"job_name":"{}","start_time":"{NOW}","stitch_client_id":{},"tap_exit_status":1,"source_type":"tap-postgres","target_description":null,"discovery_exit_status":0,"discovery_description":null,"tap_description":"gone","completion_time":"2031-02-03T04:07:47Z","source_id":{source}}}],"page":1,"total":1,"links":{{}}}}"#,
        job.name, tenant.account
    ));
    app.clock.advance_seconds(61 * 86_400);
    assert_eq!(
        app.get(&tenant, &path).await.ok()["total"],
        0,
        "past the retention"
    );
}

#[tokio::test]
async fn the_log_of_a_job_is_read_behind_an_address_of_its_own() {
    let (app, tenant, source) = ready().await;
    start(&app, &tenant, source).await.ok();
    let job = app.claim(false).await.unwrap();
    app.logs.write(
        &job.name,
        "2031-02-03 04:05:06,000Z   main - INFO started\n",
    );
    let path = format!("/v4/{}/extractions/{}", tenant.account, job.name);
    let redirect = app.get(&tenant, &path).await;
    assert_eq!(
        (redirect.status.as_u16(), redirect.text.as_str()),
        (302, "")
    );
    let location = redirect.headers["location"].to_str().unwrap().to_owned();
    let address = location
        .strip_prefix("https://pipes.example.com")
        .unwrap()
        .to_owned();

    let log = app.send("GET", &address, None, None).await;
    assert_eq!(
        (log.status.as_u16(), log.text.as_str()),
        (200, "2031-02-03 04:05:06,000Z   main - INFO started\n")
    );
    assert_eq!(log.headers["content-type"], "text/plain; charset=utf-8");

    let not_found = r#"{"error":"NotFound","data":{"message":"not found"}}"#;
    let (bare, query) = address.split_once('?').unwrap();
    let other_job = bare.replace(
        &job.name.uuid.to_string(),
        "7d3f2c1a-5b6e-41f0-8c5d-0a1b2c3d4e5f",
    );
    for forged in [
        bare.to_owned(),
        format!("{other_job}?{query}"),
        address.replace("expires=19", "expires=29"),
        format!("{bare}?{}A", query),
        format!("{bare}?expires=x&signature="),
        "/logs/x?expires=1&signature=x".to_owned(),
    ] {
        app.send("GET", &forged, None, None)
            .await
            .is(404, not_found);
    }
    app.clock.advance_seconds(15 * 60 - 1);
    assert_eq!(app.send("GET", &address, None, None).await.status, 200);
    app.clock.advance_seconds(1);
    app.send("GET", &address, None, None)
        .await
        .is(404, not_found);
}

#[tokio::test]
async fn there_is_no_log_of_checks_unknown_jobs_and_past_the_retention() {
    let (app, tenant, source) = ready().await;
    let check = app
        .get(&tenant, &format!("/v4/sources/{source}"))
        .await
        .ok()["check_job_name"]
        .clone();
    start(&app, &tenant, source).await.ok();
    let job = app.claim(false).await.unwrap();
    let log = |name: &str| format!("/v4/{}/extractions/{name}", tenant.account);
    assert_eq!(
        app.get(&tenant, &log(&job.name.to_string())).await.status,
        302,
        "a running job has a log from the start"
    );
    app.finish(&job, success()).await;
    for name in [
        check.as_str().unwrap(),
        "x",
        &job.name.to_string(),
        &job.name.to_string().replace(".sync.", ".check."),
    ] {
        assert_eq!(app.get(&tenant, &log(name)).await.status, 404, "{name}");
    }
    app.logs.write(&job.name, "text");
    assert_eq!(
        app.get(&tenant, &log(&job.name.to_string())).await.status,
        302
    );
    app.clock.advance_seconds(61 * 86_400);
    assert_eq!(
        app.get(&tenant, &log(&job.name.to_string())).await.status,
        404
    );
}

#[tokio::test]
async fn loads_are_listed_by_stream_in_pages() {
    let (app, tenant, source) = ready().await;
    let scope = AccountScope::of(AccountId(tenant.account));
    let mut tx = app.control.store().begin().await.unwrap();
    for number in (0..250).rev() {
        let stream = format!("t{number:03}");
        loads::record_success(
            &mut tx,
            scope,
            SourceId(source),
            &stream,
            1,
            app.control.now(),
        )
        .await
        .unwrap();
    }
    loads::record_failure(
        &mut tx,
        scope,
        SourceId(source),
        "t000",
        &json!({"notification_data": {"message": "refused"}}),
        app.control.now(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let path = format!("/v4/{}/loads", tenant.account);
    let first = app.get(&tenant, &path).await.ok();
    assert_eq!((&first["page"], &first["total"]), (&json!(1), &json!(250)));
    assert_eq!(first["links"], json!({"next": format!("{path}?page=2")}));
    assert_eq!(first["data"].as_array().unwrap().len(), 100);
    let failed = serde_json::to_string(&first["data"][0]).unwrap();
    assert_eq!(
        failed,
        format!(
            r#"{{"stitch_client_id":{},"source_name":"shop","stream_name":"t000","last_batch_loaded_at":null,"error_state":{{"notification_data":{{"message":"refused"}}}}}}"#,
            tenant.account
        )
    );
    assert_eq!(first["data"][1]["last_batch_loaded_at"], NOW);
    let third = app.get(&tenant, &format!("{path}?page=3")).await.ok();
    assert_eq!(third["data"].as_array().unwrap().len(), 50);
    assert_eq!(
        third["links"],
        json!({"previous": format!("{path}?page=2")})
    );
    let beyond = app.get(&tenant, &format!("{path}?page=9")).await.ok();
    assert_eq!(
        (&beyond["data"], &beyond["links"]),
        (&json!([]), &json!({"previous": format!("{path}?page=3")}))
    );
    assert_eq!(
        app.get(&tenant, &format!("{path}?page=x&other=1"))
            .await
            .ok()["page"],
        1
    );
}

#[tokio::test]
async fn another_account_in_the_path_is_unauthorized() {
    let (app, tenant, _) = ready().await;
    let other = app.tenant("bob@rival.example").await;
    for list in [
        "extractions",
        "loads",
        "extractions/1.2.sync.7d3f2c1a-5b6e-41f0-8c5d-0a1b2c3d4e5f",
    ] {
        for account in [other.account, 1] {
            app.get(&tenant, &format!("/v4/{account}/{list}")).await.is(
                401,
                r#"{"error":"Unauthorized","data":{"message":"invalid or missing access token"}}"#,
            );
        }
        assert_eq!(app.get(&tenant, &format!("/v4/x/{list}")).await.status, 404);
    }
}

#[tokio::test]
async fn the_group_counts_requests_and_enforces_only_when_told() {
    for enforce in [false, true] {
        let app = TestApp::with(|_| {}, |state| state.with_enforced_jobs_group(enforce)).await;
        let tenant = app.tenant("ada@acme.example").await;
        let path = format!("/v4/{}/loads", tenant.account);
        for used in 1..=30 {
            let answer = app.get(&tenant, &path).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.headers["ratelimit-limit"], "30");
            assert_eq!(
                answer.headers["ratelimit-remaining"],
                (30 - used).to_string().as_str()
            );
            assert_eq!(answer.headers["ratelimit-reset"], "600");
        }
        let answer = app
            .get(&tenant, &format!("/v4/{}/extractions", tenant.account))
            .await;
        assert_eq!(answer.headers["ratelimit-remaining"], "0");
        if enforce {
            answer.is(
                429,
                r#"{"error":"RateLimited","data":{"message":"too many requests"}}"#,
            );
            assert_eq!(answer.headers["retry-after"], "600");
        } else {
            assert_eq!(answer.status, 200);
        }
        assert!(
            app.get(&tenant, "/v4/sources")
                .await
                .headers
                .get("ratelimit-limit")
                .is_none()
        );
    }
}
