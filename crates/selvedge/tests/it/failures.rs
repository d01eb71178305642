//! What goes wrong outside, and how it is told.

use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::wait::wait_until;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::gate::{Gate, SLOW_ROWS, slow_view};
use crate::pipeline::{Pipeline, execute, rows};
use crate::platform::{PATIENCE, Platform, destination_body, number, source_body, text};

const REFUSED: &str = "Connection refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.";

/// A port that nobody listens on.
async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// A PostgreSQL server that takes no password, on the port returned. Test servers trust everybody.
async fn refusing_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(refuse(stream));
        }
    });
    port
}

async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let length = stream.read_u32().await?;
        let mut message = vec![0; length as usize - 4];
        stream.read_exact(&mut message).await?;
        // A request for TLS is declined; what follows is the start of the session.
        if message == 80_877_103_u32.to_be_bytes() {
            stream.write_all(b"N").await?;
        } else {
            break;
        }
    }
    // AuthenticationCleartextPassword, whose answer is not even looked at.
    stream.write_all(b"R\0\0\0\x08\0\0\0\x03").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    let mut password =
        vec![0; u32::from_be_bytes([answer[1], answer[2], answer[3], answer[4]]) as usize - 4];
    stream.read_exact(&mut password).await?;
    let fields =
        b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"postgres\"\0\0";
    stream.write_all(b"E").await?;
    stream
        .write_u32(u32::try_from(fields.len()).expect("small") + 4)
        .await?;
    stream.write_all(fields).await?;
    stream.shutdown().await
}

/// Creates a source whose check fails, and returns its id and the check.
async fn failing_source(platform: &Platform, body: &Value) -> (i64, Value) {
    let created = platform.api.post("/v4/sources", body).await.status(200);
    let id = number(&created["id"]);
    let check = platform.check(&format!("/v4/sources/{id}")).await;
    assert_eq!(check["status"], "failed", "{check}");
    assert_eq!(check["error"], true);
    assert_eq!(check["check_exit_status"], json!(null));
    assert_eq!(check["discovery_exit_status"], 1);
    assert!(check["completion_time"].is_string(), "{check}");
    (id, check)
}

async fn step(platform: &Platform, source: i64) -> String {
    let source = platform
        .api
        .get(&format!("/v4/sources/{source}"))
        .await
        .status(200);
    text(&source["report_card"]["current_step_type"])
}

#[tokio::test]
async fn an_unreachable_source_stays_on_discovery_until_it_is_repaired() {
    let from = TestDatabase::create().await;
    let to = TestDatabase::create().await;
    let platform = Platform::start().await;
    platform.destination(&destination_body(&to)).await;
    let mut body = source_body(&from);
    body["properties"]["port"] = json!(closed_port().await.to_string());
    let (source, check) = failing_source(&platform, &body).await;
    assert!(
        text(&check["discovery_error_message"]).contains(REFUSED),
        "{check}"
    );
    assert_eq!(step(&platform, source).await, "discover_schema");
    assert!(platform.streams(source).await.is_empty());
    let refused = platform
        .api
        .post(&format!("/v4/sources/{source}/sync"), &Value::Null)
        .await
        .status(400);
    assert_eq!(refused["error"]["type"], "generic");

    let repaired = json!({ "properties": { "port": from.port.to_string() } });
    let path = format!("/v4/sources/{source}");
    let answer = platform.api.put(&path, &repaired).await.status(200);
    let check = platform.check(&path).await;
    assert_eq!(check["status"], "succeeded", "{check}");
    assert_eq!(check["name"], answer["check_job_name"]);
    assert_eq!(check["check_exit_status"], 0);
    assert_eq!(check["discovery_exit_status"], 0);
    assert_eq!(step(&platform, source).await, "field_selection");
}

