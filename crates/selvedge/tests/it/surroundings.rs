//! Databases as they are found: unusual settings, unusual names, other kinds on the other side.

use rusqlite::Connection;
use selvedge_testkit::postgres::TestDatabase;
use serde_json::json;

use crate::pipeline::{Pipeline, execute, rows};
use crate::platform::{Platform, destination_body, settings, source_body};

/// Everything that changes how a server prints, reads or finds things. `trap` holds look-alikes of what queries name.
const ODD_SETTINGS: &str = "
    create schema trap;
    create table trap.pg_class (oid integer, relname text);
    create function trap.format(text, text) returns text language sql as $$ select 'trapped' $$;
    create function trap.to_jsonb(anyelement) returns jsonb language sql as $$ select '{}'::jsonb $$;
    create domain trap.timestamptz as text;
    do $$
      declare
        setting text;
      begin
        foreach setting in array array[
          $s$timezone = 'America/St_Johns'$s$, $s$datestyle = 'German, DMY'$s$, $s$intervalstyle = 'sql_standard'$s$,
          $s$bytea_output = 'escape'$s$, $s$extra_float_digits = -5$s$, $s$lc_monetary = 'C'$s$,
          $s$standard_conforming_strings = off$s$, $s$search_path = trap, pg_catalog, public$s$,
          $s$default_transaction_isolation = 'repeatable read'$s$, $s$array_nulls = off$s$, $s$xmloption = 'document'$s$]
        loop
          execute pg_catalog.format('alter database %I set ', current_database()) || setting;
        end loop;
      end $$;";

const VALUES: &str = r#"
    create table "values" (id integer primary key, at timestamptz, day date, double double precision, span interval,
      clock timetz, body text);
    insert into "values" values
      (1, '2031-02-03 04:05:06.789+00', '2031-02-03', 0.1, '1 year 2 days 03:04:05.6', '04:05:06+02', E'back\\slash ''quote'''),
      (2, '2031-07-03 04:05:06.789012+00', '2031-12-31', 1e22, '-1 day', '23:59:59-03:30', E'\\x41 \\');"#;

#[tokio::test]
async fn settings_of_the_databases_change_nothing() {
    let plain = Pipeline::start(VALUES).await;
    plain.select_incremental("values", "at").await;
    plain.sync().await;
    let all = r#"select * from (select id, at, day, "double", span, clock, body from shop."values") v order by id"#;
    let expected = plain.arrived(all).await;
    assert_eq!(expected.len(), 2);

    let odd = Pipeline::start(VALUES).await;
    execute(&odd.origin, ODD_SETTINGS).await;
    execute(&odd.replica, ODD_SETTINGS).await;
    odd.select_incremental("values", "at").await;
    odd.sync().await;
    // The session of the test was there before the settings.
    assert_eq!(odd.arrived(all).await, expected);
    odd.change("update \"values\" set body = 'unseen' where id = 1; update \"values\" set body = 'boundary' where id = 2")
        .await;
    odd.sync().await;
    let bodies = r#"select body from shop."values" order by id"#;
    assert_eq!(
        odd.arrived(bodies).await,
        [r"back\slash 'quote'", "boundary"]
    );
    odd.select_full("values").await;
    odd.sync().await;
    assert_eq!(odd.arrived(bodies).await, ["unseen", "boundary"]);
}

