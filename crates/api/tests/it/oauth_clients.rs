//! Types with an `oauth` step, with and without client credentials of the operator.

use std::collections::BTreeMap;

use selvedge_catalog::{Catalog, OauthClients};
use selvedge_types::Secret;
use serde_json::{Value, json};

use crate::app::TestApp;

/// A server whose operator is known to Asana.
async fn supplied() -> TestApp {
    let values = [
        ("client_id", "ours"),
        ("client_secret", "hunter2"),
        ("redirect_uri", "https://pipes.example.com/asana"),
    ]
    .map(|(name, value)| (name.to_owned(), Secret::new(value)));
    let clients = BTreeMap::from([("platform.asana".to_owned(), BTreeMap::from(values))]);
    let clients = OauthClients::new(Catalog::global(), clients).unwrap();
    TestApp::with(|settings| settings.oauth_clients = clients, |state| state).await
}

fn new_source(properties: Value) -> Value {
    json!({"type": "platform.asana", "display_name": "Tasks", "properties": properties})
}

/// The names of the `oauth` step's properties that have a value.
fn provided(source: &Value) -> Vec<&str> {
    source["report_card"]["steps"][1]["properties"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|property| property["provided"] == true)
        .map(|property| property["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn without_client_credentials_everything_is_asked_of_the_user() {
    let app = TestApp::start().await;
    let tenant = app.tenant("ada@acme.example").await;
    let form = json!({"start_date": "2030-01-01T00:00:00Z", "refresh_token": "theirs"});
    let source = app
        .post(&tenant, "/v4/sources", new_source(form))
        .await
        .ok();
    assert_eq!(provided(&source), ["refresh_token"]);
    assert_eq!(source["report_card"]["current_step_type"], "oauth");
    assert_eq!(source["check_job_name"], Value::Null);

    let path = format!("/v4/sources/{}", source["id"]);
    let rest = json!({"properties": {
        "client_id": "theirs", "client_secret": "theirs too", "redirect_uri": "https://acme.example.com/asana",
    }});
    let source = app.put(&tenant, &path, rest).await.ok();
    assert_eq!(
        provided(&source),
        [
            "client_id",
            "client_secret",
            "redirect_uri",
            "refresh_token"
        ]
    );
    assert_eq!(
        source["report_card"]["current_step_type"],
        "discover_schema"
    );
    assert!(source["check_job_name"].is_string());
    assert_eq!(source["properties"]["client_id"], "theirs");
}

#[tokio::test]
async fn client_credentials_of_the_operator_complete_the_step() {
    let app = supplied().await;
    let tenant = app.tenant("ada@acme.example").await;
    let source = app
        .post(
            &tenant,
            "/v4/sources",
            new_source(json!({"refresh_token": "theirs"})),
        )
        .await;
    assert!(!source.text.contains("hunter2"), "{}", source.text);
    let source = source.ok();
    assert_eq!(
        provided(&source),
        [
            "client_id",
            "client_secret",
            "redirect_uri",
            "refresh_token"
        ]
    );
    assert_eq!(source["properties"]["client_id"], "ours");
    assert_eq!(source["report_card"]["current_step_type"], "form");

    let path = format!("/v4/sources/{}", source["id"]);
    let form = json!({"properties": {"start_date": "2030-01-01T00:00:00Z"}});
    let source = app.put(&tenant, &path, form).await.ok();
    assert_eq!(
        source["report_card"]["current_step_type"],
        "discover_schema"
    );
}

#[tokio::test]
async fn a_user_with_a_client_of_his_own_keeps_it() {
    let app = supplied().await;
    let tenant = app.tenant("ada@acme.example").await;
    let own = json!({"client_id": "theirs", "client_secret": "theirs too"});
    let source = app.post(&tenant, "/v4/sources", new_source(own)).await.ok();
    assert_eq!(source["properties"]["client_id"], "theirs");
    let path = format!("/v4/sources/{}", source["id"]);
    let update = json!({"properties": {"refresh_token": "r"}});
    let source = app.put(&tenant, &path, update).await.ok();
    assert_eq!(source["properties"]["client_id"], "theirs");
}

#[tokio::test]
async fn a_type_card_never_shows_what_the_operator_supplies() {
    let app = supplied().await;
    let tenant = app.tenant("ada@acme.example").await;
    let card = app.get(&tenant, "/v4/source-types/platform.asana").await;
    assert!(!card.text.contains("ours") && !card.text.contains("hunter2"));
    assert!(!card.text.contains(r#""provided":true"#));
}