#[tokio::test]
async fn a_wrong_password_is_told_with_the_users_name_and_never_repeated() {
    let from = TestDatabase::create().await;
    let platform = Platform::start().await;
    let port = refusing_server().await.to_string();
    let mut body = source_body(&from);
    body["properties"]["port"] = json!(port);
    body["properties"]["password"] = json!("hunter2-source");
    let (source, check) = failing_source(&platform, &body).await;
    let expected = format!(
        "FATAL: Password authentication failed for user [{}]",
        from.user
    );
    assert!(
        text(&check["discovery_error_message"]).contains(&expected),
        "{check}"
    );
    assert_eq!(step(&platform, source).await, "discover_schema");

    let mut body = destination_body(&from);
    body["properties"]["port"] = json!(port);
    body["properties"]["password"] = json!("hunter2-destination");
    let created = platform
        .api
        .post("/v4/destinations", &body)
        .await
        .status(200);
    let path = format!("/v4/destinations/{}", created["id"]);
    let check = platform.check(&path).await;
    assert_eq!(check["status"], "failed", "{check}");
    assert_eq!(check["discovery_exit_status"], json!(null));
    assert_eq!(check["check_exit_status"], 1);
    assert!(
        text(&check["discovery_error_message"]).contains(&expected),
        "{check}"
    );

    let sources = platform.api.get("/v4/sources").await.status(200);
    let printed = format!("{sources} {created} {check} {}", platform.server.log());
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[tokio::test]
async fn a_missing_destination_fails_the_target_and_keeps_the_bookmarks() {
    let pipeline = Pipeline::start(
        "create table orders (id integer primary key, rev integer); insert into orders values (1, 1), (2, 2);
         create table items (id integer primary key); insert into items values (1);",
    )
    .await;
    pipeline.select_incremental("orders", "rev").await;
    pipeline.select_full("items").await;
    pipeline.sync().await;

    // The database is put aside, so that repair gives it back as it was.
    let aside = format!("{}_aside", pipeline.to.name);
    let put_aside = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{0}';
         alter database {0} rename to {aside}",
        pipeline.to.name
    );
    for statement in put_aside.split(';') {
        rows(&pipeline.origin, statement).await;
    }
    pipeline
        .change("insert into orders values (3, 3); update orders set rev = 4 where id = 1; insert into items values (2)")
        .await;
    for _ in 0..2 {
        let failed = pipeline.try_sync().await;
        let statuses = failed.statuses();
        assert_eq!((statuses[0], statuses[2]), (Some(0), Some(1)), "{failed:?}");
        let description = failed.description("target");
        assert!(description.contains("destination"), "{description:?}");
        assert!(
            !description.contains(&pipeline.to.password),
            "{description:?}"
        );
    }
    let load = pipeline.platform.load("orders").await;
    assert_eq!(load["last_batch_loaded_at"], json!(null));
    assert_eq!(
        load["error_state"]["notification_data"]["action"],
        "get-connection"
    );

    let give_back = format!("alter database {aside} rename to {}", pipeline.to.name);
    execute(&pipeline.origin, &give_back).await;
    let ended = pipeline.sync().await;
    let log = pipeline.platform.log(ended.job_name()).await;
    let stream = format!("{}-public-orders", pipeline.from.name);
    assert!(
        log.contains(&format!("found current bookmark for {stream}:  2\n")),
        "{log}"
    );
    let replica = pipeline.to.connect().await;
    let orders = rows(&replica, "select id, rev from shop.orders order by id").await;
    assert_eq!(orders, ["1|4", "2|2", "3|3"]);
    assert_eq!(
        rows(&replica, "select id from shop.items order by id").await,
        ["1", "2"]
    );
    assert_eq!(
        pipeline.platform.load("orders").await["error_state"],
        json!(null)
    );
}

