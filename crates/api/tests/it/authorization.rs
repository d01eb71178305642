//! Every operation of the OpenAPI document, asked by those who may not. A new operation is walked without a line here; a new
//! kind of id has to be added to [`Victim`].

use std::collections::BTreeMap;

use http::Method;
use selvedge_store::tokens;
use selvedge_types::{AccountId, AccountScope};
use serde_json::{Value, json};

use crate::app::{Answer, Tenant, TestApp};

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

/// An operation as the document describes it.
struct Operation {
    id: String,
    method: Method,
    path: String,
    /// Name, place and example.
    parameters: Vec<(String, String, Value)>,
    body: Value,
    open: bool,
}

impl Operation {
    /// Its address and body with these ids.
    fn request(&self, ids: &BTreeMap<&str, String>) -> (String, Value) {
        let mut path = self.path.clone();
        let mut query = Vec::new();
        for (name, place, example) in &self.parameters {
            match (place.as_str(), ids.get(name.as_str())) {
                ("path", id) => {
                    let example = example.as_str().map(str::to_owned);
                    let value = id.cloned().or(example);
                    let value = value.unwrap_or_else(|| {
                        panic!("{}: the victim has no {name}; give it one", self.id)
                    });
                    path = path.replace(&format!("{{{name}}}"), &value);
                }
                ("query", Some(id)) => query.push(format!("{name}={id}")),
                _ => {}
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let mut body = self.body.clone();
        replace_ids(&mut body, ids);
        (path, body)
    }

    /// Whether its address names something of an account.
    fn names_tenant_data(&self, ids: &BTreeMap<&str, String>) -> bool {
        let mut names = self.parameters.iter().map(|(name, _, _)| name.as_str());
        names.any(|name| ids.contains_key(name))
    }
}

fn replace_ids(value: &mut Value, ids: &BTreeMap<&str, String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match ids.get(key.as_str()).map(|id| id.parse::<i64>()) {
                    Some(Ok(id)) => *value = id.into(),
                    _ => replace_ids(value, ids),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| replace_ids(value, ids)),
        _ => {}
    }
}

async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.send("GET", "/openapi.json", None, None).await.ok();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let schema = operation
                .pointer("/requestBody/content/application~1json/schema/$ref")
                .map(|reference| reference.as_str().unwrap().trim_start_matches('#'));
            let example =
                schema.and_then(|schema| document.pointer(&format!("{schema}/examples/0")));
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                parameters: parameters
                    .map(|parameter| {
                        let text = |key: &str| parameter[key].as_str().unwrap().to_owned();
                        (text("name"), text("in"), parameter["example"].clone())
                    })
                    .collect(),
                body: example.cloned().unwrap_or_default(),
                open: operation.get("security").is_some(),
            });
        }
    }
    operations
}

/// An account with one of everything that has an id.
struct Victim {
    tenant: Tenant,
    ids: BTreeMap<&'static str, String>,
}

impl Victim {
    async fn create(app: &TestApp) -> Self {
        let tenant = app.tenant("ada@acme.example").await;
        let source = app.configured_source(&tenant, "Shop").await;
        let path = format!("/v4/sources/{source}");
        let destination = app.get(&tenant, &path).await.ok()["destination_id"].to_string();
        let streams = app.get(&tenant, &format!("{path}/streams")).await.ok();
        let job = app
            .post(&tenant, &format!("{path}/sync"), Value::Null)
            .await
            .ok();
        let pushed = json!({"type": "import_api", "display_name": "Pushed"});
        let pushed = app.post(&tenant, "/v4/sources", pushed).await.ok();
        let token = app
            .post(
                &tenant,
                &format!("/v4/sources/{}/tokens", pushed["id"]),
                Value::Null,
            )
            .await
            .ok();
        let notifications = "/notifications/public/v1/api";
        let email = json!({"email_address": "ops@acme.example"});
        let email = app
            .post(&tenant, &format!("{notifications}/custom-emails"), email)
            .await
            .ok();
        let hook = json!({
            "type": "post_load",
            "destination_id": destination.parse::<i64>().unwrap(),
            "config": {"url": "https://hooks.acme.example/in"},
        });
        let hook = app
            .post(&tenant, &format!("{notifications}/hooks"), hook)
            .await
            .ok();
        let ids = BTreeMap::from([
            ("account_id", tenant.account.to_string()),
            ("source_id", source.to_string()),
            ("destination_id", destination),
            ("stream_id", streams[0]["stream_id"].to_string()),
            ("job_name", job["job_name"].as_str().unwrap().to_owned()),
            ("token_id", token["id"].to_string()),
            ("custom_email_id", email["id"].to_string()),
            ("hook_id", hook["id"].to_string()),
        ]);
        Self { tenant, ids }
    }

    /// Everything of the account that can be read.
    async fn state(&self, app: &TestApp) -> Vec<String> {
        let mut state = Vec::new();
        for operation in operations(app).await {
            if operation.method == Method::GET && !operation.open {
                let (path, _) = operation.request(&self.ids);
                state.push(format!(
                    "{path}: {}",
                    app.get(&self.tenant, &path).await.text
                ));
            }
        }
        state
    }
}

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
    let victim = Victim::create(&app).await;
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
    let victim = Victim::create(&app).await;
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
