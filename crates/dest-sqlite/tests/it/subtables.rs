//! Subtables follow their records.

use selvedge_connector::{Books, ErrorKind};

use crate::support::{Warehouse, checkpoint, context, json, merge, replace, written};

const KEY: &[&str] = &["id"];

fn posts(records: &[(i64, &str)]) -> selvedge_connector::ShapedBatch {
    json(KEY, records)
}

fn tags(warehouse: &Warehouse) -> Vec<String> {
    warehouse.rows(
        "select _sdc_source_key_id, _sdc_level_0_id, value, _sdc_sequence from shop__posts__tags
         order by 1, _sdc_sequence, 2",
    )
}

async fn loaded() -> Warehouse {
    let warehouse = Warehouse::new();
    let batch = posts(&[
        (1, r#"{"id":1,"tags":["a","b"]}"#),
        (2, r#"{"id":2,"tags":["c"],"links":[{"to":3}]}"#),
    ]);
    warehouse.load(merge("posts", KEY), vec![batch]).await;
    warehouse
}

#[tokio::test]
async fn a_first_load_builds_the_keys_of_its_subtables_at_the_end() {
    for target in [merge("posts", KEY), replace("posts", KEY, 1)] {
        let warehouse = Warehouse::new();
        let index = "shop__posts__tags_pkey".to_owned();
        let mut writer = warehouse.open(context(1), target).await.unwrap();
        let batch = posts(&[(1, r#"{"id":1,"tags":["a"]}"#)]);
        writer.write(batch).await.unwrap();
        writer.commit(checkpoint(1)).await.unwrap();
        assert_eq!(tags(&warehouse), ["1|0|a|1"], "visible as it comes");
        assert!(!warehouse.objects().contains(&index));
        writer.finish(checkpoint(2)).await.unwrap();
        assert!(warehouse.objects().contains(&index));
    }
}

#[tokio::test]
async fn keys_that_do_not_ascend_in_a_first_load_replace_items() {
    for target in [merge("posts", KEY), replace("posts", KEY, 1)] {
        let warehouse = Warehouse::new();
        let batches = vec![
            posts(&[(1, r#"{"id":2,"tags":["a","b"]}"#)]),
            posts(&[
                (2, r#"{"id":1,"tags":["c"]}"#),
                (3, r#"{"id":2,"tags":["d"]}"#),
                (4, r#"{"id":1}"#),
            ]),
        ];
        let report = warehouse.load(target, batches).await;
        let books = Books {
            written: 2,
            superseded: 2,
            ..Books::default()
        };
        assert_eq!(report.books, books);
        assert_eq!(report.subtable_rows(), 1);
        assert_eq!(tags(&warehouse), ["2|0|d|3"]);
        let index = "shop__posts__tags_pkey".to_owned();
        assert!(warehouse.objects().contains(&index));
    }
}

#[tokio::test]
async fn items_that_come_late_in_a_replacement_find_one_row_for_each_key() {
    let warehouse = Warehouse::new();
    let batches = vec![
        posts(&[(1, r#"{"id":2}"#), (2, r#"{"id":1}"#), (3, r#"{"id":2}"#)]),
        posts(&[
            (4, r#"{"id":2,"tags":["a"]}"#),
            (5, r#"{"id":1,"tags":["b"]}"#),
        ]),
        posts(&[(6, r#"{"id":2}"#)]),
    ];
    let report = warehouse.load(replace("posts", KEY, 1), batches).await;
    let books = Books {
        written: 2,
        superseded: 4,
        ..Books::default()
    };
    assert_eq!(report.books, books);
    assert_eq!(tags(&warehouse), ["1|0|b|5"]);
}

#[tokio::test]
async fn dropping_the_writer_leaves_records_and_items_as_they_were() {
    let warehouse = loaded().await;
    let before = (tags(&warehouse), warehouse.objects());
    for target in [merge("posts", KEY), replace("posts", KEY, 1)] {
        let mut writer = warehouse.open(context(1), target).await.unwrap();
        let batch = posts(&[
            (10, r#"{"id":1,"tags":[]}"#),
            (11, r#"{"id":3,"tags":["x"],"more":[1]}"#),
        ]);
        writer.write(batch).await.unwrap();
        drop(writer);
        assert_eq!((tags(&warehouse), warehouse.objects()), before);
        assert_eq!(
            warehouse.rows("select id, _sdc_sequence from shop__posts order by id"),
            ["1|1", "2|2"]
        );
    }
}

#[tokio::test]
async fn a_replacement_takes_all_subtables_along_in_one_step() {
    let warehouse = Warehouse::new();
    let batch = posts(&[
        (1, r#"{"id":1,"tags":["a","b"]}"#),
        (2, r#"{"id":2,"tags":["c"],"links":[{"to":3}]}"#),
    ]);
    warehouse.load(replace("posts", KEY, 1), vec![batch]).await;
    let reader = warehouse.connection();
    let seen = || {
        crate::support::rows(
            &reader,
            "select (select count(*) from shop__posts), (select count(*) from shop__posts__tags), (select count(*) from shop__posts__links)",
        )
    };
    let target = replace("posts", KEY, 2);
    let mut writer = warehouse.open(context(1), target).await.unwrap();
    let batch = posts(&[(10, r#"{"id":7,"tags":["x"],"more":[true]}"#)]);
    writer.write(batch).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    assert_eq!(seen(), ["2|3|1"]);
    reader.execute_batch("begin").unwrap();
    assert_eq!(seen(), ["2|3|1"]);
    writer.finish(checkpoint(2)).await.unwrap();
    assert_eq!(seen(), ["2|3|1"]);
    reader.execute_batch("commit").unwrap();
    assert_eq!(seen(), ["1|1|0"]);
    assert_eq!(
        warehouse.objects(),
        [
            "_sdc_selvedge_tables",
            "shop___sdc_selvedge_commits",
            "shop__posts",
            "shop__posts__links",
            "shop__posts__links_pkey",
            "shop__posts__more",
            "shop__posts__more_pkey",
            "shop__posts__tags",
            "shop__posts__tags_pkey",
            "shop__posts_pkey",
        ]
    );
    let batch = posts(&[(20, r#"{"id":7,"links":[{"to":1}]}"#)]);
    warehouse.load(merge("posts", KEY), vec![batch]).await;
    assert_eq!(seen(), ["1|0|1"], "the next merge finds them all");
    warehouse.load(replace("posts", KEY, 3), vec![]).await;
    assert_eq!(seen(), ["0|0|0"]);
}

#[tokio::test]
async fn a_cut_short_replacement_leaves_nothing_and_starts_over() {
    let warehouse = Warehouse::new();
    let load = async |version, record: &str| {
        let batch = posts(&[(version, record)]);
        warehouse
            .load(replace("posts", KEY, version), vec![batch])
            .await;
    };
    load(1, r#"{"id":1,"tags":["a"]}"#).await;
    let target = replace("posts", KEY, 2);
    let mut writer = warehouse.open(context(1), target).await.unwrap();
    let batch = posts(&[(2, r#"{"id":1,"tags":["x"],"more":[1]}"#)]);
    writer.write(batch).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    assert_eq!(tags(&warehouse), ["1|0|a|1"]);
    load(3, r#"{"id":2,"tags":["y"]}"#).await;
    assert_eq!(tags(&warehouse), ["2|0|y|3"]);
    let unfinished = |name: &String| name.contains("_sdc_next_");
    assert!(!warehouse.objects().iter().any(unfinished));
}

#[tokio::test]
async fn a_cut_short_first_load_goes_on_or_starts_over_with_its_items() {
    for (merges, expected) in [(true, vec!["1|0|c|9", "2|0|b|2"]), (false, vec!["1|0|c|9"])] {
        let warehouse = Warehouse::new();
        let target = || match merges {
            true => merge("posts", KEY),
            false => replace("posts", KEY, 1),
        };
        let mut writer = warehouse.open(context(1), target()).await.unwrap();
        let batch = posts(&[
            (1, r#"{"id":1,"tags":["a","a"],"more":[1]}"#),
            (2, r#"{"id":2,"tags":["b"]}"#),
        ]);
        writer.write(batch).await.unwrap();
        writer.commit(checkpoint(1)).await.unwrap();
        drop(writer);
        let batch = posts(&[(9, r#"{"id":1,"tags":["c"]}"#)]);
        warehouse.load(target(), vec![batch]).await;
        assert_eq!(tags(&warehouse), expected);
        let more = "shop__posts__more".to_owned();
        assert_eq!(warehouse.objects().contains(&more), merges);
        if merges {
            assert_eq!(
                warehouse.rows("select count(*) from shop__posts__more"),
                ["0"]
            );
        }
    }
}

#[tokio::test]
async fn items_of_records_that_two_first_loads_brought_stay_with_the_newest() {
    let warehouse = Warehouse::new();
    let target = merge("posts", KEY);
    let mut writer = warehouse.open(context(1), target).await.unwrap();
    let batch = posts(&[(1, r#"{"id":1,"tags":["a","b"]}"#)]);
    writer.write(batch).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    // As if two runs had put the same record there before the key was built.
    warehouse.execute(
        "insert into shop__posts (id, _sdc_sequence) values (1, 5);
         insert into shop__posts__tags (_sdc_source_key_id, _sdc_level_0_id, value, _sdc_sequence) values (1, 0, 'new', 5)",
    );
    let batch = posts(&[(2, r#"{"id":2}"#)]);
    warehouse.load(merge("posts", KEY), vec![batch]).await;
    assert_eq!(tags(&warehouse), ["1|0|new|5"]);
}

#[tokio::test]
async fn a_value_in_an_item_rejects_the_whole_record() {
    let warehouse = loaded().await;
    let collides = r#"{"id":1,"tags":["x"],"links":[{"to":1},{"To":1,"to":2}]}"#;
    let reserved = r#"{"id":2,"tags":["x"],"links":[{"to__st":1}]}"#;
    let batch = posts(&[
        (10, collides),
        (11, reserved),
        (12, r#"{"id":3,"tags":["y"]}"#),
    ]);
    let report = warehouse.load(merge("posts", KEY), vec![batch]).await;
    let books = Books {
        written: 1,
        rejected: 2,
        ..Books::default()
    };
    assert_eq!(report.books, books);
    assert_eq!(report.subtable_rows(), 1);
    assert_eq!(
        tags(&warehouse),
        ["1|0|a|1", "1|1|b|1", "2|0|c|2", "3|0|y|12"]
    );
    assert_eq!(
        warehouse.rows("select reason, record from shop___sdc_rejected"),
        [
            format!("Field collision on to|{collides}"),
            format!(
                "column names from client should not include reserved datatype suffix on [to__st]|{reserved}"
            ),
        ]
    );
}

#[tokio::test]
async fn items_that_cannot_have_a_table_are_left_out_and_told_once() {
    let warehouse = Warehouse::new();
    let batches = vec![
        posts(&[
            (1, r#"{"id":1,"_sdc_mine":[1],"tags":["a"]}"#),
            (2, r#"{"id":2,"_sdc_mine":[2]}"#),
        ]),
        posts(&[(3, r#"{"id":3,"_sdc_mine":[3]}"#)]),
    ];
    let report = warehouse.load(merge("posts", KEY), batches).await;
    assert_eq!((report.books, report.subtable_rows()), (written(3), 1));
    assert_eq!(
        report.notes,
        ["Column name [_sdc_mine] uses a reserved prefix: the items of _sdc_mine are left out"]
    );
    assert_eq!(
        warehouse.rows("select table_name, reason, record from shop___sdc_rejected"),
        [
            r#"shop__posts|Column name [_sdc_mine] uses a reserved prefix|{"id":1,"_sdc_mine":[1],"tags":["a"]}"#
        ]
    );
}

#[tokio::test]
async fn a_value_of_another_type_splits_the_column_of_a_subtable() {
    let warehouse = loaded().await;
    let batch = posts(&[(10, r#"{"id":3,"tags":["x",5]}"#)]);
    let report = warehouse.load(merge("posts", KEY), vec![batch]).await;
    assert!(report.notes[0].contains("value__st"), "{:?}", report.notes);
    assert_eq!(
        warehouse.rows("select value__st, value__it from shop__posts__tags where _sdc_source_key_id = 3 order by _sdc_level_0_id"),
        ["x|null", "null|5"]
    );
}

#[tokio::test]
async fn keyless_records_are_appended_with_their_items() {
    let warehouse = Warehouse::new();
    for sequence in [1, 2] {
        let record = r#"{"tags":["a","b"]}"#;
        let batch = json(&[], &[(sequence, record)]);
        let report = warehouse.load(merge("posts", &[]), vec![batch]).await;
        assert_eq!((report.books, report.subtable_rows()), (written(1), 2));
    }
    assert_eq!(
        warehouse.rows(
            "select t._sdc_level_0_id, t.value, t._sdc_sequence
             from shop__posts p
             join shop__posts__tags t on t._sdc_source_key___sdc_primary_key = p.__sdc_primary_key
             order by 3, 1"
        ),
        ["0|a|1", "1|b|1", "0|a|2", "1|b|2"]
    );
}

#[tokio::test]
async fn after_a_change_of_key_items_are_appended_too() {
    let warehouse = Warehouse::new();
    let first = json(KEY, &[(1, r#"{"id":1,"name":"n","tags":["a","b"]}"#)]);
    warehouse.load(merge("posts", KEY), vec![first]).await;
    for sequence in [5, 5] {
        let batch = json(
            &["name"],
            &[(sequence, r#"{"id":1,"name":"n","tags":["c"]}"#)],
        );
        let report = warehouse.load(merge("posts", &["name"]), vec![batch]).await;
        assert_eq!((report.books, report.subtable_rows()), (written(1), 1));
    }
    assert_eq!(
        warehouse.rows("select _sdc_source_key_id, _sdc_source_key_name, value from shop__posts__tags order by rowid"),
        ["1|null|a", "1|null|b", "null|n|c", "null|n|c"]
    );
    let no_index = |name: &String| name.ends_with("_pkey");
    assert!(!warehouse.objects().iter().any(no_index));
    // A replacement makes the key anew.
    let batch = json(&["name"], &[(9, r#"{"id":1,"name":"n"}"#)]);
    warehouse
        .load(replace("posts", &["name"], 1), vec![batch])
        .await;
    assert_eq!(
        warehouse.rows("select count(*) from shop__posts__tags"),
        ["0"]
    );
    for sequence in [10, 11] {
        let batch = json(&["name"], &[(sequence, r#"{"name":"n","tags":["d"]}"#)]);
        warehouse.load(merge("posts", &["name"]), vec![batch]).await;
    }
    assert_eq!(
        warehouse.rows("select _sdc_source_key_name, value, _sdc_sequence from shop__posts__tags"),
        ["n|d|11"]
    );
}

#[tokio::test]
async fn a_key_of_another_type_ends_the_key_of_the_items() {
    let warehouse = loaded().await;
    for sequence in [10, 11] {
        let batch = posts(&[(sequence, r#"{"id":"one","tags":["x"]}"#)]);
        let report = warehouse.load(merge("posts", KEY), vec![batch]).await;
        assert_eq!((report.books, report.subtable_rows()), (written(1), 1));
    }
    assert_eq!(
        warehouse.rows("select _sdc_source_key_id__it, _sdc_source_key_id__st, value from shop__posts__tags order by rowid"),
        ["1|null|a", "1|null|b", "2|null|c", "null|one|x", "null|one|x"]
    );
    assert_eq!(warehouse.rows("select count(*) from shop__posts"), ["4"]);
}

#[tokio::test]
async fn a_replacement_with_a_key_of_another_type_lets_go_of_subtables_it_does_not_fill() {
    let warehouse = loaded().await;
    let batch = posts(&[(10, r#"{"id":"one","tags":["x"]}"#)]);
    warehouse.load(replace("posts", KEY, 1), vec![batch]).await;
    let batch = posts(&[(11, r#"{"id":"one","links":[{"to":5}]}"#)]);
    warehouse.load(merge("posts", KEY), vec![batch]).await;
    assert_eq!(
        warehouse.rows("select _sdc_source_key_id, \"to\" from shop__posts__links"),
        ["one|5"]
    );
    assert_eq!(
        warehouse.rows("select count(*) from shop__posts__tags"),
        ["0"]
    );
}

#[tokio::test]
async fn a_table_or_an_index_that_a_user_dropped_comes_back_with_new_data() {
    let warehouse = loaded().await;
    warehouse.execute("drop index shop__posts__tags_pkey; drop table shop__posts__links");
    let batch = posts(&[(10, r#"{"id":1,"tags":["x"],"links":[{"to":9}]}"#)]);
    warehouse.load(merge("posts", KEY), vec![batch]).await;
    assert_eq!(tags(&warehouse), ["1|0|x|10", "2|0|c|2"]);
    assert_eq!(
        warehouse.rows("select \"to\" from shop__posts__links"),
        ["9"]
    );
    let index = "shop__posts__tags_pkey".to_owned();
    assert!(warehouse.objects().contains(&index));
    warehouse.execute("drop table shop__posts");
    let batch = posts(&[(11, r#"{"id":2,"tags":["y"]}"#)]);
    warehouse.load(merge("posts", KEY), vec![batch]).await;
    assert_eq!(
        tags(&warehouse),
        ["2|0|y|11"],
        "items go with their records"
    );
}

#[tokio::test]
async fn a_missing_column_of_the_engines_own_stops_the_table() {
    for column in ["_sdc_sequence", "_sdc_level_0_id", "_sdc_source_key_id"] {
        let warehouse = loaded().await;
        warehouse.execute(&format!(
            "drop index shop__posts__tags_pkey; alter table shop__posts__tags drop column {column}"
        ));
        let opened = warehouse.open(context(1), merge("posts", KEY)).await;
        let error = opened.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Data);
        assert!(error.message.contains(column), "{error}");
    }
}

#[tokio::test]
async fn fields_called_like_sqlites_row_identity_change_nothing() {
    let warehouse = Warehouse::new();
    let batches = vec![
        posts(&[(1, r#"{"id":2,"rowid":1,"_rowid_":1,"tags":["a"]}"#)]),
        posts(&[
            (2, r#"{"id":1,"rowid":1,"_rowid_":1,"tags":["b"]}"#),
            (2, r#"{"id":1,"rowid":1,"_rowid_":1,"tags":["c"]}"#),
        ]),
    ];
    warehouse.load(merge("posts", KEY), batches).await;
    assert_eq!(tags(&warehouse), ["1|0|c|2", "2|0|a|1"]);
}
