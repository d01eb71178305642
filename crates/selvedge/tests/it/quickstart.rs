//! `selvedge quickstart`: the tour ends well, against files and against databases.

use selvedge_testkit::postgres::TestDatabase;

use crate::command_line::{selvedge, text};
use crate::pipeline::count;

#[test]
fn the_tour_needs_nothing_but_the_binary() {
    let directory = tempfile::tempdir().unwrap();
    let tour = directory.path().join("tour");
    let tour = tour.display().to_string();
    let toured = selvedge(&["quickstart", "--customers", "50", "--directory", &tour]);
    let (said, errors) = (text(&toured.stdout), text(&toured.stderr));
    assert!(toured.status.success(), "{said}\n{errors}");
    assert!(
        said.contains("POST /v4/sources") && said.contains("the same"),
        "{said}"
    );
    assert!(!said.contains("DIFFERENT"), "{said}");

    let again = selvedge(&["quickstart", "--directory", &tour]);
    assert!(!again.status.success());
    assert!(
        text(&again.stderr).contains("exists already"),
        "{}",
        text(&again.stderr)
    );
}

#[tokio::test]
async fn the_tour_goes_between_databases_too() {
    let (from, to) = (TestDatabase::create().await, TestDatabase::create().await);
    let directory = tempfile::tempdir().unwrap();
    let tour = directory.path().join("tour").display().to_string();
    let arguments = [
        "quickstart",
        "--customers",
        "50",
        "--directory",
        &tour,
        "--source",
        &from.url(),
        "--destination",
        &to.url(),
    ]
    .map(str::to_owned);
    let toured =
        tokio::task::spawn_blocking(move || selvedge(&arguments.each_ref().map(String::as_str)))
            .await
            .unwrap();
    let (said, errors) = (text(&toured.stdout), text(&toured.stderr));
    assert!(toured.status.success(), "{said}\n{errors}");
    assert!(!said.contains("DIFFERENT"), "{said}");
    assert!(!said.contains(&from.password), "{said}");
    let replica = to.connect().await;
    assert_eq!(
        count(&replica, "select count(*) from shop.customers").await,
        50
    );
}
