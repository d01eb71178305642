//! Items of arrays, in destinations where they are rows of subtables. Where records replace each other by key, their items go
//! with them; where all are kept, items belong to their record by its key and its sequence.

use super::{
    Subject, TABLE, expected, json, load, merge, rejections, replacement, run, shown, shown_of,
};

const KEY: &str = "_sdc_source_key_id";

async fn items(subject: &impl Subject, path: &str, columns: &[&str]) -> Vec<String> {
    shown_of(subject, &format!("{TABLE}__{path}"), columns).await
}

/// All items of a record go with it, at every depth.
pub async fn an_array_that_shrinks_leaves_no_item_behind(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    let first =
        r#"{"id":1,"crews":[{"lead":"ana","hours":[8,9]},{"lead":"bo","hours":[7]}],"tags":["x"]}"#;
    let other = r#"{"id":2,"crews":[{"lead":"cy","hours":[1]}]}"#;
    let told = load(subject, &target, &[(500, first), (500, other)]).await;
    let rows: u64 = told
        .subtables
        .iter()
        .map(|subtable| subtable.row_count)
        .sum();
    assert_eq!((told.books.written, rows), (2, 3 + 4 + 1));
    let second = r#"{"id":1,"crews":[{"lead":"ana","hours":[9]},{"lead":"bo","hours":[7]}]}"#;
    load(subject, &target, &[(510, second)]).await;
    let level = "_sdc_level_0_id";
    assert_eq!(
        items(subject, "crews", &[KEY, level, "lead", "_sdc_sequence"]).await,
        expected(
            subject,
            &["1|0|ana|510", "1|1|bo|510", "2|0|cy|500"][..],
            &[
                "1|0|ana|500",
                "1|0|ana|510",
                "1|1|bo|500",
                "1|1|bo|510",
                "2|0|cy|500"
            ]
        )
    );
    let columns = [KEY, level, "_sdc_level_1_id", "value", "_sdc_sequence"];
    assert_eq!(
        items(subject, "crews__hours", &columns).await,
        expected(
            subject,
            &["1|0|0|9|510", "1|1|0|7|510", "2|0|0|1|500"][..],
            &[
                "1|0|0|8|500",
                "1|0|0|9|510",
                "1|0|1|9|500",
                "1|1|0|7|500",
                "1|1|0|7|510",
                "2|0|0|1|500"
            ]
        )
    );
    assert_eq!(
        items(subject, "tags", &[KEY, "_sdc_sequence"]).await,
        expected(subject, &[][..], &["1|500"])
    );
}

/// A record that loses takes its items along.
pub async fn an_older_record_brings_no_item_back(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(200, r#"{"id":1,"tags":["kept"]}"#)]).await;
    let late = [
        (150, r#"{"id":1,"tags":["old","older"]}"#),
        (200, r#"{"id":1,"tags":["equal"]}"#),
    ];
    let told = load(subject, &target, &late).await;
    assert_eq!(
        (told.books.written, told.subtables.len()),
        expected(subject, (0, 0), (2, 1))
    );
    assert_eq!(
        items(subject, "tags", &["_sdc_sequence", "value"]).await,
        expected(
            subject,
            &["200|kept"][..],
            &["150|old", "150|older", "200|equal", "200|kept"]
        )
    );
}

/// Within a commit the later of equals wins, with its items and without those of the other.
pub async fn of_equals_the_items_of_the_later_are_kept(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    let mut earlier = Vec::new();
    for round in [1, 2] {
        let batches = vec![
            json(
                subject,
                &target,
                &[
                    (round, r#"{"id":1,"tags":["a","b"]}"#),
                    (round, r#"{"id":2,"tags":["c"]}"#),
                ],
            ),
            json(
                subject,
                &target,
                &[
                    (round, r#"{"id":1,"tags":["d"]}"#),
                    (round, r#"{"id":2,"v":"no items"}"#),
                ],
            ),
        ];
        let told = run(subject, &target, vec![batches]).await;
        let counts = expected(subject, (2, 2), (4, 0));
        assert_eq!(told.won_and_lost(), counts);
        let all = ["1|a", "1|b", "1|d", "2|c"].map(|item| format!("{round}|{item}"));
        assert_eq!(
            items(subject, "tags", &["_sdc_sequence", KEY, "value"]).await[..],
            *expected(
                subject,
                &[format!("{round}|1|d")][..],
                &[earlier.clone(), all.to_vec()].concat()
            )
        );
        earlier.extend(all);
    }
}

/// Neither does an array of nothing but NULL count as empty.
pub async fn an_empty_array_makes_no_table_and_a_later_item_does(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    load(subject, &target, &[(1, r#"{"id":1,"tags":[]}"#)]).await;
    let tags = format!("{TABLE}__tags");
    assert!(subject.stored(&tags).await.is_none());
    load(subject, &target, &[(2, r#"{"id":1,"tags":[null,"b"]}"#)]).await;
    let columns = [KEY, "_sdc_level_0_id", "value"];
    assert_eq!(items(subject, "tags", &columns).await, ["1|0|-", "1|1|b"]);
}

/// A record and its items share one fate.
pub async fn items_that_do_not_get_in_keep_out_their_record(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    let records = [
        (1, r#"{"id":1,"lines":[{"n":1},{"n":2,"_sdc_own":3}]}"#),
        (2, r#"{"id":2,"lines":[{"n":4}]}"#),
    ];
    let told = load(subject, &target, &records).await;
    assert_eq!((told.books.written, told.books.rejected), (1, 1));
    assert_eq!(shown(subject, &["id"]).await, ["2"]);
    assert_eq!(items(subject, "lines", &[KEY, "n"]).await, ["2|4"]);
    assert_eq!(rejections(subject).await.len(), 1);
}

/// Subtables are replaced together with their table.
pub async fn a_replacement_takes_the_items_along(subject: &impl Subject) {
    for (version, records) in [
        (
            1,
            [
                (1, r#"{"id":1,"tags":["a","b"]}"#),
                (2, r#"{"id":2,"tags":["c"]}"#),
            ],
        ),
        (
            2,
            [
                (3, r#"{"id":1,"tags":["d"]}"#),
                (4, r#"{"id":3,"tags":[]}"#),
            ],
        ),
    ] {
        load(subject, &replacement(subject, &["id"], version), &records).await;
    }
    assert_eq!(
        shown(subject, &["_sdc_table_version", "id"]).await,
        expected(subject, &["2|1", "2|3"][..], &["1|1", "1|2", "2|1", "2|3"])
    );
    assert_eq!(
        items(subject, "tags", &["_sdc_table_version", KEY, "value"]).await,
        expected(
            subject,
            &["2|1|d"][..],
            &["1|1|a", "1|1|b", "1|2|c", "2|1|d"]
        )
    );
}

/// Their record's generated key tells them apart.
pub async fn items_without_a_key_are_kept_each(subject: &impl Subject) {
    let target = merge(subject, &[]);
    for round in [10, 20] {
        let records = [
            (round, r#"{"tags":["a"]}"#),
            (round + 1, r#"{"tags":["a"]}"#),
        ];
        load(subject, &target, &records).await;
    }
    let mut keys = items(subject, "tags", &["_sdc_source_key___sdc_primary_key"]).await;
    keys.dedup();
    assert_eq!(keys.len(), 4);
    assert_eq!(shown(subject, &["__sdc_primary_key"]).await, keys);
}
