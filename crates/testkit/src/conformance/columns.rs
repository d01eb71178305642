//! The life of columns: when they come, what they hold, what becomes of values that do not fit.

use super::{Splits, Subject, TABLE, json, load, merge, rejections, run, shown};

/// A field that was only NULL so far has no column; its column is the last one then.
pub async fn a_column_waits_for_its_first_value_and_comes_last(subject: &impl Subject) {
    let target = merge(subject, &[]);
    load(subject, &target, &[(1, r#"{"id":1,"late":null,"v":"a"}"#)]).await;
    let stored = subject.stored(TABLE).await.unwrap();
    assert_eq!(stored.data_columns(), ["id", "v"]);
    let before = stored.columns.len();
    load(subject, &target, &[(2, r#"{"id":2,"late":5,"v":"b"}"#)]).await;
    let stored = subject.stored(TABLE).await.unwrap();
    assert_eq!(stored.show(&["id", "late", "v"]), ["1|-|a", "2|5|b"]);
    // Where every load is a file of its own, its columns are those of its records.
    if subject.character().splits == Splits::Renaming {
        assert_eq!(stored.columns.get(before).map(String::as_str), Some("late"));
    }
}

/// A field that is gone leaves its column, and NULL in it.
pub async fn a_field_that_is_absent_is_null(subject: &impl Subject) {
    let target = merge(subject, &[]);
    load(subject, &target, &[(1, r#"{"id":1,"gone":true}"#)]).await;
    load(subject, &target, &[(2, r#"{"id":2}"#)]).await;
    assert_eq!(shown(subject, &["id", "gone"]).await, ["1|true", "2|-"]);
}

/// There is nothing to be seen of them, and they are counted; but a file is as good a place for them as for others.
pub async fn records_of_nothing_but_nulls_make_no_table(subject: &impl Subject) {
    let target = merge(subject, &[]);
    let told = load(subject, &target, &[(1, r#"{"n":null}"#), (2, r#"{}"#)]).await;
    match subject.character().splits {
        Splits::Renaming => {
            assert_eq!(told.books.null_key, 2);
            assert!(subject.stored(TABLE).await.is_none());
        }
        Splits::WithinALoad | Splits::Never => {
            assert_eq!(shown(subject, &["n"]).await, ["-", "-"]);
        }
    }
}

/// Within 64 bits the column changes its type and not its name; beyond, the record is rejected and its neighbours load.
pub async fn an_integer_widens_its_column_and_beyond_64_bits_is_rejected(subject: &impl Subject) {
    let target = merge(subject, &[]);
    load(subject, &target, &[(1, r#"{"n":1}"#)]).await;
    load(subject, &target, &[(2, r#"{"n":2147483648}"#)]).await;
    let told = load(
        subject,
        &target,
        &[
            (3, r#"{"n":-9223372036854775808}"#),
            (4, r#"{"n":9223372036854775808}"#),
            (5, r#"{"n":3}"#),
        ],
    )
    .await;
    let name = subject.character().display_name;
    assert_eq!((told.books.written, told.books.rejected), (2, 1));
    assert_eq!(
        rejections(subject).await,
        [format!("integer out of range for {name} on [n]")]
    );
    assert_eq!(
        shown(subject, &["n"]).await,
        ["-9223372036854775808", "1", "2147483648", "3"]
    );
}

/// Every value is in the column of its type, whatever came in between.
pub async fn a_value_of_another_type_splits_its_column_and_later_ones_return(
    subject: &impl Subject,
) {
    let target = merge(subject, &["id"]);
    for record in [
        (1, r#"{"id":1,"reading":12}"#),
        (2, r#"{"id":2,"reading":"n/a"}"#),
        (3, r#"{"id":3,"reading":7}"#),
        (4, r#"{"id":1,"reading":true}"#),
    ] {
        load(subject, &target, &[record]).await;
    }
    match subject.character().splits {
        Splits::Renaming => {
            let stored = subject.stored(TABLE).await.unwrap();
            assert_eq!(
                stored.data_columns(),
                ["id", "reading__it", "reading__st", "reading__bo"]
            );
            assert_eq!(
                stored.show(&["id", "reading__it", "reading__st", "reading__bo"]),
                ["1|-|-|true", "2|-|n/a|-", "3|7|-|-"]
            );
        }
        Splits::WithinALoad => {
            let readings = ["1|12", "1|true", "2|n/a", "3|7"];
            assert_eq!(shown(subject, &["id", "reading"]).await, readings);
            let together = [
                (5, r#"{"id":4,"reading":1}"#),
                (6, r#"{"id":5,"reading":"two"}"#),
                (7, r#"{"id":6,"reading":3}"#),
            ];
            load(subject, &target, &together).await;
            let rows = shown(subject, &["id", "reading", "reading__st"]).await;
            assert_eq!(rows[4..], ["4|1|-", "5|-|two", "6|3|-"]);
        }
        Splits::Never => assert_eq!(
            shown(subject, &["id", "reading"]).await,
            ["1|12", "1|true", "2|n/a", "3|7"]
        ),
    }
}

/// Its neighbours load, and those that come later.
pub async fn a_record_that_needs_a_column_too_many_is_rejected(subject: &impl Subject) {
    let target = merge(subject, &["id"]);
    let fields: Vec<String> = (0..2_500)
        .map(|place| format!(r#""c{place}":{place}"#))
        .collect();
    let wide = format!(r#"{{"id":2,{}}}"#, fields.join(","));
    let records = [
        (1, r#"{"id":1,"v":1}"#),
        (2, &wide),
        (3, r#"{"id":3,"v":3}"#),
    ];
    let batch = json(subject, &target, &records);
    let told = run(subject, &target, vec![vec![batch]]).await;
    load(subject, &target, &[(4, r#"{"id":4,"v":4}"#)]).await;
    let reason = "ERROR: too many columns";
    let (counts, rows, reasons) = match subject.character().wide {
        true => ((3, 0), &["1|1", "2|-", "3|3", "4|4"][..], &[][..]),
        false => ((2, 1), &["1|1", "3|3", "4|4"][..], &[reason][..]),
    };
    assert_eq!((told.books.written, told.books.rejected), counts);
    assert_eq!(shown(subject, &["id", "v"]).await, rows);
    assert_eq!(rejections(subject).await, reasons);
}
