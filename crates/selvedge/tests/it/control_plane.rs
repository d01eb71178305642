//! The control plane on PostgreSQL.

use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::server::{ServerProcess, ServerSettings};
use selvedge_testkit::wait::wait_until;

use crate::pipeline::{Pipeline, count, execute};
use crate::platform::{PATIENCE, settings, text};

/// The same on every node, as an operator would set it.
const MASTER_KEY: &str = "c2VsdmVkZ2Ugc2VsdmVkZ2Ugc2VsdmVkZ2Ugc2VsdmU=";

fn on(database: &TestDatabase) -> ServerSettings {
    settings()
        .environment("SELVEDGE_DATABASE_URL", database.url())
        .environment("SELVEDGE_MASTER_KEY", MASTER_KEY)
}

#[tokio::test]
async fn a_pipeline_runs_with_its_control_plane_in_postgres() {
    let store = TestDatabase::create().await;
    let tables = "create table orders (id bigint primary key, note text);
                  insert into orders select i, 'n' || i from generate_series(1, 1000) i;";
    let pipeline = Pipeline::start_with(on(&store), tables, serde_json::json!({})).await;
    pipeline.select_full("orders").await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.count("select count(*) from shop.orders").await,
        1000
    );
    assert!(
        !pipeline
            .platform
            .server
            .data_dir()
            .join("selvedge.db")
            .exists(),
        "nothing of the control plane is on the disk"
    );
}

#[tokio::test]
async fn another_node_goes_on_where_a_killed_one_was() {
    let store = TestDatabase::create().await;
    let tables = "create table orders (id bigint primary key, note text);
                  insert into orders select i, 'n' || i from generate_series(1, 1000) i;";
    let mut pipeline = Pipeline::start_with(on(&store), tables, serde_json::json!({})).await;
    pipeline.select_full("orders").await;
    // The first node is gone; the second one sees the same accounts, and runs what is asked of it.
    pipeline.platform.server.kill().await;
    pipeline.platform.server = ServerProcess::start(on(&store)).await;
    let server = &pipeline.platform.server;
    let account = pipeline.platform.account.to_string();
    let token = server
        .run_json(&["account", "token", &account, "--json"])
        .await;
    pipeline.platform.api = server.client().with_token(text(&token["access_token"]));
    pipeline.sync().await;
    assert_eq!(
        pipeline.count("select count(*) from shop.orders").await,
        1000
    );
}

#[tokio::test]
async fn a_job_whose_end_found_no_room_is_recorded_when_there_is_room_again() {
    let store = TestDatabase::create().await;
    let tables = "create table orders (id bigint primary key, note text);
                  insert into orders select i, 'n' || i from generate_series(1, 1000) i;";
    let pipeline = Pipeline::start_with(on(&store), tables, serde_json::json!({})).await;
    pipeline.select_full("orders").await;
    // Heartbeats are written, ends are not.
    let session = store.connect().await;
    let full = "create sequence refusals;
         create function refuse() returns trigger language plpgsql as $$
           begin
             perform nextval('refusals');
             raise exception using errcode = 'disk_full', message = 'No space left on device';
           end $$;
         create trigger full_disk before update on jobs
           for each row when (new.completed_at is not null) execute function refuse();";
    execute(&session, full).await;
    let job = pipeline.platform.start_sync(pipeline.source).await;
    wait_until("a refusal", PATIENCE, async || {
        match count(&session, "select count(*) from refusals where is_called").await {
            0 => Err("none"),
            _ => Ok(()),
        }
    })
    .await;
    execute(&session, "drop trigger full_disk on jobs").await;
    pipeline.platform.ended(&job).await.succeeded();
    let attempts = "select attempts from jobs where mode = 'sync'";
    assert_eq!(count(&session, attempts).await, 1, "nothing is done twice");
    assert_eq!(
        pipeline.count("select count(*) from shop.orders").await,
        1000
    );
}
