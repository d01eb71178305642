//! What is listed, and what is said about it.

use selvedge_connector::{ErrorKind, Source};
use selvedge_types::stream::{Inclusion, ReplicationMethod};
use serde_json::json;

use crate::support::{Fixture, Stitch, discover, find};

#[tokio::test]
async fn relations_of_all_schemas_are_listed_but_not_partitions_or_the_systems_own() {
    let fixture = Fixture::new(
        "create schema sales;
         create table sales.orders (id int primary key);
         create table public.orders (id int primary key);
         create table p (id int) partition by range (id);
         create table p_1 partition of p for values from (0) to (10) partition by range (id);
         create table p_1_1 partition of p_1 for values from (0) to (5);
         create view v as select 1 as one; create materialized view m as select 1 as one;
         create temporary table hidden (id int);
         create sequence s; create index on orders (id)",
    )
    .await;
    let catalog = fixture.discover(Stitch).await;
    let name = &fixture.database.name;
    let found: Vec<_> = catalog
        .streams
        .iter()
        .map(|stream| (stream.tap_stream_id.clone(), stream.is_view))
        .collect();
    assert_eq!(
        found,
        [
            (format!("{name}-public-m"), true),
            (format!("{name}-public-orders"), false),
            (format!("{name}-public-p"), false),
            (format!("{name}-public-v"), true),
            (format!("{name}-sales-orders"), false),
        ]
    );
    let orders = find(catalog, "sales", "orders");
    assert_eq!(
        (
            orders.stream_name.as_str(),
            orders.location.database.as_str()
        ),
        ("orders", name.as_str())
    );
    assert_eq!(
        orders.methods,
        [ReplicationMethod::FullTable, ReplicationMethod::Incremental]
    );
}

