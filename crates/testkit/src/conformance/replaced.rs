//! Replacements: the rows of a run take the place of all rows there are, in one step. Where nothing is ever removed, they
//! appear in one step, and their version tells them from all others.

use super::keyed::batch;
use super::{
    Splits, Subject, checkpoint, expected, json, load, merge, open, replacement, run, shown,
};

/// The old rows go, the new ones come, at the end and not before.
pub async fn the_new_rows_take_the_place_of_all_others(subject: &impl Subject) {
    let columns = ["id", "v", "_sdc_table_version"];
    for (version, key) in [(1, &["id"][..]), (4, &[])] {
        let first = replacement(subject, key, version);
        load(
            subject,
            &first,
            &[(1, r#"{"id":1,"v":"a"}"#), (2, r#"{"id":2,"v":"b"}"#)],
        )
        .await;
        let before = shown(subject, &columns).await;
        let olds = ["1|a", "2|b"].map(|row| format!("{row}|{version}"));
        assert!(olds.iter().all(|old| before.contains(old)), "{before:?}");
        let second = replacement(subject, key, version + 1);
        let mut writer = open(subject, &second, 1).await.unwrap();
        let records = [(3, r#"{"id":2,"v":"c"}"#), (4, r#"{"id":3,"v":"d"}"#)];
        writer
            .write(json(subject, &second, &records))
            .await
            .unwrap();
        assert!(!writer.commit(checkpoint(1)).await.unwrap().durable);
        assert_eq!(shown(subject, &columns).await, before);
        let report = writer.finish(checkpoint(2)).await.unwrap();
        assert!(report.durable);
        assert_eq!(report.books.written, 2);
        let mut rows = expected(subject, Vec::new(), before);
        rows.extend(["2|c", "3|d"].map(|row| format!("{row}|{}", version + 1)));
        rows.sort();
        assert_eq!(shown(subject, &columns).await, rows);
        if !key.is_empty() {
            // The keyless one gets the place to itself.
            reset(subject).await;
        }
    }
}

/// Another life of the stream, without a key.
async fn reset(subject: &impl Subject) {
    let mut target = replacement(subject, &[], 0);
    target.identity.epoch = 2;
    target.table_version = 3;
    load(subject, &target, &[(1, r#"{"id":0}"#)]).await;
}

/// Until its end a replacement is nowhere to be seen, and the next one begins anew.
pub async fn a_replacement_that_is_cut_short_changes_nothing(subject: &impl Subject) {
    load(
        subject,
        &replacement(subject, &["id"], 1),
        &[(1, r#"{"id":1,"v":"old"}"#)],
    )
    .await;
    let second = replacement(subject, &["id"], 2);
    let mut writer = open(subject, &second, 1).await.unwrap();
    let records = [(2, r#"{"id":1,"v":"cut","more":1}"#), (3, r#"{"id":2}"#)];
    writer
        .write(json(subject, &second, &records))
        .await
        .unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    assert_eq!(shown(subject, &["id", "v"]).await, ["1|old"]);
    let third = replacement(subject, &["id"], 3);
    load(subject, &third, &[(4, r#"{"id":3,"v":"new"}"#)]).await;
    assert_eq!(
        shown(subject, &["id", "v", "more"]).await,
        expected(subject, &["3|new|-"][..], &["1|old|-", "3|new|-"])
    );
}

/// Rows of a first pass may be seen as they come; if it is cut short, they go with the next.
pub async fn a_first_pass_that_is_cut_short_starts_over(subject: &impl Subject) {
    let first = replacement(subject, &["id"], 1);
    let mut writer = open(subject, &first, 1).await.unwrap();
    let records = [(1, r#"{"id":1,"v":"cut"}"#), (2, r#"{"id":2,"v":"cut"}"#)];
    writer.write(json(subject, &first, &records)).await.unwrap();
    writer.commit(checkpoint(1)).await.unwrap();
    drop(writer);
    let told = load(subject, &first, &[(3, r#"{"id":2,"v":"new"}"#)]).await;
    assert_eq!(told.books.written, 1);
    assert_eq!(shown(subject, &["id", "v"]).await, ["2|new"]);
}

/// Of the records of a key the greatest sequence of the whole pass counts, of equals the later: in the first pass, in those
/// that replace its rows, and in one with another key.
pub async fn a_pass_is_one_load_whatever_is_committed_in_between(subject: &impl Subject) {
    let filling = "w".repeat(1_900);
    let wide = |first: i64| -> Vec<(i64, String)> {
        (first..first + 20)
            .map(|id| (id, format!(r#"{{"id":{id},"b":0,"v":"{filling}"}}"#)))
            .collect()
    };
    let tied = |value: &str| -> Vec<(i64, String)> {
        let record = format!(r#"{{"id":1,"b":0,"v":"{value}"}}"#);
        vec![(9_000, record); 10]
    };
    for (version, key) in [(1, &["id"][..]), (2, &["id"]), (3, &["id", "b"])] {
        let mut target = replacement(subject, key, version);
        target.identity.epoch = version;
        let commits = [
            vec![wide(100)],
            vec![wide(200), tied("first")],
            vec![wide(300), tied("wins")],
        ];
        let commits = commits
            .iter()
            .map(|batches| {
                batches
                    .iter()
                    .map(|records| batch(subject, &target, records))
            })
            .map(Iterator::collect)
            .collect();
        let told = run(subject, &target, commits).await;
        let counts = expected(subject, (61, 19), (80, 0));
        assert_eq!(told.won_and_lost(), counts, "{key:?}");
        let rows = shown(subject, &["id", "v"]).await;
        assert!(rows.contains(&"1|wins".to_owned()), "{key:?}");
        let passes = usize::try_from(version).unwrap();
        assert_eq!(rows.len(), expected(subject, 61, 80 * passes), "{key:?}");
    }
}

/// The structure is that of the new rows.
pub async fn split_columns_go_with_the_rows_that_split_them(subject: &impl Subject) {
    let first = merge(subject, &["id"]);
    load(subject, &first, &[(1, r#"{"id":1,"v":1}"#)]).await;
    load(subject, &first, &[(2, r#"{"id":2,"v":"x"}"#)]).await;
    if subject.character().splits == Splits::Renaming {
        assert_eq!(
            shown(subject, &["id", "v__it", "v__st"]).await,
            ["1|1|-", "2|-|x"]
        );
    }
    let second = replacement(subject, &["id"], 2);
    load(subject, &second, &[(3, r#"{"id":2,"v":"x"}"#)]).await;
    let stored = subject.stored(super::TABLE).await.unwrap();
    assert_eq!(stored.data_columns(), ["id", "v"]);
    assert_eq!(
        stored.show(&["id", "v"]),
        expected(subject, &["2|x"][..], &["1|1", "2|x", "2|x"])
    );
}

/// A pass that reads nothing leaves an empty table, or nothing new.
pub async fn no_records_empty_the_table(subject: &impl Subject) {
    load(
        subject,
        &replacement(subject, &["id"], 1),
        &[(1, r#"{"id":1,"v":"old"}"#)],
    )
    .await;
    run(subject, &replacement(subject, &["id"], 2), vec![]).await;
    let stored = subject.stored(super::TABLE).await.unwrap();
    assert_eq!(stored.rows.len(), expected(subject, 0, 1));
}
