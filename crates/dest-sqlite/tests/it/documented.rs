//! The worked examples of the loading rules, cell by cell.

use selvedge_connector::{Books, CommitReport, SubtableReport};
use serde_json::json as value;

use crate::support::{
    Warehouse, checkpoint, context, declared_json, json, merge, replace, written,
};

const PARCEL: &str = r#"{"parcel_id":71,"label":"Kite","size":{"cm":{"w":30,"h":12},"soft":true},
 "stops":[{"town":"Lund","scans":[{"by":"ana"},{"by":"bo"}]},{"town":"Ystad","scans":[]}],
 "tags":["gift","blue"],"note":null}"#;

async fn parcels(warehouse: &Warehouse, sequence: i64, record: &str) -> CommitReport {
    let batch = json(&["parcel_id"], &[(sequence, record)]);
    let target = merge("parcels", &["parcel_id"]);
    warehouse.load(target, vec![batch]).await
}

#[tokio::test]
async fn a_nested_record_becomes_rows_of_four_tables() {
    let warehouse = Warehouse::new();
    let report = parcels(&warehouse, 1_700_000_000_000_000_101, PARCEL).await;
    assert_eq!(report.books, written(1));
    assert_eq!(report.subtable_rows(), 6);
    assert_eq!(
        warehouse.columns("shop__parcels"),
        [
            "parcel_id integer",
            "label text",
            "size__cm__w integer",
            "size__cm__h integer",
            "size__soft boolean"
        ]
    );
    assert_eq!(
        warehouse.rows("select parcel_id, label, size__cm__w, size__cm__h, size__soft, _sdc_sequence from shop__parcels"),
        ["71|Kite|30|12|1|1700000000000000101"]
    );
    let columns = |table: &str| {
        warehouse.rows(&format!(
            "select name || ' ' || lower(type) from pragma_table_info('{table}') order by cid"
        ))
    };
    let system = [
        "_sdc_extracted_at timestamp_text",
        "_sdc_received_at timestamp_text",
        "_sdc_batched_at timestamp_text",
        "_sdc_sequence bigint",
        "_sdc_table_version bigint",
    ];
    for (table, own) in [
        (
            "shop__parcels__stops",
            vec!["_sdc_level_0_id integer", "town text"],
        ),
        (
            "shop__parcels__stops__scans",
            vec![
                "_sdc_level_0_id integer",
                "_sdc_level_1_id integer",
                "by text",
            ],
        ),
        (
            "shop__parcels__tags",
            vec!["_sdc_level_0_id integer", "value text"],
        ),
    ] {
        let expected: Vec<&str> = ["_sdc_source_key_parcel_id integer"]
            .into_iter()
            .chain(own)
            .chain(system)
            .collect();
        assert_eq!(columns(table), expected, "{table}");
    }
    assert_eq!(
        warehouse.rows("select _sdc_source_key_parcel_id, _sdc_level_0_id, town, _sdc_sequence from shop__parcels__stops order by 2"),
        [
            "71|0|Lund|1700000000000000101",
            "71|1|Ystad|1700000000000000101"
        ]
    );
    assert_eq!(
        warehouse.rows("select _sdc_source_key_parcel_id, _sdc_level_0_id, _sdc_level_1_id, by from shop__parcels__stops__scans order by 2, 3"),
        ["71|0|0|ana", "71|0|1|bo"]
    );
    assert_eq!(
        warehouse.rows("select _sdc_source_key_parcel_id, _sdc_level_0_id, value from shop__parcels__tags order by 2"),
        ["71|0|gift", "71|1|blue"]
    );

    let next = r#"{"parcel_id":71,"label":"Kite","stops":[{"town":"Lund"}]}"#;
    let report = parcels(&warehouse, 1_700_000_000_000_000_202, next).await;
    assert_eq!((report.books, report.subtable_rows()), (written(1), 1));
    let all = || {
        let mut rows = warehouse.rows("select parcel_id, _sdc_sequence from shop__parcels");
        for table in ["stops", "stops__scans", "tags"] {
            rows.extend(warehouse.rows(&format!(
                "select '{table}', _sdc_level_0_id, _sdc_sequence from shop__parcels__{table}"
            )));
        }
        rows
    };
    let expected = ["71|1700000000000000202", "stops|0|1700000000000000202"];
    assert_eq!(all(), expected);

    let report = parcels(&warehouse, 1_700_000_000_000_000_150, PARCEL).await;
    assert_eq!(report.books.older_sequence, 1);
    assert_eq!(report.subtable_rows(), 0);
    assert_eq!(all(), expected, "an older version changes nothing anywhere");
}

