//! Incremental reads: boundaries, NULL keys, positions.

use selvedge_connector::{ErrorKind, KeyBound, ReadMethod};

use crate::support::{SourceFile, context, incremental};

#[tokio::test]
async fn the_first_run_reads_null_keys_first_and_later_runs_include_the_boundary() {
    let file = SourceFile::with(
        "create table t (id integer primary key, changed datetime);
         insert into t values (1, '2031-01-01 10:00:00'), (2, '2031-01-01 10:05:00'), (3, '2031-01-01 10:07:00'), (4, null);",
    );
    let heard = file
        .read("t", incremental("changed", None), context())
        .await
        .unwrap();
    assert_eq!(
        heard.column("id"),
        ["integer:4", "integer:1", "integer:2", "integer:3"]
    );
    assert_eq!(heard.positions, ["2031-01-01 10:07:00"]);
    file.connection()
        .execute_batch(
            "update t set changed = '2031-01-01 10:30:00' where id = 2;
             insert into t values (5, '2031-01-01 10:20:00'), (6, null);",
        )
        .unwrap();
    let heard = file
        .read(
            "t",
            incremental("changed", heard.positions.last().map(String::as_str)),
            context(),
        )
        .await
        .unwrap();
    assert_eq!(heard.column("id"), ["integer:3", "integer:5", "integer:2"]);
    assert_eq!(heard.positions, ["2031-01-01 10:30:00"]);
}

#[tokio::test]
async fn an_interrupted_read_goes_on_behind_the_last_key_it_passed_and_misses_and_doubles_nothing()
{
    let file = SourceFile::with(
        "create table t (id integer primary key, version int);
         with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
         insert into t select i, nullif(i / 10, 0) from n;",
    );
    let mut ctx = context();
    ctx.batch_rows = 64;
    let whole = file
        .read("t", incremental("version", None), ctx.clone())
        .await
        .unwrap();
    let ids = whole.column("id");
    assert!(whole.passed.len() > 10, "{:?}", whole.passed);
    for (rows, key) in &whole.passed {
        let behind = ReadMethod::Incremental {
            key: "version".to_owned(),
            from: Some(KeyBound {
                value: key.clone(),
                inclusive: false,
            }),
        };
        let mut rest = file
            .read("t", behind, ctx.clone())
            .await
            .unwrap()
            .column("id");
        let mut expected = ids[*rows..].to_vec();
        rest.sort();
        expected.sort();
        assert_eq!(rest, expected, "behind {key}");
    }
    assert_eq!(whole.positions, ["100"]);
}

#[tokio::test]
async fn a_key_with_more_rows_than_a_batch_is_passed_with_its_last_row() {
    let file = SourceFile::with(
        "create table t (id integer primary key, version int);
         insert into t values (1, 5), (2, 5), (3, 5), (4, 5), (5, 5), (6, 6);",
    );
    let mut ctx = context();
    ctx.batch_rows = 2;
    let heard = file
        .read("t", incremental("version", None), ctx)
        .await
        .unwrap();
    assert_eq!(heard.passed, [(5, "5".to_owned())]);
    assert_eq!(heard.positions, ["5", "6"]);
}

#[tokio::test]
async fn a_key_that_is_null_everywhere_has_no_position() {
    let file = SourceFile::with(
        "create table t (id integer primary key, changed datetime); insert into t values (1, null), (2, null)",
    );
    let heard = file
        .read("t", incremental("changed", None), context())
        .await
        .unwrap();
    assert_eq!(heard.column("id").len(), 2);
    assert!(heard.positions.is_empty());
}

#[tokio::test]
async fn dates_and_integers_are_keys_and_other_types_are_refused() {
    let file = SourceFile::with(
        "create table t (id integer primary key, day date, name text, price decimal(9,2));
         insert into t values (7, '2031-02-03', 'a', 1), (8, '2031-02-04', 'b', 2);",
    );
    for (key, position) in [("id", "8"), ("day", "2031-02-04")] {
        let heard = file
            .read("t", incremental(key, Some(position)), context())
            .await
            .unwrap();
        assert_eq!(heard.column("id"), ["integer:8"]);
        assert_eq!(heard.positions, [position]);
    }
    for (key, declared) in [("name", "TEXT"), ("price", "decimal(9,2)")] {
        let error = file
            .read("t", incremental(key, None), context())
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::Configuration);
        let expected = format!("{declared} is not a supported replication key type");
        assert!(
            error
                .message
                .to_lowercase()
                .contains(&expected.to_lowercase()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn keys_that_are_no_times_are_never_lost() {
    let file = SourceFile::with(
        "create table t (id integer primary key, changed datetime);
         insert into t values (1, '2031-01-01'), (2, 1700000000), (3, 'zzz'), (4, '');",
    );
    let first = file
        .read("t", incremental("changed", None), context())
        .await
        .unwrap();
    assert_eq!(first.column("id").len(), 4);
    assert_eq!(first.positions, ["2031-01-01"], "only a time is a position");
    file.connection()
        .execute_batch("insert into t values (5, 1700000001), (6, '-')")
        .unwrap();
    let second = file
        .read("t", incremental("changed", Some("2031-01-01")), context())
        .await
        .unwrap();
    for id in ["integer:1", "integer:3", "integer:5", "integer:6"] {
        assert!(second.column("id").contains(&id.to_owned()), "{id} is lost");
    }
    assert!(second.log_text().contains("replication key changed"));
}

#[tokio::test]
async fn integers_in_a_time_column_are_compared_as_integers() {
    let file = SourceFile::with(
        "create table t (id integer primary key, changed datetime);
         insert into t values (1, 999), (2, 1000), (3, 1001);",
    );
    let heard = file
        .read("t", incremental("changed", Some("1000")), context())
        .await
        .unwrap();
    assert_eq!(heard.column("id"), ["integer:2", "integer:3"]);
    assert_eq!(heard.positions, ["1001"]);
}

#[tokio::test]
async fn mixed_spellings_of_a_time_are_reported() {
    let file = SourceFile::with(
        "create table t (id integer primary key, changed datetime);
         insert into t values (1, '2031-01-01 23:00:00'), (2, '2031-01-01T01:00:00Z');",
    );
    let heard = file
        .read("t", incremental("changed", None), context())
        .await
        .unwrap();
    assert!(
        heard.log_text().contains("spelled in different ways"),
        "{}",
        heard.log_text()
    );
}

#[tokio::test]
async fn a_position_of_another_type_asks_for_a_reset() {
    let file = SourceFile::with("create table t (id integer primary key)");
    let error = file
        .read("t", incremental("id", Some("2031-01-01")), context())
        .await
        .err()
        .unwrap();
    assert!(error.message.contains("reset the stream"), "{error}");
}

#[tokio::test]
async fn names_are_quoted() {
    let file = SourceFile::with(
        "create table \"odd \"\" 'name\" (\"se\"\"lect\" integer, \"x y\" text);
         insert into \"odd \"\" 'name\" values (1, 'a'), (2, 'b');",
    );
    for method in [ReadMethod::FullTable, incremental("se\"lect", None)] {
        let heard = file.read("odd \" 'name", method, context()).await.unwrap();
        assert_eq!(heard.column("x y"), ["text:a", "text:b"]);
    }
}
