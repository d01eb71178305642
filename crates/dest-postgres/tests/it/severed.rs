//! The connection breaks at every message of a load.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use selvedge_connector::Destination;
use selvedge_dest_postgres::PostgresDestination;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::severed::wire::Protocol;
use selvedge_testkit::severed::{Severable, scenario, survives_every_cut};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::conformance::Room;
use crate::support::{Warehouse, settings};

/// One database for all cuts: making one takes longer than a load. Sessions belong to the runtime of one test.
static DATABASE: OnceCell<TestDatabase> = OnceCell::const_new();
static ROOMS: AtomicU64 = AtomicU64::new(0);

#[async_trait]
impl Severable for Room {
    async fn fresh() -> Self {
        let database = DATABASE.get_or_init(TestDatabase::create).await;
        let number = ROOMS.fetch_add(1, Ordering::SeqCst);
        Self {
            warehouse: Warehouse::within(database.clone()).await,
            schema: format!("room_{number}"),
        }
    }

    fn protocol() -> Protocol {
        Protocol::Postgres
    }

    fn server(&self) -> (String, u16) {
        let database = &self.warehouse.database;
        (database.host.clone(), database.port)
    }

    fn behind(&self, port: u16) -> Box<dyn Destination> {
        let through = settings(
            &self.warehouse.database,
            json!({"host": "127.0.0.1", "port": port}),
        );
        Box::new(PostgresDestination::new(&through).unwrap())
    }
}

#[tokio::test]
async fn a_first_load_is_right_wherever_the_connection_broke() {
    survives_every_cut::<Room>(scenario::FIRST_LOAD).await;
}

#[tokio::test]
async fn an_upsert_is_right_wherever_the_connection_broke() {
    survives_every_cut::<Room>(scenario::UPSERT).await;
}

#[tokio::test]
async fn appended_rows_are_there_once_wherever_the_connection_broke() {
    survives_every_cut::<Room>(scenario::APPEND).await;
}

#[tokio::test]
async fn the_first_appended_rows_are_there_once_wherever_the_connection_broke() {
    survives_every_cut::<Room>(scenario::FIRST_APPEND).await;
}

#[tokio::test]
async fn a_first_pass_is_right_wherever_the_connection_broke() {
    survives_every_cut::<Room>(scenario::FIRST_PASS).await;
}

#[tokio::test]
async fn a_replacement_is_right_wherever_the_connection_broke() {
    survives_every_cut::<Room>(scenario::REPLACEMENT).await;
}

#[tokio::test]
async fn items_are_right_wherever_the_connection_broke() {
    survives_every_cut::<Room>(scenario::ITEMS).await;
}

#[tokio::test]
async fn replaced_items_are_right_wherever_the_connection_broke() {
    survives_every_cut::<Room>(scenario::ITEMS_REPLACED).await;
}
