//! Stopping a job, by request and with the server.

use std::time::{Duration, Instant};

use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::gate::{Gate, SLOW_ROWS, slow_view};
use crate::pipeline::{Pipeline, execute};
use crate::platform::{PATIENCE, settings, source_body};

/// How soon a stopped job must have ended.
const SOON: Duration = Duration::from_secs(15);

/// A pipeline with the small table `first`, which is read before the gated view `slow`.
async fn pipeline() -> Pipeline {
    let pipeline = Pipeline::start(&format!(
        "{} create table first (id integer primary key); insert into first values (1), (2);",
        slow_view()
    ))
    .await;
    pipeline.select_full("first").await;
    let metadata = json!({
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id", "view-key-properties": ["id"],
    });
    pipeline.set("slow", metadata).await;
    pipeline
}

/// Starts a job and waits until rows of `slow` have been handed to the destination and no more come.
async fn stalled(pipeline: &Pipeline, gate: &Gate) -> String {
    let job_name = pipeline.platform.start_sync(pipeline.source).await;
    gate.reached().await;
    wait_until("rows on their way", PATIENCE, async || {
        let progress = pipeline.platform.progress(pipeline.source).await;
        if progress["row_count"].as_i64() > Some(2) {
            Ok(())
        } else {
            Err(progress)
        }
    })
    .await;
    job_name
}

/// A session that keeps everybody from the table `items` of the destination.
async fn blocked(pipeline: &Pipeline) -> Client {
    let blocker = pipeline.to.connect().await;
    execute(
        &blocker,
        "begin; lock table shop.items in access exclusive mode",
    )
    .await;
    blocker
}

async fn waits_for_a_lock(pipeline: &Pipeline) {
    let waiting = "select count(*) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'";
    wait_until(
        "the load to wait for the lock",
        PATIENCE,
        async || match pipeline.count(waiting).await {
            0 => Err("nobody waits"),
            _ => Ok(()),
        },
    )
    .await;
}

#[tokio::test]
async fn a_stopped_job_ends_soon_and_the_next_one_completes_the_table() {
    let pipeline = pipeline().await;
    let gate = Gate::close(&pipeline.from).await;
    let job_name = stalled(&pipeline, &gate).await;
    let path = format!("/v4/sources/{}/sync", pipeline.source);

    let second = pipeline
        .platform
        .api
        .post(&path, &Value::Null)
        .await
        .status(200);
    let message = format!(
        "Did not create job for client-id: {}; connection-id: {} because one already exists",
        pipeline.platform.account, pipeline.source
    );
    assert_eq!(
        second,
        json!({ "error": { "type": "already_running", "message": message } })
    );

    let asked = Instant::now();
    let answer = pipeline.platform.api.delete(&path).await.status(200);
    assert_eq!(answer, json!({ "status": 200 }));
    let ended = pipeline.platform.ended(&job_name).await;
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    assert_eq!(ended.statuses(), [None, None, None], "{ended:?}");
    for phase in ["discovery", "tap", "target"] {
        assert_eq!(ended.description(phase), "Terminated");
    }
    assert_eq!(pipeline.count("select count(*) from shop.first").await, 2);
    let kept = pipeline.count("select count(*) from shop.slow").await;
    assert!((1..SLOW_ROWS).contains(&kept), "{kept} rows were kept");
    let again = pipeline.platform.api.delete(&path).await.status(200);
    assert_eq!(again, json!({ "status": 200 }), "nothing to stop is fine");

    gate.open().await;
    let next = pipeline.sync().await;
    let log = pipeline.platform.log(next.job_name()).await;
    assert!(
        log.contains("found current bookmark for"),
        "it goes on where it was: {log}"
    );
    assert_eq!(
        pipeline
            .arrived("select count(*), count(distinct id), max(id) from shop.slow")
            .await,
        [format!("{SLOW_ROWS}|{SLOW_ROWS}|{SLOW_ROWS}")]
    );
}

