//! The control plane on PostgreSQL.

use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::server::{ServerProcess, ServerSettings};

use crate::pipeline::Pipeline;
use crate::platform::{settings, text};

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
