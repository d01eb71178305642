//! The server is killed again and again while it works; an oracle judges what it leaves.

use std::time::{Duration, Instant};

use selvedge_testkit::effort;
use selvedge_testkit::wait::wait_until;
use selvedge_testkit::workload::{DeliveredRow, Promise, Seed, TableKind, Workload, WorkloadTable};
use serde_json::{Value, json};

use crate::pipeline::Pipeline;
use crate::platform::PATIENCE;

/// Kills of all tests together, unless the environment says otherwise.
const KILLS: u32 = 40;

/// How each table of the standard workload is replicated, and what that promises.
const TABLES: [(&str, Option<&str>, Promise); 4] = [
    ("keyed", Some("row_version"), Promise::Upsert),
    ("keyless", Some("row_version"), Promise::Append),
    ("wide", None, Promise::Mirror),
    ("sparse", Some("row_version"), Promise::Upsert),
];

#[tokio::test]
async fn kills_while_a_changing_source_is_replicated_lose_and_double_nothing() {
    for (seed, kills) in effort::kills_by_seed(KILLS) {
        change_and_kill(seed, (kills * 5 / 8).max(1)).await;
    }
}

async fn change_and_kill(seed: u64, kills: u32) {
    let mut workload = Workload::standard(seed);
    let mut random = Seed::new(!seed);
    let mut pipeline = Pipeline::start("").await;
    workload.create(&mut pipeline.origin).await.unwrap();
    workload.fill(&mut pipeline.origin, 800).await.unwrap();
    rediscover(&pipeline).await;
    for (table, key, _) in TABLES {
        select(&pipeline, table, key).await;
    }
    let started = Instant::now();
    pipeline.sync().await;
    let usual = started.elapsed();

    for kill in 1..=kills {
        workload.change(&mut pipeline.origin, 150).await.unwrap();
        // When an earlier job goes on after its kill, it is the one to be hit.
        let path = format!("/v4/sources/{}/sync", pipeline.source);
        pipeline
            .platform
            .api
            .post(&path, &Value::Null)
            .await
            .status(200);
        moment(&pipeline, &mut random, usual).await;
        if random.below(2) == 0 {
            workload.change(&mut pipeline.origin, 20).await.unwrap();
        }
        pipeline.platform.kill_and_restart().await;
        if kill % 8 == 0 || kill == kills {
            settle(&pipeline).await;
            pipeline.sync().await;
            for (table, _, promise) in TABLES {
                let rows = DeliveredRow::read(&pipeline.replica, &format!("shop.{table}"))
                    .await
                    .unwrap();
                if let Err(violations) = workload.verify(table, promise, workload.now(), &rows) {
                    panic!(
                        "seed {seed}, after {kill} kills: {violations}\n{}",
                        pipeline.platform.server.log()
                    );
                }
            }
        }
    }
    // A keyless table repeats what was read twice, but a job in peace repeats its boundary row alone.
    let appended = "select count(*) from shop.keyless";
    let before = pipeline.count(appended).await;
    pipeline.sync().await;
    assert_eq!(pipeline.count(appended).await, before + 1);
    let identities = "select count(*) - count(distinct __sdc_primary_key) from shop.keyless";
    assert_eq!(pipeline.count(identities).await, 0);
    assert_hit(&pipeline, kills);
}

#[tokio::test]
async fn kills_during_first_loads_and_fresh_starts_lose_and_double_nothing() {
    for (seed, kills) in effort::kills_by_seed(KILLS) {
        load_and_kill(seed, (kills * 3 / 8).max(1)).await;
    }
}