#[tokio::test]
async fn a_field_of_several_types_is_split_and_values_return_to_their_column() {
    let warehouse = Warehouse::new();
    for (sequence, record) in [
        (1, r#"{"id":1,"reading":12}"#),
        (2, r#"{"id":2,"reading":"n/a"}"#),
        (3, r#"{"id":3,"reading":7}"#),
        (4, r#"{"id":1,"reading":true}"#),
    ] {
        let batch = json(&["id"], &[(sequence, record)]);
        warehouse.load(merge("meters", &["id"]), vec![batch]).await;
    }
    assert_eq!(
        warehouse.columns("shop__meters"),
        [
            "id integer",
            "reading__it integer",
            "reading__st text",
            "reading__bo boolean"
        ]
    );
    assert_eq!(
        warehouse
            .rows("select id, reading__it, reading__st, reading__bo from shop__meters order by id"),
        ["1|null|null|1", "2|null|n/a|null", "3|7|null|null"]
    );
    let named = json(&["id"], &[(5, r#"{"id":4,"reading__st":"x"}"#)]);
    let report = warehouse.load(merge("meters", &["id"]), vec![named]).await;
    assert_eq!(report.books.rejected, 1);
    assert_eq!(
        warehouse.rows("select reason from shop___sdc_rejected"),
        ["column names from client should not include reserved datatype suffix on [reading__st]"]
    );
}

#[tokio::test]
async fn incremental_jobs_overlap_and_repeat_without_a_trace() {
    let warehouse = Warehouse::new();
    let seat = |id: i64, who: &str, at: &str| {
        format!(r#"{{"id":{id},"who":"{who}","changed":"2024-05-01T{at}:00Z"}}"#)
    };
    let job = async |rows: &[(i64, i64, &str, &str)]| {
        let records: Vec<(i64, String)> = rows
            .iter()
            .map(|(sequence, id, who, at)| (*sequence, seat(*id, who, at)))
            .collect();
        let records: Vec<(i64, &str)> = records
            .iter()
            .map(|(sequence, record)| (*sequence, record.as_str()))
            .collect();
        let batch = json(&["id"], &records);
        warehouse
            .load(merge("seats", &["id"]), vec![batch])
            .await
            .books
    };
    let table = || warehouse.rows("select id, who, _sdc_sequence from shop__seats order by id");
    let first = [(100, 1, "A", "10:00"), (101, 2, "B", "10:05")];
    let second = [
        (200, 2, "B", "10:05"),
        (201, 3, "D", "10:20"),
        (202, 1, "C", "10:30"),
    ];
    assert_eq!(job(&first).await, written(2));
    assert_eq!(table(), ["1|A|100", "2|B|101"]);
    assert_eq!(job(&second).await, written(3));
    assert_eq!(table(), ["1|C|202", "2|B|200", "3|D|201"]);
    assert_eq!(job(&[(300, 1, "C", "10:30")]).await, written(1));
    assert_eq!(table(), ["1|C|300", "2|B|200", "3|D|201"]);
    let late = job(&first[..1]).await;
    assert_eq!(late.older_sequence, 1);
    assert_eq!(table(), ["1|C|300", "2|B|200", "3|D|201"]);
    let replayed = [
        (400, 2, "B", "10:05"),
        (401, 3, "D", "10:20"),
        (402, 1, "C", "10:30"),
    ];
    job(&replayed).await;
    assert_eq!(
        warehouse.rows("select id, who from shop__seats order by id"),
        ["1|C", "2|B", "3|D"]
    );
}

#[tokio::test]
async fn a_deletion_in_the_log_leaves_a_tombstone_until_the_key_comes_back() {
    let warehouse = Warehouse::new();
    let schema = value!({"properties": {
        "id": {"type": "integer"},
        "_sdc_deleted_at": {"type": ["null", "string"], "format": "date-time"},
    }});
    let row = || warehouse.rows("select id, name, team, _sdc_deleted_at from shop__riders");
    let bikes = || warehouse.rows("select value from shop__riders__bikes order by _sdc_level_0_id");
    let mut sequence = 0;
    let mut job = async |record: &str| {
        sequence += 1;
        let batch = declared_json(&["id"], &schema, &[(sequence, record)]);
        warehouse.load(merge("riders", &["id"]), vec![batch]).await;
    };
    job(r#"{"id":5,"name":"Mona","team":"red","bikes":["a","b"]}"#).await;
    job(r#"{"id":5,"name":"Mona","team":"blue","bikes":["a","b"]}"#).await;
    assert_eq!(bikes(), ["a", "b"]);
    job(r#"{"id":5,"_sdc_deleted_at":"2024-05-01T12:00:03Z"}"#).await;
    assert_eq!(row(), ["5|null|null|2024-05-01T12:00:03.000000Z"]);
    assert_eq!(bikes(), [""; 0], "a tombstone has no arrays");
    job(r#"{"id":5,"name":"Mo","team":"green","bikes":["c"]}"#).await;
    assert_eq!(row(), ["5|Mo|green|null"]);
    assert_eq!(bikes(), ["c"]);
}

const FIRST_SHIFT: &str = r#"{"site":"N1","week":9,"crews":[{"lead":"ana","hours":[{"h":8,"ok":true},{"h":9,"ok":false}]},{"lead":"bo","hours":[{"h":7,"ok":true}]}]}"#;
const SECOND_SHIFT: &str = r#"{"site":"N1","week":9,"crews":[{"lead":"ana","hours":[{"h":9,"ok":false}]},{"lead":"bo","hours":[{"h":7,"ok":true}]}]}"#;
const SHIFT_KEY: &[&str] = &["site", "week"];

#[tokio::test]
async fn an_inner_array_that_shrinks_leaves_no_stale_rows() {
    let warehouse = Warehouse::new();
    let load = async |records: &[(i64, &str)]| {
        let batch = json(SHIFT_KEY, records);
        warehouse
            .load(merge("shifts", SHIFT_KEY), vec![batch])
            .await
    };
    let hours = |week: i64| {
        warehouse.rows(&format!(
            "select _sdc_level_0_id, _sdc_level_1_id, h, ok, _sdc_sequence from shop__shifts__crews__hours
             where _sdc_source_key_site = 'N1' and _sdc_source_key_week = {week}
             order by 1, 2"
        ))
    };
    let next_week = FIRST_SHIFT.replace("\"week\":9", "\"week\":10");
    let no_week = FIRST_SHIFT.replace("\"week\":9", "\"week\":null");
    load(&[(400, &next_week)]).await;
    let report = load(&[(500, FIRST_SHIFT)]).await;
    assert_eq!(report.books, written(1));
    let subtable = |name: &str, path: &[&str], row_count| SubtableReport {
        table_name: format!("shop__shifts__{name}"),
        path: path.iter().map(ToString::to_string).collect(),
        row_count,
        objects: None,
    };
    assert_eq!(
        report.subtables,
        [
            subtable("crews", &["crews"], 2),
            subtable("crews__hours", &["crews", "hours"], 3),
        ]
    );
    assert_eq!(hours(9), ["0|0|8|1|500", "0|1|9|0|500", "1|0|7|1|500"]);
    let report = load(&[(510, SECOND_SHIFT), (511, &no_week)]).await;
    let books = Books {
        written: 1,
        null_key: 1,
        ..Books::default()
    };
    assert_eq!((report.books, report.subtable_rows()), (books, 4));
    assert_eq!(hours(9), ["0|0|9|0|510", "1|0|7|1|510"]);
    assert_eq!(hours(10), ["0|0|8|1|400", "0|1|9|0|400", "1|0|7|1|400"]);
    assert_eq!(
        warehouse.rows("select lead, _sdc_sequence from shop__shifts__crews where _sdc_source_key_week = 9 order by _sdc_level_0_id"),
        ["ana|510", "bo|510"]
    );
    assert_eq!(
        warehouse
            .rows("select count(*) from shop__shifts__crews where _sdc_source_key_week is null"),
        ["0"]
    );
}

#[tokio::test]
async fn a_declared_decimal_then_a_string_then_an_instant() {
    let warehouse = Warehouse::new();
    let decimal = value!({"properties": {"fee": {"type": "number", "multipleOf": 0.01}}});
    let string = value!({"properties": {"fee": {"type": "string"}}});
    let instant = value!({"properties": {"fee": {"type": "string", "format": "date-time"}}});
    for (sequence, schema, record) in [
        (1, &decimal, r#"{"id":1,"fee":12.50}"#),
        (2, &string, r#"{"id":2,"fee":"waived"}"#),
        (3, &instant, r#"{"id":3,"fee":"2024-05-01T10:00:00+02:00"}"#),
        (4, &decimal, r#"{"id":2,"fee":7.25}"#),
    ] {
        let batch = declared_json(&["id"], schema, &[(sequence, record)]);
        warehouse.load(merge("fees", &["id"]), vec![batch]).await;
    }
    assert_eq!(
        warehouse.columns("shop__fees"),
        [
            "id integer",
            "fee__de decimal_text",
            "fee__st text",
            "fee__ti timestamp_text"
        ]
    );
    assert_eq!(
        warehouse.rows("select id, fee__de, fee__st, fee__ti from shop__fees order by id"),
        [
            "1|12.50|null|null",
            "2|7.25|null|null",
            "3|null|null|2024-05-01T08:00:00.000000Z"
        ]
    );
}

#[tokio::test]
async fn of_equal_sequences_the_later_wins_within_a_load_and_the_stored_over_loads() {
    for cut in [false, true] {
        let warehouse = Warehouse::new();
        let first = [
            (7, r#"{"id":1,"tags":["a","b"]}"#),
            (7, r#"{"id":2,"tags":["x"]}"#),
            (7, r#"{"id":1,"tags":["c"]}"#),
            (6, r#"{"id":1,"tags":["d"]}"#),
        ];
        let batches = match cut {
            false => vec![json(&["id"], &first)],
            true => first
                .iter()
                .map(|record| json(&["id"], std::slice::from_ref(record)))
                .collect(),
        };
        let report = warehouse.load(merge("posts", &["id"]), batches).await;
        let books = Books {
            written: 2,
            superseded: 1,
            older_sequence: 1,
            ..Books::default()
        };
        assert_eq!(report.books, books);
        assert_eq!(report.subtable_rows(), 2);
        let tags = || {
            warehouse.rows("select _sdc_source_key_id, value from shop__posts__tags order by 1, _sdc_level_0_id")
        };
        assert_eq!(tags(), ["1|c", "2|x"]);
        let again = json(&["id"], &[(7, r#"{"id":1,"tags":["e"]}"#)]);
        let report = warehouse.load(merge("posts", &["id"]), vec![again]).await;
        assert_eq!(report.books.older_sequence, 1);
        assert_eq!(tags(), ["1|c", "2|x"]);
    }
}

#[tokio::test]
async fn an_empty_array_creates_no_table_and_a_later_item_does() {
    let warehouse = Warehouse::new();
    let load = async |sequence, record: &str| {
        let batch = json(&["id"], &[(sequence, record)]);
        warehouse.load(merge("posts", &["id"]), vec![batch]).await;
    };
    load(1, r#"{"id":1,"tags":[],"links":null}"#).await;
    assert!(
        !warehouse
            .objects()
            .iter()
            .any(|name| name.starts_with("shop__posts__"))
    );
    load(2, r#"{"id":1,"tags":[null,"b"]}"#).await;
    assert_eq!(
        warehouse.rows("select _sdc_level_0_id, value from shop__posts__tags order by 1"),
        ["0|null", "1|b"],
        "a null item keeps its place"
    );
}

#[tokio::test]
async fn arrays_in_arrays_and_items_of_several_types() {
    let warehouse = Warehouse::new();
    let record = r#"{"id":1,"m":[[1,2],[],[3]],"mixed":[1,"x",true,{"a":5}]}"#;
    let batch = json(&["id"], &[(1, record)]);
    warehouse.load(merge("posts", &["id"]), vec![batch]).await;
    assert_eq!(
        warehouse.rows("select _sdc_level_0_id, _sdc_level_1_id, value from shop__posts__m__value order by 1, 2"),
        ["0|0|1", "0|1|2", "2|0|3"]
    );
    assert_eq!(
        warehouse.rows("select _sdc_level_0_id, value__it, value__st, value__bo, a from shop__posts__mixed order by 1"),
        [
            "0|1|null|null|null",
            "1|null|x|null|null",
            "2|null|null|1|null",
            "3|null|null|null|5"
        ]
    );
}

#[tokio::test]
async fn a_load_that_is_repeated_after_its_commit_was_not_heard_of_duplicates_nothing() {
    let warehouse = Warehouse::new();
    for _ in 0..2 {
        let mut writer = warehouse
            .open(context(1), merge("shifts", SHIFT_KEY))
            .await
            .unwrap();
        writer
            .write(json(SHIFT_KEY, &[(500, FIRST_SHIFT)]))
            .await
            .unwrap();
        writer.commit(checkpoint(1)).await.unwrap();
        drop(writer);
    }
    assert_eq!(
        warehouse.rows("select (select count(*) from shop__shifts), (select count(*) from shop__shifts__crews), (select count(*) from shop__shifts__crews__hours)"),
        ["1|2|3"]
    );
}

#[tokio::test]
async fn a_full_copy_of_nested_records_is_counted_when_it_is_complete() {
    let warehouse = Warehouse::new();
    let target = || replace("parcels", &["parcel_id"], 1);
    let mut writer = warehouse.open(context(1), target()).await.unwrap();
    let batch = json(&["parcel_id"], &[(1, PARCEL)]);
    writer.write(batch).await.unwrap();
    let report = writer.commit(checkpoint(1)).await.unwrap();
    assert_eq!((report.books.written, report.subtable_rows()), (0, 0));
    let report = writer.finish(checkpoint(2)).await.unwrap();
    assert_eq!((report.books.written, report.subtable_rows()), (1, 6));
}
