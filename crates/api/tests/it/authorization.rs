//! Every operation of the OpenAPI document, asked by those who may not.

use std::collections::BTreeMap;

use selvedge_store::tokens;
use selvedge_types::{AccountId, AccountScope};
use serde_json::{Value, json};

use crate::app::{Answer, Tenant, TestApp};
use crate::walk::{Operation, Victim, operations};

/// The operations that take no token, with the reason.
const OPEN: [(&str, &str); 6] = [
    ("openapi_document", "it is public"),
    ("health", "asked by whatever watches the process"),
    ("readiness", "asked by whatever spreads the load"),
    (
        "create_account",
        "the partner's credentials are in the body",
    ),
    ("exchange_code", "the partner's secret is in the body"),
    ("read_log", "the signature is in the address"),
];

async fn ask(
    app: &TestApp,
    operation: &Operation,
    token: Option<&str>,
    ids: &BTreeMap<&str, String>,
) -> Answer {
    let (path, body) = operation.request(ids);
    let method = operation.method.as_str();
    app.send(method, &path, token, Some(&body)).await
}

#[tokio::test]
async fn only_the_named_operations_are_open() {
    let app = TestApp::start().await;
    let mut open: Vec<String> = operations(&app)
        .await
        .into_iter()
        .filter(|operation| operation.open)
        .map(|operation| operation.id)
        .collect();
    open.sort();
    let mut expected = OPEN.map(|(id, _)| id);
    expected.sort_unstable();
    assert_eq!(open, expected);
}

#[tokio::test]
async fn no_operation_takes_a_credential_that_is_not_an_access_token_of_now() {
    let app = TestApp::start().await;
    let victim = Victim::create(&app, "ada@acme.example").await;
    let scope = AccountScope::of(AccountId(victim.tenant.account));
    let mut tx = app.control.store().begin().await.unwrap();
    let (id, revoked) = tokens::mint(&mut tx, scope, None, app.control.now())
        .await
        .unwrap();
    tokens::revoke(&mut tx, scope, id, app.control.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let expired = app
        .post(&victim.tenant, "/v3/sessions/ephemeral", Value::Null)
        .await
        .ok();
    app.clock.advance_seconds(3_600);
    let body = json!({"type": "import_api", "display_name": "Other"});
    let pushed = app.post(&victim.tenant, "/v4/sources", body).await.ok();
    let path = format!("/v4/sources/{}/tokens", pushed["id"]);
    let import_token = app.post(&victim.tenant, &path, Value::Null).await.ok();
    let form = app.account_form("");

    let before = victim.state(&app).await;
    for (what, token) in [
        ("nothing", None),
        ("a word", Some("nonsense")),
        ("a revoked token", Some(revoked.expose())),
        (
            "an expired ephemeral token",
            expired["ephemeral_token"].as_str(),
        ),
        ("an Import API token", import_token["access_token"].as_str()),
        ("a partner's secret", form["partner_secret"].as_str()),
    ] {
        assert!(what == "nothing" || token.is_some(), "{what}");
        for operation in operations(&app).await {
            if !operation.open {
                let answer = ask(&app, &operation, token, &victim.ids).await;
                assert_eq!(
                    answer.status, 401,
                    "{what} at {}: {}",
                    operation.id, answer.text
                );
            }
        }
    }
    assert_eq!(victim.state(&app).await, before);
}

#[tokio::test]
async fn every_operation_treats_ids_of_another_account_like_unknown_ones() {
    let app = TestApp::start().await;
    let victim = Victim::create(&app, "ada@acme.example").await;
    let attacker = app.tenant("bob@rival.example").await;
    let token = Some(attacker.token.as_str());
    let before = victim.state(&app).await;
    let mut walked = 0;
    for operation in operations(&app).await {
        if operation.open || !operation.names_tenant_data(&victim.ids) {
            continue;
        }
        walked += 1;
        // In the victim's name, and in the attacker's own.
        for account in [victim.tenant.account, attacker.account] {
            let mut foreign = victim.ids.clone();
            foreign.insert("account_id", account.to_string());
            let mut unknown = unknown(&victim.ids);
            if account == attacker.account {
                unknown.insert("account_id", account.to_string());
            }
            let given = ask(&app, &operation, token, &foreign).await;
            let expected = ask(&app, &operation, token, &unknown).await;
            assert_eq!(
                (given.status, without_ids(&given.text, &foreign, &attacker)),
                (
                    expected.status,
                    without_ids(&expected.text, &unknown, &attacker)
                ),
                "{} tells a foreign id from an unknown one",
                operation.id
            );
            // A list without entries, or the number of recipients that were deleted.
            let empty = ["[]", "[0]", r#"{"data":[],"page":1,"total":0,"links":{}}"#];
            assert!(
                given.status != 200 || empty.contains(&given.text.as_str()),
                "{}: {}",
                operation.id,
                given.text
            );
        }
    }
    assert!(walked > 15, "{walked} operations name tenant data");
    assert_eq!(victim.state(&app).await, before);
}

/// Ids of the same form that nothing has.
fn unknown(ids: &BTreeMap<&'static str, String>) -> BTreeMap<&'static str, String> {
    let unknown = |(index, (name, id)): (usize, (&&'static str, &String))| {
        let id = match id.parse::<i64>() {
            Ok(_) => (900_001 + index).to_string(),
            Err(_) => "900100.900101.sync.00000000-0000-4000-8000-000000000000".to_owned(),
        };
        (*name, id)
    };
    ids.iter().enumerate().map(unknown).collect()
}

/// Texts repeat ids, and the caller's own.
fn without_ids(text: &str, ids: &BTreeMap<&'static str, String>, caller: &Tenant) -> String {
    let caller = caller.account.to_string();
    ids.values()
        .chain([&caller])
        .fold(text.to_owned(), |text, id| text.replace(id.as_str(), "ID"))
}
