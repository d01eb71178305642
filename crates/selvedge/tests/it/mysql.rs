//! A PostgreSQL source and a MySQL destination, connected by a server.

use selvedge_testkit::mysql::{TestSchema, rows};
use selvedge_testkit::postgres::TestDatabase;
use serde_json::{Value, json};

use crate::pipeline::execute;
use crate::platform::{Platform, source_body};

const ORDERS: &str = "
    create table orders (id integer primary key, rev integer, label text, fee numeric(9,2), paid boolean, at timestamptz);
    insert into orders values (1, 1, E'tab\\there', 12.50, true, '2024-05-01 10:00:00+02'), (2, 2, null, -0.01, false, null);
    create table colours (name text);
    insert into colours values ('red'), ('Red'), ('red ')";

#[tokio::test]
async fn rows_of_postgresql_arrive_in_mysql_in_full_and_by_key() {
    let from = TestDatabase::create().await;
    let origin = from.connect().await;
    execute(&origin, ORDERS).await;
    let to = TestSchema::choose();
    let mut replica = to.connect().await;
    let platform = Platform::start().await;
    platform.destination(&destination_body(&to)).await;
    let mut body = source_body(&from);
    body["display_name"] = json!(to.name);
    let source = platform.source(&body).await;
    let select = async |table: &str, metadata: Value| {
        let entries = json!([{ "breadcrumb": [], "metadata": metadata }]);
        platform.set_metadata(source, table, entries).await;
    };
    select(
        "orders",
        json!({ "selected": true, "replication-method": "INCREMENTAL", "replication-key": "rev" }),
    )
    .await;
    select(
        "colours",
        json!({ "selected": true, "replication-method": "FULL_TABLE" }),
    )
    .await;
    platform.sync(source).await.succeeded();
    let schema = &to.name;
    let orders = format!("select id, rev, label, fee, paid, at from {schema}.orders order by id");
    let colours = format!("select count(*), count(distinct binary name) from {schema}.colours");
    assert_eq!(
        rows(&mut replica, &orders).await,
        [
            "1|1|tab\there|12.500000|1|2024-05-01 08:00:00.000000",
            "2|2|-|-0.010000|0|-"
        ]
    );
    assert_eq!(rows(&mut replica, &colours).await, ["3|3"]);

    execute(
        &origin,
        "insert into orders values (3, 3, 'new', null, null, null);
         update orders set label = 'changed', rev = 4 where id = 1;
         delete from colours where name = 'Red'",
    )
    .await;
    platform.sync(source).await.succeeded();
    assert_eq!(
        rows(&mut replica, &orders).await,
        [
            "1|4|changed|12.500000|1|2024-05-01 08:00:00.000000",
            "2|2|-|-0.010000|0|-",
            "3|3|new|-|-|-"
        ]
    );
    assert_eq!(rows(&mut replica, &colours).await, ["2|2"]);
    assert_eq!(platform.load("orders").await["error_state"], Value::Null);
}

fn destination_body(schema: &TestSchema) -> Value {
    json!({
        "type": "mysql_destination",
        "properties": {
            "host": schema.host,
            "port": schema.port.to_string(),
            "username": schema.user,
            "password": schema.password,
            "encryption_type": "none",
        },
    })
}
