//! Every operation that takes a token of a source, asked with what is none.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::Pushed;

/// Addresses and methods of the operations that a token of a source opens.
fn operations(document: &Value) -> Vec<(Method, String)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"] == json!([{ "import_token": [] }]) {
                let method = method.to_uppercase().parse().unwrap();
                found.push((method, path.clone()));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_operation_refuses_what_is_no_token_of_an_active_source() {
    let pushed = Pushed::start().await;
    let platform = &pushed.platform;
    let document = platform.api.get("/openapi.json").await.status(200);
    let operations = operations(&document);
    assert!(operations.len() > 2, "{operations:?}");

    let (id, revoked) = pushed.new_token().await;
    let path = format!("/v4/sources/{}/tokens/{id}", pushed.source);
    platform.api.delete(&path).await.status(200);
    let created = platform
        .api
        .post("/v3/sessions/ephemeral", &Value::Null)
        .await;
    let ephemeral = created.status(200)["ephemeral_token"].clone();
    let body = json!({ "type": "import_api", "display_name": "Gone", "properties": {} });
    let gone = platform.api.post("/v4/sources", &body).await.status(200)["id"].clone();
    let created = platform
        .api
        .post(&format!("/v4/sources/{gone}/tokens"), &Value::Null)
        .await;
    let of_deleted = created.status(200)["access_token"].clone();
    platform
        .api
        .delete(&format!("/v4/sources/{gone}"))
        .await
        .status(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for (what, token) in [
        ("nothing", None),
        ("a word", Some("nonsense".to_owned())),
        ("an account's token", Some(platform.token().to_owned())),
        ("an ephemeral token", Some(text(&ephemeral))),
        ("a revoked token", Some(revoked)),
        ("a token of a deleted source", Some(text(&of_deleted))),
    ] {
        for (method, path) in &operations {
            let said = pushed
                .raw(|http, base| {
                    let request = http
                        .request(method.clone(), format!("{base}{path}"))
                        .header(CONTENT_TYPE, "application/json")
                        .body("[]");
                    match &token {
                        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
                        None => request,
                    }
                })
                .await;
            assert_eq!(said.status, 401, "{what} at {path}: {}", said.text);
        }
    }
}
