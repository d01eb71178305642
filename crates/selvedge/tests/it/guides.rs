//! The guides of `GET /docs` are pasted into a shell, as they stand on the page.

use std::process::Stdio;

use selvedge_testkit::postgres::TestDatabase;
use selvedge_testkit::server::ServerProcess;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::pipeline::{count, execute};
use crate::platform::{settings, text};

/// What stands between the marks of a guide's commands on the page.
const OPEN: &str = r#"<code class="shell">"#;
const CLOSE: &str = "</code>";

#[tokio::test]
async fn every_guide_of_the_page_runs_when_it_is_pasted_into_a_shell() {
    let (shop, warehouse) = (TestDatabase::create().await, TestDatabase::create().await);
    execute(
        &shop.connect().await,
        "create table orders (id bigint primary key, note text, updated_at timestamptz not null default now());
         insert into orders (id, note) select i, 'note ' || i from generate_series(1, 250) i;",
    )
    .await;
    let server = ServerProcess::start(settings()).await;
    let partner = server
        .run_json(&["partner", "create", "--name", "Acme", "--json"])
        .await;

    let address = format!("{}/docs", server.base());
    let page = reqwest::get(&address).await.expect("the server answers");
    assert_eq!(page.status(), 200);
    let page = page.text().await.expect("the page is text");
    let guides: Vec<String> = page
        .split(OPEN)
        .skip(1)
        .filter_map(|rest| rest.split_once(CLOSE))
        .map(|(commands, _)| unescape(commands))
        .collect();
    assert!(guides.len() >= 10, "only {} guides found", guides.len());

    let mut shell = Command::new("bash")
        .args(["-e", "-u", "-o", "pipefail"])
        .current_dir(server.data_dir())
        .env("PARTNER_ID", text(&partner["partner_id"]))
        .env("PARTNER_SECRET", text(&partner["partner_secret"]))
        .envs(database("SHOP", &shop))
        .envs(database("WAREHOUSE", &warehouse))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash runs");
    let mut input = shell.stdin.take().expect("standard input is a pipe");
    let commands = guides.join("\n");
    let written = tokio::spawn(async move { input.write_all(commands.as_bytes()).await });
    let output = shell.wait_with_output().await.expect("bash ends");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    written
        .await
        .expect("no panic")
        .expect("bash reads all of it");

    assert!(said.contains("field_selection"), "{said}");
    assert!(said.contains("whsec_"), "{said}");
    assert!(said.contains("Batch Accepted!"), "{said}");
    let replica = warehouse.connect().await;
    assert_eq!(
        count(
            &replica,
            "select count(*) from shop.orders where id is not null"
        )
        .await,
        250
    );
    let columns = "select count(*) from information_schema.columns
        where table_schema = 'shop' and table_name = 'orders' and column_name = 'note'";
    assert_eq!(
        count(&replica, columns).await,
        0,
        "the field left out arrived"
    );
}

fn database(prefix: &str, database: &TestDatabase) -> [(String, String); 5] {
    [
        ("HOST", database.host.clone()),
        ("PORT", database.port.to_string()),
        ("DATABASE", database.name.clone()),
        ("USER", database.user.clone()),
        ("PASSWORD", database.password.clone()),
    ]
    .map(|(name, value)| (format!("{prefix}_{name}"), value))
}

/// Takes the escaping of the page away.
fn unescape(html: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#38;", "&"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(html.to_owned(), |text, (from, to)| text.replace(from, to))
}