#[tokio::test]
async fn a_job_that_waits_for_a_lock_in_the_destination_can_be_stopped() {
    let pipeline = Pipeline::start(
        "create table items (id integer primary key); insert into items values (1)",
    )
    .await;
    pipeline.select_full("items").await;
    pipeline.sync().await;
    pipeline.change("insert into items values (2)").await;
    let blocker = blocked(&pipeline).await;
    let job_name = pipeline.platform.start_sync(pipeline.source).await;
    waits_for_a_lock(&pipeline).await;
    let path = format!("/v4/sources/{}/sync", pipeline.source);
    let asked = Instant::now();
    pipeline.platform.api.delete(&path).await.status(200);
    let ended = pipeline.platform.ended(&job_name).await;
    assert!(asked.elapsed() < SOON, "it took {:?}", asked.elapsed());
    assert_eq!(ended.statuses(), [None, None, None], "{ended:?}");
    blocker.batch_execute("rollback").await.unwrap();
    assert_eq!(pipeline.count("select count(*) from shop.items").await, 1);
    pipeline.sync().await;
    assert_eq!(pipeline.count("select count(*) from shop.items").await, 2);
}

#[tokio::test]
async fn a_job_goes_on_under_its_name_however_often_the_server_is_asked_to_end() {
    let mut pipeline = pipeline().await;
    let gate = Gate::close(&pipeline.from).await;
    let job_name = stalled(&pipeline, &gate).await;
    // More often than a job is tried again after its server was lost.
    for _ in 0..6 {
        let status = pipeline.platform.server.terminate(SOON).await;
        assert!(
            status.success(),
            "{status}: {}",
            pipeline.platform.server.log()
        );
        pipeline.platform.restart().await;
        gate.reached().await;
        let progress = pipeline.platform.progress(pipeline.source).await;
        assert_eq!(progress["job_name"], job_name.as_str());
    }
    let kept = pipeline.count("select count(*) from shop.slow").await;
    assert!((1..SLOW_ROWS).contains(&kept), "{kept} rows were kept");
    gate.open().await;
    pipeline.platform.ended(&job_name).await.succeeded();
    assert_eq!(
        pipeline
            .arrived("select count(*), count(distinct id) from shop.slow")
            .await,
        [format!("{SLOW_ROWS}|{SLOW_ROWS}")]
    );
    let log = pipeline.platform.log(&job_name).await;
    let begun = log.matches("discovering the structure").count();
    assert_eq!(begun, 7, "all parts are in one log: {log}");
}

#[tokio::test]
async fn a_job_that_cannot_reach_a_checkpoint_does_not_keep_the_server_from_ending() {
    let mut pipeline = Pipeline::start(
        "create table items (id integer primary key); insert into items values (1)",
    )
    .await;
    pipeline.select_full("items").await;
    pipeline.sync().await;
    pipeline.change("insert into items values (2)").await;
    let blocker = blocked(&pipeline).await;
    let job_name = pipeline.platform.start_sync(pipeline.source).await;
    waits_for_a_lock(&pipeline).await;
    let status = pipeline.platform.server.terminate(SOON).await;
    assert!(status.success(), "{}", pipeline.platform.server.log());
    blocker.batch_execute("rollback").await.unwrap();
    assert_eq!(pipeline.count("select count(*) from shop.items").await, 1);
    pipeline.platform.restart().await;
    pipeline.platform.ended(&job_name).await.succeeded();
    assert_eq!(pipeline.count("select count(*) from shop.items").await, 2);
}

#[tokio::test]
async fn a_deleted_source_ends_its_job() {
    let pipeline = pipeline().await;
    let gate = Gate::close(&pipeline.from).await;
    let job_name = stalled(&pipeline, &gate).await;
    let path = format!("/v4/sources/{}", pipeline.source);
    let deleted = pipeline.platform.api.delete(&path).await.status(200);
    assert!(deleted["deleted_at"].is_string(), "{deleted}");
    let ended = pipeline.platform.ended(&job_name).await;
    assert_ne!(ended.statuses(), [Some(0), Some(0), Some(0)], "{ended:?}");
    drop(gate);
    let refused = pipeline
        .platform
        .api
        .post(&format!("{path}/sync"), &Value::Null)
        .await
        .status(400);
    assert_eq!(refused["error"]["message"], "Integration is deleted.");
}