/// Every round has a table of its own that has never been loaded, and kills the server while it is.
async fn load_and_kill(seed: u64, kills: u32) {
    let mut random = Seed::new(!seed);
    let mut pipeline = Pipeline::start("create table unused (id integer primary key)").await;
    let mut usual = Duration::from_millis(400);
    for round in 0..kills {
        let (kind, key, promise) = match round % 4 {
            0 => (TableKind::Keyed, None, Promise::Mirror),
            1 => (TableKind::Keyless, None, Promise::Mirror),
            // Nothing is changed while it is loaded, so every row is there once, with a key or without.
            2 => (TableKind::Sparse, Some("row_version"), Promise::Mirror),
            _ => (TableKind::Keyless, Some("row_version"), Promise::Mirror),
        };
        let name = format!("load_{round}");
        let table = WorkloadTable::new(name.clone(), kind);
        let mut workload = Workload::new(seed + u64::from(round), vec![table]);
        workload.create(&mut pipeline.origin).await.unwrap();
        workload.fill(&mut pipeline.origin, 5_000).await.unwrap();
        rediscover(&pipeline).await;
        select(&pipeline, &name, key).await;

        let job_name = pipeline.platform.start_sync(pipeline.source).await;
        moment(&pipeline, &mut random, usual).await;
        pipeline.platform.kill_and_restart().await;
        let started = Instant::now();
        pipeline.platform.ended(&job_name).await.succeeded();
        usual = started.elapsed();
        verify(&pipeline, &workload, &name, promise, seed).await;

        // Another method starts the table over, beside the rows it has.
        let (key, promise) = match key {
            None => (Some("row_version"), Promise::Mirror),
            Some(_) => (None, Promise::Mirror),
        };
        workload.change(&mut pipeline.origin, 300).await.unwrap();
        select(&pipeline, &name, key).await;
        let job_name = pipeline.platform.start_sync(pipeline.source).await;
        moment(&pipeline, &mut random, usual).await;
        pipeline.platform.kill_and_restart().await;
        pipeline.platform.ended(&job_name).await.succeeded();
        verify(&pipeline, &workload, &name, promise, seed).await;
        pipeline.set(&name, json!({ "selected": false })).await;
    }
    assert_hit(&pipeline, 2 * kills);
}

/// Kills that hit no job prove nothing: at least every fourth must have left one to be taken up again. (More than every third
/// does, but chance has its way with the few of one seed.)
fn assert_hit(pipeline: &Pipeline, kills: u32) {
    let log = pipeline.platform.server.log();
    let hits = log
        .matches("unfinished jobs go back into the queue")
        .count();
    assert!(
        hits * 4 >= kills as usize,
        "{hits} of {kills} kills hit a job"
    );
}

async fn verify(
    pipeline: &Pipeline,
    workload: &Workload,
    table: &str,
    promise: Promise,
    seed: u64,
) {
    let rows = DeliveredRow::read(&pipeline.replica, &format!("shop.{table}"))
        .await
        .unwrap();
    if let Err(violations) = workload.verify(table, promise, workload.now(), &rows) {
        panic!(
            "seed {seed}: {violations}\n{}",
            pipeline.platform.server.log()
        );
    }
}

async fn select(pipeline: &Pipeline, table: &str, key: Option<&str>) {
    match key {
        Some(key) => pipeline.select_incremental(table, key).await,
        None => pipeline.select_full(table).await,
    }
}

/// Has new tables listed.
async fn rediscover(pipeline: &Pipeline) {
    let path = format!("/v4/sources/{}", pipeline.source);
    pipeline
        .platform
        .api
        .put(&path, &json!({ "properties": {} }))
        .await
        .status(200);
    let check = pipeline.platform.check(&path).await;
    assert_eq!(check["status"], "succeeded", "{check}");
}

/// Waits until no job is left.
async fn settle(pipeline: &Pipeline) {
    wait_until("the end of the last job", PATIENCE, async || match pipeline
        .platform
        .progress(pipeline.source)
        .await
    {
        Value::Null => Ok(()),
        job => Err(job),
    })
    .await;
}

/// Lets a random part of a job's usual time pass: this is when the kill comes, not a state to wait for. Most times the job
/// has begun to run before, or the kill would more often than not hit one that waits.
async fn moment(pipeline: &Pipeline, random: &mut Seed, usual: Duration) {
    let mut most = usual * 5 / 4;
    if random.below(4) > 0 {
        // A job waits for its start about as long as it runs.
        most = usual / 2;
        wait_until("the start of the job", PATIENCE, async || {
            let job = pipeline.platform.progress(pipeline.source).await;
            match job.is_null() || !job["started_at"].is_null() {
                true => Ok(()),
                false => Err(job),
            }
        })
        .await;
    }
    let micros = usize::try_from(most.as_micros()).expect("jobs of tests are short");
    let chosen = random.below(micros.max(1));
    tokio::time::sleep(Duration::from_micros(chosen as u64)).await;
}
