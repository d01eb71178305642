//! Which files may be read, and what a customer hears about the others.

use selvedge_connector::{CheckContext, ErrorKind, ReadMethod, Source};
use selvedge_source_sqlite::SourceFiles;
use tokio_util::sync::CancellationToken;

use crate::support::{SourceFile, context, dialer, source};

async fn failure(source: impl Source) -> Option<(ErrorKind, String)> {
    let ctx = CheckContext {
        dialer: dialer(),
        stop: CancellationToken::new(),
    };
    let report = source.check(&ctx).await.unwrap();
    let error = report.failure()?.error.clone()?;
    Some((error.kind, report.failure_text().unwrap()))
}

#[tokio::test]
async fn a_good_file_passes_every_step() {
    let file = SourceFile::with("create table t (id integer primary key)");
    assert_eq!(failure(file.source()).await, None);
}

#[tokio::test]
async fn a_link_out_of_the_allowed_directory_is_refused() {
    let secret = SourceFile::with("create table t (id integer primary key)");
    let open = SourceFile::with("create table t (id integer primary key)");
    let link = open.directory.path().join("link.db");
    std::os::unix::fs::symlink(&secret.path, &link).unwrap();
    let files = SourceFiles {
        allowed_directories: vec![open.directory.path().to_owned()],
        forbidden: Vec::new(),
    };
    let (kind, text) = failure(source(&link, &files)).await.unwrap();
    assert_eq!(kind, ErrorKind::Permission);
    assert!(text.contains("outside the directories"), "{text}");
}

#[tokio::test]
async fn the_data_directory_is_refused_even_inside_an_allowed_one() {
    let control = SourceFile::with("create table tokens (id integer primary key)");
    let files = SourceFiles {
        allowed_directories: vec!["/".into()],
        forbidden: vec![control.directory.path().to_owned()],
    };
    let (kind, _) = failure(source(&control.path, &files)).await.unwrap();
    assert_eq!(kind, ErrorKind::Permission);
}

#[tokio::test]
async fn a_missing_file_and_a_file_of_another_kind_say_what_to_do() {
    let file = SourceFile::with("create table t (id integer primary key)");
    std::fs::remove_file(&file.path).unwrap();
    let (kind, text) = failure(file.source()).await.unwrap();
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.contains("there is no file"), "{text}");

    std::fs::write(
        &file.path,
        "not a database, but long enough to be one".repeat(100),
    )
    .unwrap();
    let (kind, text) = failure(file.source()).await.unwrap();
    assert_eq!(kind, ErrorKind::Configuration);
    assert!(text.contains("is not a SQLite database"), "{text}");
}

#[tokio::test]
async fn a_locked_file_is_tried_again_later() {
    let file = SourceFile::with("create table t (id integer primary key)");
    let writer = file.connection();
    writer
        .execute_batch("begin exclusive; insert into t values (1)")
        .unwrap();
    let (kind, text) = failure(file.source()).await.unwrap();
    assert_eq!(kind, ErrorKind::Unreachable);
    assert!(text.contains("locked by another program"), "{text}");
}

#[tokio::test]
async fn a_dropped_table_and_a_dropped_column_are_named() {
    let file = SourceFile::with("create table t (id integer primary key, name text)");
    let fields = || {
        vec![selvedge_connector::Field::new(
            "gone",
            selvedge_connector::LogicalType::Text,
        )]
    };
    for (table, expected) in [("missing", "missing"), ("t", "column gone")] {
        let error = file
            .read_fields(table, fields(), ReadMethod::FullTable, context())
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind, ErrorKind::Configuration);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn reading_changes_nothing() {
    let file =
        SourceFile::with("create table t (id integer primary key); insert into t values (1)");
    let before = std::fs::read(&file.path).unwrap();
    file.read("t", ReadMethod::FullTable, context())
        .await
        .unwrap();
    assert_eq!(std::fs::read(&file.path).unwrap(), before);
    let names: Vec<_> = std::fs::read_dir(file.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["shop.db"]);
}
