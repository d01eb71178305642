//! The whole way that a platform goes, over HTTP, from the account to the rows.

use rusqlite::Connection;
use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::wait::wait_until;
use serde_json::json;

use crate::gate::{Gate, SLOW_ROWS, slow_view};
use crate::pipeline::{Pipeline, execute, rows};
use crate::platform::{PATIENCE, Platform, destination_body, number, settings, source_body, text};

/// One row with everything, one with extremes, one with nothing.
const MEASURES: &str = r#"
    create type mood as enum ('sad', 'glad');
    create table measures (
      id bigint primary key, small smallint, whole integer, big bigint, exact numeric(20,6), wide numeric,
      single real, "Double" double precision, flag boolean, one_bit bit(1), label varchar(20), fixed char(5),
      body text, uid uuid, address inet, feeling mood, day date, at timestamp, at_zone timestamptz, clock time,
      span interval, price money, raw bytea);
    insert into measures values
      (1, 7, 70000, 7000000000, 1234.500000, 123456789012345678901234567890.123456789, 1.5, 0.1, true, B'1', 'label',
       'ab', E'line\nbreak | "quote" \\ ünï🧵', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1', 'glad',
       '2031-02-03', '2031-02-03 04:05:06.789012', '2031-02-03 04:05:06.789012+02', '04:05:06.5', '1 day 02:00', '12.34',
       '\x00ff'),
      (-9223372036854775808, -32768, -2147483648, 9223372036854775807, -99999999999999.999999, 0.0000000001,
       -3.4e38, 1e-300, false, B'0', '', '', '', '00000000-0000-0000-0000-000000000000', '::1/128', 'sad',
       '0001-01-01', '9999-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00', '00:00', '-3 mons', '-0.01', ''),
      (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
       null, null, null, null);"#;