#[tokio::test]
async fn unusual_names_arrive_by_the_naming_rules() {
    let pipeline = Pipeline::start(
        r#"create table "Order ""Items""; --" ("ID" integer primary key, "select" text, "Wert (€)" text, "1st" text,
             "per%cent" text, "Two  words" text, "a.b" text);
           insert into "Order ""Items""; --" values (1, 'a', 'b', 'c', 'd', 'e', 'f');
           create table "große_tabelle" (id integer primary key, "größe" integer);
           insert into "große_tabelle" values (1, 2);"#,
    )
    .await;
    pipeline
        .select_incremental("Order \"Items\"; --", "ID")
        .await;
    pipeline.select_full("große_tabelle").await;
    pipeline.sync().await;
    pipeline
        .change(r#"update "Order ""Items""; --" set "select" = 'again'"#)
        .await;
    pipeline.sync().await;
    assert_eq!(
        pipeline.columns("Order \"Items\"; --").await,
        [
            "ID integer",
            "select text",
            "Wert  text",
            "st text",
            "percent text",
            "Two  words text",
            "ab text",
        ]
    );
    assert_eq!(
        pipeline
            .arrived(r#"select "ID", "select", "Wert ", "st", percent, "Two  words", "ab" from shop."Order ""Items""; --""#)
            .await,
        ["1|again|b|c|d|e|f"]
    );
    assert_eq!(
        pipeline
            .arrived(r#"select id, "gre" from shop."große_tabelle""#)
            .await,
        ["1|2"]
    );
}

const NATIVE: &str = r#"
    create table things (id integer primary key, day date, at timestamptz, uid uuid, raw bytea, doc json, docb jsonb,
      numbers integer[], words text[], days date[]);
    insert into things values
      (1, '2031-02-03', '2031-02-03 04:05:06.789012+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '\x00ff10',
       '{"b": 1,  "a": [1.10, null]}', '{"b": 1, "a": [1.10, null]}', '{1,null,3}', '{"a b","c,d",null,"q\"q"}',
       '{2031-02-03}'),
      (2, '0001-01-01', '9999-12-31 23:59:59+00', null, '', 'null', '[]', '{}', '{{a,b},{c,d}}', null);"#;

#[tokio::test]
async fn with_native_fidelity_types_are_kept() {
    let (from, to) = (TestDatabase::create().await, TestDatabase::create().await);
    let origin = from.connect().await;
    execute(&origin, NATIVE).await;
    let platform = Platform::start().await;
    let mut body = destination_body(&to);
    body["properties"]["type_fidelity"] = json!("native");
    platform.destination(&body).await;
    let source = platform.source(&source_body(&from)).await;
    let full = json!([{ "breadcrumb": [], "metadata": { "selected": true, "replication-method": "FULL_TABLE" } }]);
    platform.set_metadata(source, "things", full).await;
    platform.sync(source).await.succeeded();
    platform.sync(source).await.succeeded();
    let replica = to.connect().await;
    // Both kinds of JSON arrive as jsonb, which has a text form of its own.
    let all = "select id, day, at, uid, raw, doc::jsonb, docb, numbers, words, days from";
    assert_eq!(
        rows(&replica, &format!("{all} shop.things order by id")).await,
        rows(&origin, &format!("{all} things order by id")).await
    );
    let types = |schema: &str| {
        format!(
            "select column_name, replace(udt_name, 'jsonb', 'json') from information_schema.columns
             where table_schema = '{schema}' and table_name = 'things' and column_name not like '\\_sdc\\_%'
             order by ordinal_position"
        )
    };
    assert_eq!(
        rows(&replica, &types("shop")).await,
        rows(&origin, &types("public")).await
    );
}

#[tokio::test]
async fn postgres_arrives_in_the_embedded_warehouse() {
    let from = TestDatabase::create().await;
    let origin = from.connect().await;
    execute(
        &origin,
        "create table orders (id bigint primary key, rev integer, total numeric(30,4), at timestamptz, paid boolean);
         insert into orders values (1, 1, 12345678901234567890.1000, '2031-02-03 04:05:06.789012+02', true),
           (2, 2, null, null, false);",
    )
    .await;
    let platform = Platform::start().await;
    platform
        .destination(&json!({ "type": "sqlite", "properties": {} }))
        .await;
    let source = platform.source(&source_body(&from)).await;
    let by_rev = json!([{ "breadcrumb": [], "metadata": {
        "selected": true, "replication-method": "INCREMENTAL", "replication-key": "rev",
    } }]);
    platform.set_metadata(source, "orders", by_rev).await;
    platform.sync(source).await.succeeded();
    execute(
        &origin,
        "update orders set rev = 3, total = 0.5 where id = 1; insert into orders values (3, 4)",
    )
    .await;
    platform.sync(source).await.succeeded();
    let warehouses = platform.server.data_dir().join("warehouses");
    let warehouse = std::fs::read_dir(warehouses)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "db"))
        .expect("a warehouse");
    let replica = Connection::open(warehouse).unwrap();
    let mut statement = replica
        .prepare("select id || '|' || rev || '|' || coalesce(total, '∅') || '|' || coalesce(at, '∅') from shop__orders order by id")
        .unwrap();
    let found: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(found[1], "2|2|∅|∅");
    assert_eq!(found[2], "3|4|∅|∅");
    assert!(found[0].starts_with("1|3|0.5000|2031-02-03"), "{found:?}");
    assert!(found[0].contains("02:05:06.789012"), "{found:?}");
}

#[tokio::test]
async fn sources_of_one_account_run_side_by_side_into_schemas_of_their_own() {
    let (first, second, to) = (
        TestDatabase::create().await,
        TestDatabase::create().await,
        TestDatabase::create().await,
    );
    let tables = "create table orders (id integer primary key, note text)";
    for (database, note) in [(&first, "first"), (&second, "second")] {
        let insert = format!(
            "{tables}; insert into orders select i, '{note}' from generate_series(1, 2000) i"
        );
        execute(&database.connect().await, &insert).await;
    }
    let platform = Platform::start_with(settings()).await;
    platform.destination(&destination_body(&to)).await;
    let mut sources = Vec::new();
    for (database, name) in [(&first, "First Shop"), (&second, "Second Shop")] {
        let mut body = source_body(database);
        body["display_name"] = json!(name);
        let source = platform.source(&body).await;
        let full = json!([{ "breadcrumb": [], "metadata": { "selected": true, "replication-method": "FULL_TABLE" } }]);
        platform.set_metadata(source, "orders", full).await;
        sources.push(source);
    }
    let jobs = [
        platform.start_sync(sources[0]).await,
        platform.start_sync(sources[1]).await,
    ];
    for job in &jobs {
        platform.ended(job).await.succeeded();
    }
    let replica = to.connect().await;
    let all = "select 'first', count(*), min(note), max(note) from first_shop.orders union all
               select 'second', count(*), min(note), max(note) from second_shop.orders order by 1";
    assert_eq!(
        rows(&replica, all).await,
        ["first|2000|first|first", "second|2000|second|second"]
    );
}

