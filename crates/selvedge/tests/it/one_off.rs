//! `selvedge sync`: copies between databases without a server.

use rusqlite::Connection;
use serde_json::Value;

use crate::command_line::{selvedge, text};

#[test]
fn a_file_is_copied_and_copied_again() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (
        directory.path().join("shop.db"),
        directory.path().join("copy.db"),
    );
    let source = Connection::open(&from).unwrap();
    source
        .execute_batch(
            "create table orders (id integer primary key, note text);
             insert into orders values (1, 'one'), (2, 'two'), (3, null);
             create table visits (page text);
             insert into visits values ('/a'), ('/a');",
        )
        .unwrap();
    let urls = [
        format!("sqlite:{}", from.display()),
        format!("sqlite:{}", to.display()),
    ];
    let sync = || {
        selvedge(&[
            "sync",
            "--source",
            &urls[0],
            "--destination",
            &urls[1],
            "--json",
        ])
    };
    let first = sync();
    assert!(first.status.success(), "{}", text(&first.stderr));
    let report: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert_eq!(report["succeeded"], true);
    let copy = Connection::open(&to).unwrap();
    let count = |sql: &str| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("select count(*) from shop__orders"), 3);
    assert_eq!(
        count("select count(distinct __sdc_primary_key) from shop__visits"),
        2
    );

    source
        .execute_batch(
            "delete from orders where id = 1; update orders set note = 'TWO' where id = 2",
        )
        .unwrap();
    assert!(sync().status.success());
    assert_eq!(
        count("select count(*) from shop__orders"),
        2,
        "a full copy takes the place of the old one"
    );
    assert_eq!(
        count("select count(*) from shop__orders where note = 'TWO'"),
        1
    );
}

#[test]
fn an_unknown_stream_is_refused_with_the_known_ones() {
    let directory = tempfile::tempdir().unwrap();
    let from = directory.path().join("shop.db");
    Connection::open(&from)
        .unwrap()
        .execute_batch("create table orders (id integer primary key)")
        .unwrap();
    let (from, to) = (
        format!("sqlite:{}", from.display()),
        format!("sqlite:{}", directory.path().join("copy.db").display()),
    );
    let refused = selvedge(&[
        "sync",
        "--source",
        &from,
        "--destination",
        &to,
        "--streams",
        "ordres",
    ]);
    let error = text(&refused.stderr);
    assert!(
        !refused.status.success() && error.contains("ordres") && error.contains("orders"),
        "{error}"
    );
}

#[test]
fn an_unreachable_host_fails_without_showing_the_password() {
    let directory = tempfile::tempdir().unwrap();
    let to = format!("sqlite:{}", directory.path().join("copy.db").display());
    let failed = selvedge(&[
        "sync",
        "--source",
        "postgres://u:hunter2@127.0.0.1:1/db",
        "--destination",
        &to,
    ]);
    let error = text(&failed.stderr);
    assert!(
        !failed.status.success() && error.contains("Connection refused"),
        "{error}"
    );
    assert!(!error.contains("hunter2"));
}