#[tokio::test]
async fn postgres_arrives_in_postgres_with_types_log_and_loads() {
    let from = TestDatabase::create().await;
    let to = TestDatabase::create().await;
    let origin = from.connect().await;
    execute(&origin, MEASURES).await;
    execute(
        &origin,
        "create table visits (page text, seen_at timestamp);
         insert into visits select '/p' || i % 10, timestamp '2031-01-01' + i * interval '1 minute'
           from generate_series(1, 5000) i;
         create table untouched (id integer primary key);",
    )
    .await;

    let platform = Platform::start().await;
    let destination = platform.destination(&destination_body(&to)).await;
    let listed = platform.api.get("/v4/destinations").await.status(200);
    assert_eq!(listed[0]["id"], destination);
    assert_eq!(
        listed[0]["report_card"]["current_step_type"],
        "fully_configured"
    );
    assert!(!listed.to_string().contains(&to.password), "{listed}");

    let source = platform.source(&source_body(&from)).await;
    let path = format!("/v4/sources/{source}");
    let discovered = platform.api.get(&path).await.status(200);
    assert_eq!(discovered["name"], "shop");
    assert_eq!(discovered["destination_id"], destination);
    assert_eq!(
        discovered["report_card"]["current_step_type"],
        "field_selection"
    );

    let measures = platform.stream(source, "measures").await;
    let expected = format!("{}-public-measures", from.name);
    assert_eq!(measures["tap_stream_id"], expected.as_str());
    assert_eq!(measures["selected"], json!(null));
    assert_eq!(measures["metadata"]["table-key-properties"], json!(["id"]));
    assert_eq!(measures["metadata"]["is-view"], false);
    let schema = platform
        .api
        .get(&format!("{path}/streams/{}", measures["stream_id"]))
        .await
        .status(200);
    let entries = schema["metadata"].as_array().expect("an array");
    let field = |name: &str| {
        let breadcrumb = json!(["properties", name]);
        entries
            .iter()
            .find(|entry| entry["breadcrumb"] == breadcrumb)
            .expect("a field")["metadata"]
            .clone()
    };
    assert_eq!(field("id")["inclusion"], "automatic");
    assert_eq!(field("exact")["inclusion"], "available");
    assert_eq!(field("exact")["sql-datatype"], "numeric(20,6)");
    assert_eq!(field("raw")["inclusion"], "unsupported");

    let full = json!({ "selected": true, "replication-method": "FULL_TABLE" });
    let whole = |metadata| json!([{ "breadcrumb": [], "metadata": metadata }]);
    platform.set_metadata(source, "measures", whole(full)).await;
    let by_time = json!({
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "seen_at",
    });
    platform
        .set_metadata(source, "visits", whole(by_time))
        .await;
    let ready = platform.api.get(&path).await.status(200);
    assert_eq!(
        ready["report_card"]["current_step_type"],
        "fully_configured"
    );

    let ended = platform.sync(source).await.succeeded();
    let record = &ended.0;
    assert_eq!(record["source_id"], source);
    assert_eq!(record["stitch_client_id"], platform.account);
    assert_eq!(record["source_type"], "tap-hp-postgres");
    assert!(text(&record["start_time"]) <= text(&record["completion_time"]));
    for phase in ["discovery", "tap", "target"] {
        assert_eq!(record[format!("{phase}_description")], json!(null));
    }
    assert_eq!(platform.progress(source).await, json!(null));

    let log = platform.log(ended.job_name()).await;
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        assert!(is_log_line(line), "{line:?}");
    }
    assert!(log.contains("METRIC") && log.contains("measures"), "{log}");
    assert!(
        !log.contains(&from.password) && !log.contains("quote"),
        "{log}"
    );

    for table in ["measures", "visits"] {
        let load = platform.load(table).await;
        assert_eq!(load["stitch_client_id"], platform.account);
        assert_eq!(load["source_name"], "shop");
        assert_eq!(load["error_state"], json!(null));
        assert!(load["last_batch_loaded_at"].is_string(), "{load}");
    }

    let replica = to.connect().await;
    let types = "select column_name || ' ' || data_type from information_schema.columns
        where table_schema = 'shop' and table_name = 'measures' order by ordinal_position";
    assert_eq!(
        rows(&replica, types).await,
        [
            "id bigint",
            "small integer",
            "whole integer",
            "big bigint",
            "exact numeric",
            "wide numeric",
            "single double precision",
            "Double double precision",
            "flag boolean",
            "one_bit boolean",
            "label text",
            "fixed text",
            "body text",
            "uid text",
            "address text",
            "feeling text",
            "day timestamp without time zone",
            "at timestamp without time zone",
            "at_zone timestamp without time zone",
            "clock text",
            "span text",
            "price text",
            "_sdc_extracted_at timestamp without time zone",
            "_sdc_received_at timestamp without time zone",
            "_sdc_batched_at timestamp without time zone",
            "_sdc_sequence bigint",
            "_sdc_table_version bigint",
        ]
    );
    // Both sides print their values; where the type differs by design the source is converted.
    let expected = r#"select id, small, whole, big, exact, wide, single::double precision, "Double", flag, one_bit = B'1',
        label, fixed, body, uid, address, feeling, day::timestamp, at, at_zone at time zone 'UTC', clock, span, price
        from measures order by id"#;
    let found = r#"select id, small, whole, big, exact, wide, single, "Double", flag, one_bit, label, fixed, body, uid,
        address, feeling, day, at, at_zone, clock, span, price from shop.measures order by id"#;
    assert_eq!(rows(&replica, found).await, rows(&origin, expected).await);
    let visits = "select page, seen_at from shop.visits order by seen_at";
    let expected = "select page, seen_at from visits order by seen_at";
    assert_eq!(rows(&replica, visits).await, rows(&origin, expected).await);
    let untouched = "select to_regclass('shop.untouched')";
    assert_eq!(rows(&replica, untouched).await, ["∅"]);
}

