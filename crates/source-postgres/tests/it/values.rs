//! What becomes of values, type by type. Most texts are compared with what the server itself prints.

use arrow_array::cast::AsArray;
use selvedge_connector::{LogicalType, ReadMethod};

use crate::support::{Fixture, Native, Stitch, context, read, request};

#[tokio::test]
async fn booleans_integers_and_floats_arrive_as_they_are() {
    let fixture = Fixture::new(
        "create table t (b boolean, bit1 bit(1), s smallint, i integer, l bigint, f real, d double precision);
         insert into t values
           (true, '1', -32768, -2147483648, -9223372036854775808, 1.5, 0.1),
           (false, '0', 32767, 2147483647, 9223372036854775807, -3.4028235e38, 1.7976931348623157e308),
           (null, null, null, null, null, null, null)",
    )
    .await;
    let events = fixture.read("t", Stitch).await;
    assert_eq!(
        events.rows(),
        [
            [
                "true",
                "true",
                "-32768",
                "-2147483648",
                "-9223372036854775808",
                "1.5",
                "0.1"
            ],
            [
                "false",
                "false",
                "32767",
                "2147483647",
                "9223372036854775807",
                "-3.4028235e38",
                "1.7976931348623157e308"
            ],
            ["∅", "∅", "∅", "∅", "∅", "∅", "∅"],
        ]
    );
    assert!(events.warnings.is_empty());
}

#[tokio::test]
async fn values_that_are_not_finite_become_null_and_are_counted_once_per_column() {
    let fixture = Fixture::new(
        "create table t (r real, d double precision, n numeric(10,2), u numeric, fine integer);
         insert into t values ('NaN', 'Infinity', 'NaN', 'Infinity', 1), ('-Infinity', 'NaN', 1.5, '-Infinity', 2),
                              (1, '-0', 2, 'NaN', 3)",
    )
    .await;
    let events = fixture.read("t", Stitch).await;
    assert_eq!(
        events.rows(),
        [
            ["∅", "∅", "∅", "∅", "1"],
            ["∅", "∅", "1.50", "∅", "2"],
            ["1.0", "-0.0", "2.00", "∅", "3"],
        ]
    );
    assert_eq!(
        events.warnings,
        [
            "table public.t, column r: NaN and infinite values were read as NULL (2)",
            "table public.t, column d: NaN and infinite values were read as NULL (2)",
            "table public.t, column n: NaN and infinite values were read as NULL (1)",
            "table public.t, column u: NaN and infinite values were read as NULL (3)",
        ]
    );
}

#[tokio::test]
async fn numerics_are_exact_at_any_size() {
    let fixture = Fixture::new(
        "create table t (id int primary key, narrow numeric(4,2), money numeric(38,10), wide numeric(76,30),
                         huge numeric(200,50), free numeric);
         insert into t values
           (1, 99.99, 1234567890123456789012345678.0123456789, 1234567890123456789012345678901234567890123456.123456789012345678901234567891,
            repeat('9', 150)::numeric, repeat('12345', 40)::numeric),
           (2, -0.01, -0.0000000001, -0.000000000000000000000000000001, -0.1, ('0.' || repeat('0', 199) || '1')::numeric),
           (3, 0, 0, 0, 0, 0.00), (4, null, null, null, null, null),
           (5, 10, 10000, 100000000, 1e100, 1e130000), (6, 1, 1, 1, 1, -1000000000000000000.5000)",
    )
    .await;
    let stream = fixture.stream("t", Stitch).await;
    let types: Vec<_> = stream
        .fields
        .iter()
        .map(|field| field.logical_type.clone().unwrap())
        .collect();
    assert_eq!(
        types[1],
        LogicalType::Decimal {
            precision: 4,
            scale: 2
        }
    );
    assert_eq!(
        types[3],
        LogicalType::Decimal {
            precision: 76,
            scale: 30
        }
    );
    assert_eq!(types[4], LogicalType::DecimalText);
    assert_eq!(types[5], LogicalType::DecimalText);
    let mut found = fixture.read("t", Stitch).await.rows();
    found.sort();
    assert_eq!(
        found,
        expected(
            &fixture,
            "select id, narrow, money, wide, huge, free from t order by id"
        )
        .await
    );
}