#[tokio::test]
async fn keys_are_in_key_order_and_automatic() {
    let fixture = Fixture::new(
        "create table t (a int, gone int, b text, c date not null, d bytea, primary key (c, a));
         alter table t drop column gone;
         create table bad (a bytea primary key, b int);
         create table included (a int, b int, primary key (a) include (b))",
    )
    .await;
    let stream = fixture.stream("t", Stitch).await;
    assert_eq!(stream.key_properties, ["c", "a"]);
    assert_eq!(stream.replication_keys, ["a", "c"]);
    let fields: Vec<_> = stream
        .fields
        .iter()
        .map(|field| {
            (
                field.name.as_str(),
                field.inclusion,
                field.selected_by_default,
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            ("a", Inclusion::Automatic, true),
            ("b", Inclusion::Available, true),
            ("c", Inclusion::Automatic, true),
            ("d", Inclusion::Unsupported, false),
        ]
    );
    assert!(
        fixture
            .stream("bad", Stitch)
            .await
            .key_properties
            .is_empty()
    );
    assert_eq!(
        fixture.stream("included", Stitch).await.key_properties,
        ["a"]
    );
}

#[tokio::test]
async fn fields_say_their_type_in_the_servers_words_and_in_json_schema() {
    let fixture = Fixture::new("create domain d as int; create table t (a numeric(12,2), b varchar(20), c timestamptz, d d, e jsonb, f text[])").await;
    let stream = fixture.stream("t", Stitch).await;
    let found: Vec<_> = stream
        .fields
        .iter()
        .map(|field| (field.sql_datatype.as_str(), field.json_schema.clone()))
        .collect();
    assert_eq!(
        found,
        [
            (
                "numeric(12,2)",
                json!({"type": ["null", "number"], "exclusiveMaximum": true, "maximum": 10_000_000_000_u64,
                                     "multipleOf": 0.01, "exclusiveMinimum": true, "minimum": -10_000_000_000_i64})
            ),
            (
                "character varying(20)",
                json!({"type": ["null", "string"], "maxLength": 20})
            ),
            (
                "timestamp with time zone",
                json!({"type": ["null", "string"], "format": "date-time"})
            ),
            (
                "d",
                json!({"type": ["null", "integer"], "minimum": -2_147_483_648_i64, "maximum": 2_147_483_647})
            ),
            (
                "jsonb",
                json!({"type": ["null", "object", "array", "string", "number", "boolean"]})
            ),
            (
                "text[]",
                json!({"type": ["null", "array"], "items": {"type": ["null", "string"]}})
            ),
        ]
    );
}

#[tokio::test]
async fn row_counts_are_the_planners_and_sum_over_partitions() {
    let fixture = Fixture::new(
        "create table t as select n as id from generate_series(1, 100) n;
         create table p (id int) partition by range (id);
         create table p_1 partition of p for values from (0) to (50);
         create table p_2 partition of p for values from (50) to (1000) partition by range (id);
         create table p_2_1 partition of p_2 for values from (50) to (1000);
         insert into p select n from generate_series(1, 100) n;
         create view v as select * from t;
         analyze",
    )
    .await;
    let count = async |table| fixture.stream(table, Stitch).await.row_count;
    assert_eq!(count("t").await, Some(100));
    assert_eq!(count("p").await, Some(100));
    assert_eq!(count("v").await, None);
}

#[tokio::test]
async fn only_what_the_user_may_read_is_listed() {
    let fixture = Fixture::new(
        "create schema closed; create table closed.t (id int);
         create table secret (id int); create table open (id int);
         create table partly (id int primary key, pin int); create table blind (id int primary key, other int)",
    )
    .await;
    let (role, name) = (
        format!("r_{}", fixture.database.name),
        &fixture.database.name,
    );
    fixture
        .client
        .batch_execute(&format!(
            "create role {role} login password 'pw'; grant connect on database {name} to {role};
             grant select on closed.t, open to {role}; grant select (id) on partly to {role}; grant select (other) on blind to {role}"
        ))
        .await
        .unwrap();
    let source = fixture.source_with(json!({"user": role, "password": "pw"}));
    let catalog = discover(&source, Stitch).await.unwrap();
    let names: Vec<_> = catalog
        .streams
        .iter()
        .map(|stream| stream.stream_name.as_str())
        .collect();
    assert_eq!(names, ["blind", "open", "partly"]);
    let fields = |index: usize| {
        catalog.streams[index]
            .fields
            .iter()
            .map(|field| field.name.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(0), ["other"]);
    assert_eq!(fields(2), ["id"]);
    // A key of which a column may not be read is no key.
    assert!(catalog.streams[0].key_properties.is_empty());
    assert_eq!(catalog.streams[2].key_properties, ["id"]);
    let wanted = crate::support::request(
        &catalog.streams[2],
        selvedge_connector::ReadMethod::FullTable,
    );
    let events = crate::support::read(&source, crate::support::context(Stitch), wanted)
        .await
        .unwrap();
    assert_eq!(events.row_count(), 0);
    drop_role(&fixture, &role).await;
}

#[tokio::test]
async fn more_tables_than_the_limit_is_an_error() {
    let fixture = Fixture::new(
        "do $$ begin for n in 1..4 loop
           execute format('create schema s%s', n);
         end loop; end $$",
    )
    .await;
    // One statement per schema keeps the locks of each transaction below the server's limit.
    for schema in 1..=4 {
        for part in 0..5 {
            let views = if schema == 4 && part == 4 { 501 } else { 500 };
            fixture
                .client
                .batch_execute(&format!(
                    "do $$ begin for n in 1..{views} loop execute format('create view s{schema}.v%s_{part} as select 1 as one', n); end loop; end $$"
                ))
                .await
                .unwrap();
        }
    }
    let error = discover(&fixture.source(), Stitch).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Configuration);
    assert_eq!(
        error.message,
        "Stitch has discovered more than the maximum supported limit of 10,000 tables in your integration."
    );
    fixture
        .client
        .batch_execute("drop view s4.v501_4")
        .await
        .unwrap();
    assert_eq!(fixture.discover(Stitch).await.streams.len(), 10_000);
}

#[tokio::test]
async fn capabilities_name_what_there_is() {
    let fixture = Fixture::new("select 1").await;
    let capabilities = fixture.source().capabilities();
    assert!(capabilities.full_table && capabilities.incremental && capabilities.views);
    assert!(!capabilities.log_based);
}

pub(crate) async fn drop_role(fixture: &Fixture, role: &str) {
    fixture
        .client
        .batch_execute(&format!("drop owned by {role}; drop role {role}"))
        .await
        .unwrap();
}