#[tokio::test]
async fn a_table_that_cannot_be_loaded_holds_up_no_other() {
    let pipeline = Pipeline::start(
        "create table a_orders (id integer primary key, rev integer); insert into a_orders values (1, 1);
         create table b_items (id integer primary key, rev integer); insert into b_items values (1, 1);",
    )
    .await;
    pipeline.select_incremental("a_orders", "rev").await;
    pipeline.select_incremental("b_items", "rev").await;
    pipeline.sync().await;
    // Nobody but the user can fill this column.
    let in_the_way =
        "alter table shop.a_orders add column owner text; update shop.a_orders set owner = 'me';
                      alter table shop.a_orders alter column owner set not null";
    execute(&pipeline.replica, in_the_way).await;
    pipeline
        .change("insert into a_orders values (2, 2); insert into b_items values (2, 2)")
        .await;
    let failed = pipeline.try_sync().await;
    assert_eq!(failed.statuses(), [Some(0), Some(0), Some(1)], "{failed:?}");
    let description = failed.description("target");
    assert!(
        description.contains("a_orders") && description.contains("destination"),
        "{description:?}"
    );
    assert_eq!(pipeline.count("select count(*) from shop.b_items").await, 2);
    assert_eq!(
        pipeline.count("select count(*) from shop.a_orders").await,
        1
    );

    let load = pipeline.platform.load("a_orders").await;
    assert_eq!(load["last_batch_loaded_at"], json!(null));
    let state = &load["error_state"];
    let data = &state["notification_data"];
    let keys: Vec<&String> = data.as_object().expect("an object").keys().collect();
    let documented = [
        "message",
        "exception_message",
        "warehouse_error_code",
        "error",
        "new_column",
        "status",
        "warehouse_sql_state",
        "action",
        "warehouse_message",
        "column",
    ];
    assert_eq!(keys, documented);
    assert_eq!(data["status"], "ERROR");
    assert_eq!(data["error"], "LOADER_WAREHOUSE_ERROR");
    assert_eq!(data["warehouse_sql_state"], "23502");
    for key in [
        "message",
        "exception_message",
        "action",
        "warehouse_message",
    ] {
        assert!(data[key].is_string(), "{key}: {data}");
    }
    let chain = &state["exception_chain"][0];
    assert!(
        chain["class"].is_string() && chain["message"].is_string(),
        "{state}"
    );
    assert_eq!(chain["chain_sequence_num"], 0);
    assert_eq!(chain["action"], data["action"]);
    let fine = pipeline.platform.load("b_items").await;
    assert_eq!(fine["error_state"], json!(null));
    assert!(fine["last_batch_loaded_at"].is_string(), "{fine}");

    execute(
        &pipeline.replica,
        "alter table shop.a_orders alter column owner drop not null",
    )
    .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select id, owner from shop.a_orders order by id")
            .await,
        ["1|∅", "2|∅"]
    );
    assert_eq!(
        pipeline.platform.load("a_orders").await["error_state"],
        json!(null)
    );
}

#[tokio::test]
async fn tables_without_privileges_are_not_offered_and_losing_them_holds_up_no_other() {
    let from = TestDatabase::create().await;
    let to = TestDatabase::create().await;
    let origin = from.connect().await;
    let reader = format!("limited_{}", from.name);
    let tables = format!(
        "create table open_items (id integer primary key); insert into open_items values (1), (2);
         create table orders (id integer primary key); insert into orders values (1);
         create table hidden (id integer primary key);
         create role {reader} login password 'unused';
         grant select on open_items, orders to {reader};"
    );
    execute(&origin, &tables).await;
    let platform = Platform::start().await;
    platform.destination(&destination_body(&to)).await;
    let mut body = source_body(&from);
    body["properties"]["user"] = json!(reader);
    let source = platform.source(&body).await;
    let names: Vec<String> = platform
        .streams(source)
        .await
        .iter()
        .map(|stream| text(&stream["stream_name"]))
        .collect();
    assert_eq!(names, ["open_items", "orders"]);
    let full = json!([{ "breadcrumb": [], "metadata": { "selected": true, "replication-method": "FULL_TABLE" } }]);
    platform
        .set_metadata(source, "open_items", full.clone())
        .await;
    platform.set_metadata(source, "orders", full).await;
    platform.sync(source).await.succeeded();

    execute(
        &origin,
        &format!("revoke select on orders from {reader}; insert into open_items values (3)"),
    )
    .await;
    platform.sync(source).await.succeeded();
    let replica = to.connect().await;
    assert_eq!(
        rows(&replica, "select count(*) from shop.open_items").await,
        ["3"]
    );
    assert_eq!(
        rows(&replica, "select count(*) from shop.orders").await,
        ["1"]
    );
    execute(
        &origin,
        &format!("drop owned by {reader}; drop role {reader}"),
    )
    .await;
}

/// A pipeline whose view `slow` is read by key, and a job on it that has handed rows on and stands before the gate.
async fn stalled() -> (Pipeline, Gate, String) {
    let pipeline = Pipeline::start(&slow_view()).await;
    let metadata = json!({
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id", "view-key-properties": ["id"],
    });
    pipeline.set("slow", metadata).await;
    let gate = Gate::close(&pipeline.from).await;
    let job_name = pipeline.platform.start_sync(pipeline.source).await;
    gate.reached().await;
    wait_until("rows on their way", PATIENCE, async || {
        let progress = pipeline.platform.progress(pipeline.source).await;
        if progress["row_count"].as_i64() > Some(0) {
            Ok(())
        } else {
            Err(progress)
        }
    })
    .await;
    (pipeline, gate, job_name)
}