#[tokio::test]
async fn random_numerics_agree_with_the_server() {
    let fixture = Fixture::new(
        "select setseed(0.42);
         create table t as
           select n as id, ((random() - 0.5) * 10 ^ (n % 9))::numeric(20, 6) as a,
                  (('-' || (random() * 1e15)::bigint || '.' || (random() * 1e15)::bigint)::numeric) as b,
                  ((random() * 1e15)::bigint || repeat((n % 10)::text, n % 30) || '.' || repeat('0', n % 25) || n)::numeric(76,30) as c
             from generate_series(1000, 3000) n",
    )
    .await;
    let found = fixture.read("t", Stitch).await.rows();
    assert_eq!(found.len(), 2001);
    assert_eq!(
        found,
        expected(&fixture, "select id, a, b, c from t order by id").await
    );
}

#[tokio::test]
async fn dates_and_timestamps_keep_microseconds_and_outside_the_calendar_become_null() {
    let fixture = Fixture::new(
        "create table t (d date, ts timestamp, tz timestamptz);
         insert into t values
           ('0001-01-01', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00'),
           ('9999-12-31', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00'),
           ('1999-12-31', '1969-12-31 23:59:59.999999', '2031-02-03 04:05:06.789012+05:30'),
           ('0001-12-31 BC', '0001-12-31 23:59:59.999999 BC', '0044-03-15 12:00:00+00 BC'),
           ('10000-01-01', '10000-01-01', '294276-12-31 23:59:59.999999+00'),
           ('infinity', 'infinity', '-infinity')",
    )
    .await;
    let stitch = fixture.read("t", Stitch).await;
    assert_eq!(
        stitch.rows()[..3],
        [
            [
                "0001-01-01T00:00:00",
                "0001-01-01T00:00:00",
                "0001-01-01T00:00:00"
            ],
            [
                "9999-12-31T00:00:00",
                "9999-12-31T23:59:59.999999",
                "9999-12-31T23:59:59.999999"
            ],
            [
                "1999-12-31T00:00:00",
                "1969-12-31T23:59:59.999999",
                "2031-02-02T22:35:06.789012"
            ],
        ]
    );
    assert!(
        stitch.rows()[3..]
            .iter()
            .flatten()
            .all(|value| value == "∅")
    );
    assert_eq!(stitch.warnings.len(), 3);
    assert!(stitch.warnings[0].contains(
        "column d: infinite values and years outside 0001 to 9999 were read as NULL (3)"
    ));
    let native = fixture.read("t", Native).await;
    assert_eq!(
        native.rows()[2],
        [
            "1999-12-31",
            "1969-12-31T23:59:59.999999",
            "2031-02-02T22:35:06.789012Z"
        ]
    );
    assert_eq!(native.rows()[0][0], "0001-01-01");
    assert_eq!(native.warnings.len(), 3);
}

#[tokio::test]
async fn the_session_time_zone_of_the_role_does_not_matter() {
    let fixture = Fixture::new("create table t (tz timestamptz, tt timetz); insert into t values ('2031-02-03 04:05:06+02', '10:00:00+02')").await;
    let name = &fixture.database.name;
    fixture
        .client
        .batch_execute(&format!(
            "alter database {name} set timezone = 'Asia/Tokyo'; alter database {name} set datestyle = 'German';
             alter database {name} set statement_timeout = '1ms'; alter database {name} set intervalstyle = 'iso_8601'"
        ))
        .await
        .unwrap();
    assert_eq!(
        fixture.read("t", Stitch).await.rows(),
        [["2031-02-03T02:05:06", "10:00:00+02"]]
    );
}

#[tokio::test]
async fn text_kinds_are_text() {
    let fixture = Fixture::new(
        "create extension citext;
         create type mood as enum ('sad', 'o''k \"quoted\"', 'happy');
         create domain short as varchar(5) check (value <> 'bad');
         create domain shorter as short;
         create domain price as numeric(6,2);
         create table t (a text, b varchar(10), c char(4), d name, e citext, f mood, g shorter, h price, i uuid,
                         j inet, k cidr, l macaddr, m money, n time, o timetz, p interval, q \"char\");
         insert into t values
           (E'tab\\t and \\\\ and “quotes” 🧵', 'vär', 'ab', 'name', 'CaSe', 'o''k \"quoted\"', 'dom', 12.5,
            'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '192.168.0.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', 1234.5,
            '04:05:06.789', '04:05:06+02:30', '1 year 2 months -3 days 04:05:06.7', 'x'),
           ('', '', '', '', '', 'sad', '', 0, '00000000-0000-0000-0000-000000000000', '::1', '::/0', '00:00:00:00:00:00', 0,
            '24:00:00', '00:00:00+00', '0', '')",
    )
    .await;
    let found = fixture.read("t", Stitch).await.rows();
    let sql = "select a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q from t";
    assert_eq!(found[0][9], "192.168.0.1/24");
    assert_eq!(found[0][2], "ab  ");
    assert_eq!(found, expected(&fixture, sql).await);
}

#[tokio::test]
async fn unsupported_types_are_left_out_with_the_documented_mapping() {
    let fixture = Fixture::new(
        "create type pair as (x int, y int);
         create table t (id int primary key, a bytea, b json, c jsonb, d int[], e bit(2), f varbit, g point, h int4range, i xml,
                         j tsvector, k pair, l oid, m pg_lsn, n text[], o int2vector, p regclass, q pair[])",
    )
    .await;
    let stream = fixture.stream("t", Stitch).await;
    let supported = |stream: &selvedge_connector::DiscoveredStream| -> Vec<String> {
        stream
            .fields
            .iter()
            .filter(|field| field.logical_type.is_some())
            .map(|field| field.name.clone())
            .collect()
    };
    assert_eq!(supported(&stream), ["id", "b", "c", "d", "n"]);
    let native = fixture.stream("t", Native).await;
    assert_eq!(supported(&native), ["id", "a", "b", "c", "d", "n"]);
}

#[tokio::test]
async fn json_and_arrays_come_as_json_text() {
    let fixture = Fixture::new(
        "create type mood as enum ('sad', 'very happy');
         create table t (a json, b jsonb, c int[], d mood[], e numeric(6,2)[], f timestamptz[], g jsonb[], h float8[]);
         insert into t values
           ('{\"b\" : 1,  \"a\": [1.10, null]}', '{\"b\":1}', '{{1,NULL},{3,4}}', '{sad,\"very happy\"}', '{1.50,NULL}',
            '{2031-02-03 04:05:06+02}', array['{\"x\":[]}'::jsonb], '{1.5,NaN}'),
           (null, null, null, null, null, null, null, null)",
    )
    .await;
    let stream = fixture.stream("t", Stitch).await;
    let list = |item| LogicalType::JsonArray {
        item: Box::new(item),
    };
    let decimal = LogicalType::Decimal {
        precision: 6,
        scale: 2,
    };
    let types: Vec<_> = stream
        .fields
        .iter()
        .filter_map(|field| field.logical_type.clone())
        .collect();
    assert_eq!(
        types,
        [
            LogicalType::Json,
            LogicalType::Json,
            list(LogicalType::Int32),
            list(LogicalType::Text),
            list(decimal),
            list(LogicalType::Timestamp),
            list(LogicalType::Json),
            list(LogicalType::Float64),
        ]
    );
    let rows = fixture.read("t", Stitch).await.rows();
    assert_eq!(
        rows[0],
        [
            "{\"b\" : 1,  \"a\": [1.10, null]}",
            "{\"b\": 1}",
            "[[1,null],[3,4]]",
            "[\"sad\",\"very happy\"]",
            "[1.50,null]",
            "[\"2031-02-03T02:05:06+00:00\"]",
            "[{\"x\": []}]",
            "[1.5,\"NaN\"]",
        ]
    );
}

#[tokio::test]
async fn native_fidelity_keeps_bytes_json_uuids_and_arrays() {
    let fixture = Fixture::new(
        "create type mood as enum ('sad', 'very happy');
         create domain tags as text[];
         create table t (a bytea, b json, c jsonb, d uuid, e int[], f mood[], g numeric(6,2)[], h timestamptz[], i tags, j bytea[]);
         insert into t values
           ('\\x00ff10', '{\"b\" : 1,  \"a\": [1.10, null]}', '{\"b\":1,\"a\":[1.10,null]}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
            '{{1,NULL},{3,4}}', '{sad,\"very happy\"}', '{1.5,NULL}', '{2031-02-03 04:05:06+02}', '{a,\"b,c\"}', array['\\x00ff'::bytea]),
           (null, null, null, null, null, null, null, null, null, null),
           ('', 'null', '\"\"', '00000000-0000-0000-0000-000000000000', '{}', '{}', '{}', '{}', '[2:3]={x,y}', '{}')",
    )
    .await;
    let stream = fixture.stream("t", Native).await;
    let types: Vec<_> = stream
        .fields
        .iter()
        .map(|field| field.logical_type.clone().unwrap())
        .collect();
    assert_eq!(
        types[..4],
        [
            LogicalType::Bytes,
            LogicalType::Json,
            LogicalType::Json,
            LogicalType::Uuid
        ]
    );
    assert_eq!(
        types[6],
        LogicalType::Array {
            item: Box::new(LogicalType::Decimal {
                precision: 6,
                scale: 2
            })
        }
    );
    assert_eq!(
        types[8],
        LogicalType::Array {
            item: Box::new(LogicalType::Text)
        }
    );
    let events = fixture.read("t", Native).await;
    assert_eq!(
        events.rows(),
        [
            [
                "00ff10",
                "{\"b\" : 1,  \"a\": [1.10, null]}",
                "{\"a\": [1.10, null], \"b\": 1}",
                "a0eebc999c0b4ef8bb6d6bb9bd380a11",
                "{{1,NULL},{3,4}}",
                "{sad,\"very happy\"}",
                "{1.50,NULL}",
                "{\"2031-02-03 02:05:06+00\"}",
                "{a,\"b,c\"}",
                "{\"\\\\x00ff\"}"
            ],
            ["∅", "∅", "∅", "∅", "∅", "∅", "∅", "∅", "∅", "∅"],
            [
                "",
                "null",
                "\"\"",
                "00000000000000000000000000000000",
                "{}",
                "{}",
                "{}",
                "{}",
                "[2:3]={x,y}",
                "{}"
            ],
        ]
    );
}

#[tokio::test]
async fn a_value_of_five_megabytes_arrives_whole() {
    let fixture = Fixture::new("create table t as select n as id, repeat(chr(96 + n), 5 * 1024 * 1024) as body from generate_series(1, 3) n").await;
    let events = fixture.read("t", Stitch).await;
    assert_eq!(events.row_count(), 3);
    // A batch closes as soon as it holds a megabyte.
    assert_eq!(events.batches.len(), 3);
    let body = events.batches[1].column(1).as_string::<i32>().value(0);
    assert_eq!(
        (body.len(), body.trim_matches('b').len()),
        (5 * 1024 * 1024, 0)
    );
}

#[tokio::test]
async fn twelve_hundred_columns_are_read() {
    let columns: Vec<String> = (0..1200)
        .map(|n| format!("c{n} integer default {n}"))
        .collect();
    let fixture = Fixture::new(&format!(
        "create table t ({}); insert into t default values; insert into t default values",
        columns.join(", ")
    ))
    .await;
    let rows = fixture.read("t", Stitch).await.rows();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].len(), 1200);
    assert_eq!(rows[1][1199], "1199");
}

#[tokio::test]
async fn fields_come_in_the_order_that_was_asked_for() {
    let fixture = Fixture::new(
        "create table t (a int, b text, c bigint); insert into t values (1, 'two', 3)",
    )
    .await;
    let stream = fixture.stream("t", Stitch).await;
    let mut wanted = request(&stream, ReadMethod::FullTable);
    let fields = wanted
        .schema
        .fields
        .iter()
        .rev()
        .filter(|field| field.name != "b")
        .cloned()
        .collect();
    wanted.schema = selvedge_connector::StreamSchema::new(fields);
    let events = read(&fixture.source(), context(Stitch), wanted)
        .await
        .unwrap();
    assert_eq!(events.rows(), [["3", "1"]]);
}

#[tokio::test]
async fn numerics_of_later_versions_with_odd_scales_are_exact() {
    let fixture = Fixture::new("select 1").await;
    if !fixture.has_version(150_000).await {
        return;
    }
    assert_eq!(
        fixture
            .values(
                "select unnest('{0.00012,-0.00999}'::numeric(3,5)[])::numeric(3,5) as n",
                Stitch
            )
            .await,
        ["0.00012", "-0.00999"]
    );
    assert_eq!(
        fixture
            .values("select 12345::numeric(3,-2) as n", Stitch)
            .await,
        ["12300"]
    );
}

/// What the server prints in a session set up for comparison.
async fn expected(fixture: &Fixture, sql: &str) -> Vec<Vec<String>> {
    use tokio_postgres::SimpleQueryMessage;
    let session = fixture.database.connect().await;
    session
        .batch_execute(
            "set timezone = 'UTC'; set intervalstyle = 'postgres'; set datestyle = 'ISO'",
        )
        .await
        .unwrap();
    session
        .simple_query(sql)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|index| row.get(index).map_or("∅".to_owned(), str::to_owned))
                    .collect(),
            ),
            _ => None,
        })
        .collect()
}

impl Fixture {
    async fn has_version(&self, version: i32) -> bool {
        let row = self
            .client
            .query_one("select current_setting('server_version_num')::int", &[])
            .await
            .unwrap();
        row.get::<_, i32>(0) >= version
    }
}
