//! The connection breaks at every packet of a load.

use async_trait::async_trait;
use selvedge_connector::Destination;
use selvedge_dest_mysql::MysqlDestination;
use selvedge_testkit::severed::wire::Protocol;
use selvedge_testkit::severed::{Severable, scenario, survives_every_cut};
use serde_json::json;

use crate::support::{Warehouse, settings};

#[async_trait]
impl Severable for Warehouse {
    async fn fresh() -> Self {
        Warehouse::create().await
    }

    fn protocol() -> Protocol {
        Protocol::Mysql
    }

    fn server(&self) -> (String, u16) {
        (self.schema.host.clone(), self.schema.port)
    }

    fn behind(&self, port: u16) -> Box<dyn Destination> {
        let through = settings(&self.schema, json!({"host": "127.0.0.1", "port": port}));
        Box::new(MysqlDestination::new(&through).unwrap())
    }
}

#[tokio::test]
async fn a_first_load_is_right_wherever_the_connection_broke() {
    survives_every_cut::<Warehouse>(scenario::FIRST_LOAD).await;
}

#[tokio::test]
async fn an_upsert_is_right_wherever_the_connection_broke() {
    survives_every_cut::<Warehouse>(scenario::UPSERT).await;
}

#[tokio::test]
async fn appended_rows_are_there_once_wherever_the_connection_broke() {
    survives_every_cut::<Warehouse>(scenario::APPEND).await;
}

#[tokio::test]
async fn a_first_pass_is_right_wherever_the_connection_broke() {
    survives_every_cut::<Warehouse>(scenario::FIRST_PASS).await;
}

#[tokio::test]
async fn a_replacement_is_right_wherever_the_connection_broke() {
    survives_every_cut::<Warehouse>(scenario::REPLACEMENT).await;
}