/// Ends every session on a database but those of the test itself.
fn cut_connections(database: &TestDatabase, spared: &str) -> String {
    format!(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = '{}' and pid <> pg_backend_pid() and query not like '%{spared}%'",
        database.name
    )
}

#[tokio::test]
async fn a_connection_lost_while_reading_fails_the_tap_and_the_next_job_completes_the_table() {
    let (pipeline, gate, job_name) = stalled().await;
    rows(
        &pipeline.origin,
        &cut_connections(&pipeline.from, "pg_locks"),
    )
    .await;
    let failed = pipeline.platform.ended(&job_name).await;
    assert_eq!(failed.statuses(), [Some(0), Some(1), Some(0)], "{failed:?}");
    let description = failed.description("tap");
    assert!(
        description.contains("An I/O error occurred while sending to the backend."),
        "{description:?}"
    );
    assert!(description.contains("slow"), "{description:?}");
    gate.open().await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select count(*), count(distinct id) from shop.slow")
            .await,
        [format!("{SLOW_ROWS}|{SLOW_ROWS}")]
    );
}

#[tokio::test]
async fn a_connection_lost_while_loading_fails_the_target_and_the_next_job_completes_the_table() {
    let (pipeline, gate, job_name) = stalled().await;
    rows(
        &pipeline.replica,
        &cut_connections(&pipeline.to, "nobody is spared"),
    )
    .await;
    gate.open().await;
    let failed = pipeline.platform.ended(&job_name).await;
    assert_eq!(failed.statuses(), [Some(0), Some(0), Some(1)], "{failed:?}");
    let description = failed.description("target");
    assert!(
        description.contains("destination") && description.contains("slow"),
        "{description:?}"
    );
    let load = pipeline.platform.load("slow").await;
    assert_eq!(load["error_state"]["notification_data"]["status"], "ERROR");
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select count(*), count(distinct id) from shop.slow")
            .await,
        [format!("{SLOW_ROWS}|{SLOW_ROWS}")]
    );
}

/// A server whose disk is full, in its own words. They come from a trigger, since no test fills a disk.
const NO_ROOM: &str = r#"
    create function shop.no_room() returns trigger language plpgsql as $$ begin
      raise exception using errcode = '53100',
        message = 'could not extend file "base/16384/2619": No space left on device';
    end $$;
    create trigger no_room before insert on shop.orders execute function shop.no_room();"#;

#[tokio::test]
async fn a_full_disk_of_the_destination_is_told_and_the_next_job_catches_up() {
    let pipeline = Pipeline::start(
        "create table orders (id bigint primary key, note text);
         insert into orders select i, 'n' || i from generate_series(1, 10) i;",
    )
    .await;
    pipeline.select_incremental("orders", "id").await;
    pipeline.sync().await;
    execute(&pipeline.replica, NO_ROOM).await;
    pipeline
        .change(
            "insert into orders values (11, 'late'); update orders set note = 'new' where id = 10",
        )
        .await;

    let failed = pipeline.try_sync().await;
    assert_eq!(failed.statuses(), [Some(0), Some(0), Some(1)], "{failed:?}");
    let description = failed.description("target");
    assert!(
        description.contains("disk is full") && description.contains("No space left on device"),
        "{description:?}"
    );
    let load = pipeline.platform.load("orders").await;
    let error = &load["error_state"]["notification_data"];
    assert_eq!(error["warehouse_sql_state"], "53100", "{load}");
    assert_eq!(load["last_batch_loaded_at"], Value::Null);

    execute(&pipeline.replica, "drop trigger no_room on shop.orders").await;
    pipeline.sync().await;
    assert_eq!(
        pipeline
            .arrived("select count(*), max(note) filter (where id = 10) from shop.orders")
            .await,
        ["11|new"]
    );
    let load = pipeline.platform.load("orders").await;
    assert_eq!(load["error_state"], Value::Null);
}