#[tokio::test]
async fn a_stopped_replacement_leaves_the_rows_that_were_there() {
    let pipeline = Pipeline::start(&slow_view()).await;
    pipeline.select_full("slow").await;
    pipeline.sync().await;
    pipeline
        .change("delete from slow_rows where id <= 100; update slow_rows set filler = 'new'")
        .await;
    let gate = Gate::close(&pipeline.from).await;
    let job_name = pipeline.platform.start_sync(pipeline.source).await;
    gate.reached().await;
    let path = format!("/v4/sources/{}/sync", pipeline.source);
    pipeline.platform.api.delete(&path).await.status(200);
    let ended = pipeline.platform.ended(&job_name).await;
    assert_eq!(ended.statuses(), [None, None, None], "{ended:?}");
    let content = "select count(*), count(*) filter (where filler = 'new') from shop.slow";
    assert_eq!(pipeline.arrived(content).await, [format!("{SLOW_ROWS}|0")]);
    gate.open().await;
    pipeline.sync().await;
    let rest = SLOW_ROWS - 100;
    assert_eq!(pipeline.arrived(content).await, [format!("{rest}|{rest}")]);
}

#[tokio::test]
async fn a_job_that_waits_for_its_turn_can_be_stopped_and_a_stalled_one_holds_up_only_its_place() {
    let files = tempfile::tempdir().unwrap();
    let config = files.path().join("selvedge.toml");
    std::fs::write(&config, "[jobs]\nconcurrency = 1\n").unwrap();
    let settings = settings().environment("SELVEDGE_CONFIG", config.display().to_string());
    let pipeline = Pipeline::start_with(settings, &slow_view(), json!({})).await;
    pipeline.select_full("slow").await;
    let mut body = source_body(&pipeline.from);
    body["display_name"] = json!("Other");
    let other = pipeline.platform.source(&body).await;
    let entries = json!([{ "breadcrumb": [], "metadata": { "selected": true, "replication-method": "FULL_TABLE" } }]);
    pipeline
        .platform
        .set_metadata(other, "slow_rows", entries)
        .await;

    let gate = Gate::close(&pipeline.from).await;
    let stalled = pipeline.platform.start_sync(pipeline.source).await;
    gate.reached().await;
    let waiting = pipeline.platform.start_sync(other).await;
    let progress = pipeline.platform.progress(other).await;
    assert_eq!(progress["state"], "pending");
    assert_eq!(progress["started_at"], json!(null));
    // A check needs no place among the syncs.
    let path = format!("/v4/sources/{other}");
    pipeline
        .platform
        .api
        .put(&path, &json!({ "properties": {} }))
        .await
        .status(200);
    assert_eq!(pipeline.platform.check(&path).await["status"], "succeeded");

    pipeline
        .platform
        .api
        .delete(&format!("{path}/sync"))
        .await
        .status(200);
    assert_eq!(pipeline.platform.progress(other).await, json!(null));
    gate.open().await;
    pipeline.platform.ended(&stalled).await.succeeded();
    let later = pipeline.platform.sync(other).await.succeeded();
    assert_ne!(later.job_name(), waiting, "the stopped job never began");
    assert_eq!(
        pipeline.count("select count(*) from other.slow_rows").await,
        SLOW_ROWS
    );
}

#[tokio::test]
async fn choices_made_while_a_job_runs_are_for_the_next_one() {
    let pipeline = pipeline().await;
    let gate = Gate::close(&pipeline.from).await;
    let job_name = stalled(&pipeline, &gate).await;
    pipeline.select_incremental("first", "id").await;
    pipeline.set("slow", json!({ "selected": false })).await;
    gate.open().await;
    pipeline.platform.ended(&job_name).await.succeeded();
    assert_eq!(
        pipeline.count("select count(*) from shop.slow").await,
        SLOW_ROWS
    );
    pipeline
        .change(
            "update slow_rows set filler = 'unseen' where id = 6000; insert into first values (3)",
        )
        .await;
    pipeline.sync().await;
    assert_eq!(pipeline.count("select count(*) from shop.first").await, 3);
    let unseen = "select count(*) from shop.slow where filler = 'unseen'";
    assert_eq!(pipeline.count(unseen).await, 0);
}

#[tokio::test]
async fn a_table_that_is_reset_while_it_is_read_is_read_again_by_the_next_job() {
    let pipeline = pipeline().await;
    let gate = Gate::close(&pipeline.from).await;
    let job_name = stalled(&pipeline, &gate).await;
    pipeline.select_full("slow").await;
    gate.open().await;
    // The running job may fail over it; what counts is that nothing of it stays.
    pipeline.platform.ended(&job_name).await;
    pipeline
        .change("delete from slow_rows where id <= 10")
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select count(*), count(distinct id) from shop.slow")
            .await,
        [format!("{0}|{0}", SLOW_ROWS - 10)]
    );
}