#[tokio::test]
async fn sqlite_arrives_in_the_embedded_warehouse() {
    let files = tempfile::tempdir().unwrap();
    let shop = files.path().join("shop.db");
    let origin = Connection::open(&shop).unwrap();
    origin
        .execute_batch(
            "create table orders (id integer primary key, note text, total decimal(12,2), paid boolean,
               placed_at datetime);
             insert into orders values (1, 'one', 10.50, 1, '2031-02-03 04:05:06'), (2, null, null, 0, null);
             create table visits (page text);
             insert into visits values ('/a'), ('/a'), ('/b');",
        )
        .unwrap();
    let config = files.path().join("selvedge.toml");
    let allowed = format!(
        "[local_files]\nallowed_directories = [{:?}]\n",
        files.path()
    );
    std::fs::write(&config, allowed).unwrap();

    let platform = Platform::start_with(
        settings().environment("SELVEDGE_CONFIG", config.display().to_string()),
    )
    .await;
    platform
        .destination(&json!({ "type": "sqlite", "properties": {} }))
        .await;
    let body = json!({
        "type": "platform.sqlite", "display_name": "Shop", "properties": { "path": shop },
    });
    let source = platform.source(&body).await;
    assert_eq!(
        platform.stream(source, "orders").await["tap_stream_id"],
        "shop-main-orders"
    );
    let by_id = json!([{ "breadcrumb": [], "metadata": {
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id",
    } }]);
    platform.set_metadata(source, "orders", by_id).await;
    let full = json!([{ "breadcrumb": [], "metadata": {
        "selected": true, "replication-method": "FULL_TABLE",
    } }]);
    platform.set_metadata(source, "visits", full).await;
    let first = platform.sync(source).await.succeeded();
    assert_eq!(first.0["source_type"], "tap-sqlite");

    origin
        .execute_batch(
            "insert into orders values (3, 'three', 3.00, 1, '2031-02-04 00:00:00');
             update orders set note = 'two' where id = 2;
             delete from visits where page = '/b';",
        )
        .unwrap();
    platform.sync(source).await.succeeded();

    let warehouses = platform.server.data_dir().join("warehouses");
    let files: Vec<_> = std::fs::read_dir(warehouses)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "db"))
        .collect();
    let [warehouse] = files.as_slice() else {
        panic!("one account has one warehouse: {files:?}");
    };
    let replica = Connection::open(warehouse).unwrap();
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = replica.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    assert_eq!(
        texts(
            "select id || '|' || coalesce(note, '∅') || '|' || coalesce(total, '∅') || '|' || paid from shop__orders order by id"
        ),
        ["1|one|10.50|1", "2|two|∅|0", "3|three|3.00|1"]
    );
    assert_eq!(texts("select page from shop__visits"), ["/a", "/a"]);
}

#[tokio::test]
async fn a_running_job_tells_how_far_it_is() {
    let pipeline = Pipeline::start(&slow_view()).await;
    let (platform, source) = (&pipeline.platform, pipeline.source);
    let metadata = json!({
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "id", "view-key-properties": ["id"],
    });
    pipeline.set("slow", metadata).await;
    let gate = Gate::close(&pipeline.from).await;
    let job_name = platform.start_sync(source).await;
    gate.reached().await;
    let progress = wait_until("rows in the progress", PATIENCE, async || {
        let progress = platform.progress(source).await;
        if progress["row_count"].as_i64() > Some(0) {
            Ok(progress)
        } else {
            Err(progress)
        }
    })
    .await;
    assert_eq!(progress["job_name"], job_name.as_str());
    assert!(number(&progress["row_count"]) < SLOW_ROWS, "{progress}");
    let log = platform.log(&job_name).await;
    assert!(
        log.contains("slow"),
        "a running job's log shows what is logged so far: {log}"
    );
    gate.open().await;
    platform.ended(&job_name).await.succeeded();
    assert_eq!(
        pipeline.count("select count(*) from shop.slow").await,
        SLOW_ROWS
    );
}

#[tokio::test]
async fn a_source_that_becomes_ready_is_run_by_its_schedule() {
    let pipeline = Pipeline::start(
        "create table orders (id integer primary key); insert into orders values (1)",
    )
    .await;
    pipeline.select_full("orders").await;
    let path = format!("/v4/sources/{}", pipeline.source);
    let unpaused = pipeline
        .platform
        .api
        .put(&path, &json!({ "paused_at": null }))
        .await
        .status(200);
    assert!(unpaused["schedule"].is_object(), "{unpaused}");
    let extractions = format!("/v4/{}/extractions", pipeline.platform.account);
    wait_until("the first scheduled job", PATIENCE, async || {
        let page = pipeline.platform.api.get(&extractions).await.status(200);
        if page["total"] == 1 {
            Ok(())
        } else {
            Err(page)
        }
    })
    .await;
    assert_eq!(pipeline.count("select count(*) from shop.orders").await, 1);
}

/// The documented form of a log line: `2017-11-17 16:44:41,159Z    tap - INFO text`.
fn is_log_line(line: &str) -> bool {
    let shape: String = line
        .chars()
        .take(24)
        .map(|character| {
            if character.is_ascii_digit() {
                '0'
            } else {
                character
            }
        })
        .collect();
    let Some(rest) = line.get(24..) else {
        return false;
    };
    let component = ["   main - ", "    tap - ", " target - "]
        .into_iter()
        .find_map(|prefix| rest.strip_prefix(prefix));
    let level = component.and_then(|rest| rest.split(' ').next());
    shape == "0000-00-00 00:00:00,000Z"
        && level
            .is_some_and(|level| ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"].contains(&level))
}