#[tokio::test]
async fn sqlite_arrives_in_postgres() {
    let to = TestDatabase::create().await;
    let files = tempfile::tempdir().unwrap();
    let shop = files.path().join("shop.db");
    let origin = Connection::open(&shop).unwrap();
    origin
        .execute_batch(
            "create table orders (id integer primary key, note text, total decimal(12,2), rate double, paid boolean,
               placed_at datetime);
             insert into orders values (1, 'a' || char(0) || 'b', 10.50, 0.1, 1, '2031-02-03 04:05:06'),
               (2, null, null, null, null, null), (3, 'ünï🧵', -0.01, 1e300, 0, '2031-02-03T04:05:06.789012Z');
             create table visits (page text); insert into visits values ('/a'), ('/a');",
        )
        .unwrap();
    let config = files.path().join("selvedge.toml");
    let allowed = format!(
        "[local_files]\nallowed_directories = [{:?}]\n",
        files.path()
    );
    std::fs::write(&config, allowed).unwrap();
    let settings = settings().environment("SELVEDGE_CONFIG", config.display().to_string());
    let platform = Platform::start_with(settings).await;
    platform.destination(&destination_body(&to)).await;
    let body = json!({
        "type": "platform.sqlite", "display_name": "Shop", "properties": { "path": shop },
    });
    let source = platform.source(&body).await;
    for (table, method) in [("orders", "INCREMENTAL"), ("visits", "FULL_TABLE")] {
        let metadata = json!([{ "breadcrumb": [], "metadata": {
            "selected": true, "replication-method": method, "replication-key": "id",
        } }]);
        platform.set_metadata(source, table, metadata).await;
    }
    platform.sync(source).await.succeeded();
    origin
        .execute_batch(
            "update orders set note = 'boundary' where id = 3; delete from visits where rowid = 1",
        )
        .unwrap();
    platform.sync(source).await.succeeded();
    let replica = to.connect().await;
    assert_eq!(
        rows(
            &replica,
            "select id, note, total, rate, paid, placed_at from shop.orders order by id"
        )
        .await,
        [
            "1|ab|10.50|0.1|t|2031-02-03 04:05:06",
            "2|∅|∅|∅|∅|∅",
            "3|boundary|-0.01|1e+300|f|2031-02-03 04:05:06.789012"
        ]
    );
    assert_eq!(
        rows(
            &replica,
            "select page, count(*) from shop.visits group by 1"
        )
        .await,
        ["/a|1"]
    );
}

#[tokio::test]
async fn texts_in_other_encodings_arrive_as_unicode_and_unreadable_ones_fail_their_table() {
    let to = TestDatabase::create().await;
    let admin = to.connect().await;
    let platform = Platform::start().await;
    platform.destination(&destination_body(&to)).await;
    for (encoding, text) in [
        ("LATIN1", "E'gr\\xfc\\xdfe'"),
        ("SQL_ASCII", "E'gr\\xfc\\xdfe'"),
    ] {
        let mut from = to.clone();
        from.name = format!("{}_{}", to.name, encoding.to_lowercase());
        let create = format!(
            "create database {} template template0 encoding '{encoding}' lc_collate 'C' lc_ctype 'C'",
            from.name
        );
        execute(&admin, &create).await;
        let origin = from.connect().await;
        execute(
            &origin,
            &format!(
                "set client_encoding = '{encoding}';
                 create table a_words (id integer primary key, word text); insert into a_words values (1, {text});
                 create table b_words (id integer primary key, word text); insert into b_words values (1, 'plain');"
            ),
        )
        .await;
        let mut body = source_body(&from);
        body["display_name"] = json!(encoding);
        let source = platform.source(&body).await;
        for table in ["a_words", "b_words"] {
            let metadata = json!([{ "breadcrumb": [], "metadata": {
                "selected": true, "replication-method": "FULL_TABLE",
            } }]);
            platform.set_metadata(source, table, metadata).await;
        }
        let ended = platform.sync(source).await;
        let schema = encoding.to_lowercase();
        let plain = format!("select word from {schema}.b_words");
        assert_eq!(rows(&admin, &plain).await, ["plain"]);
        if encoding == "LATIN1" {
            ended.succeeded();
            let words = format!("select word from {schema}.a_words");
            assert_eq!(rows(&admin, &words).await, ["grüße"]);
        } else {
            assert_eq!(ended.statuses(), [Some(0), Some(1), Some(0)], "{ended:?}");
            assert!(ended.description("tap").contains("a_words"), "{ended:?}");
        }
    }
}
