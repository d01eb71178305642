//! The OpenAPI document as a list of requests, for tests that walk over every operation. A new operation is walked without a
//! line here; a new kind of id has to be added to [`Victim`].

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use crate::app::{Tenant, TestApp};

/// An operation as the document describes it.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// With `{name}` for what is variable.
    pub(crate) path: String,
    /// Name, place and example.
    pub(crate) parameters: Vec<(String, String, Value)>,
    /// The documented sample; `None` where no body is asked for.
    pub(crate) body: Option<Value>,
    /// Every name that the body may have.
    pub(crate) fields: Vec<String>,
    /// Whether it takes no token.
    pub(crate) open: bool,
}

impl Operation {
    /// Its address and body with these ids.
    pub(crate) fn request(&self, ids: &BTreeMap<&str, String>) -> (String, Value) {
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
        let mut body = self.body.clone().unwrap_or_default();
        replace(&mut body, ids);
        (path, body)
    }

    /// Whether its address names something of an account.
    pub(crate) fn names_tenant_data(&self, ids: &BTreeMap<&str, String>) -> bool {
        let mut names = self.parameters.iter().map(|(name, _, _)| name.as_str());
        names.any(|name| ids.contains_key(name))
    }
}

/// Puts the values of these names in the place of the documented ones: as JSON if they are, otherwise as a text.
fn replace(value: &mut Value, values: &BTreeMap<&str, String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match values.get(key.as_str()) {
                    Some(text) => {
                        let parsed = serde_json::from_str(text);
                        *value = parsed.unwrap_or_else(|_| text.as_str().into());
                    }
                    None => replace(value, values),
                }
            }
        }
        Value::Array(elements) => elements
            .iter_mut()
            .for_each(|element| replace(element, values)),
        _ => {}
    }
}

/// Every operation of the document.
pub(crate) async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.send("GET", "/openapi.json", None, None).await.ok();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let schema = operation
                .pointer("/requestBody/content/application~1json/schema/$ref")
                .map(|reference| reference.as_str().unwrap().trim_start_matches('#'));
            let sample =
                schema.and_then(|schema| document.pointer(&format!("{schema}/examples/0")));
            assert_eq!(
                sample.is_some(),
                operation["requestBody"].is_object(),
                "{path}: a body without a sample"
            );
            let fields =
                schema.and_then(|schema| document.pointer(&format!("{schema}/properties")));
            let fields = fields.and_then(Value::as_object);
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
                body: sample.cloned(),
                fields: fields.into_iter().flat_map(Map::keys).cloned().collect(),
                open: operation.get("security").is_some(),
            });
        }
    }
    operations
}

/// An account with one of everything that has an id.
pub(crate) struct Victim {
    pub(crate) tenant: Tenant,
    pub(crate) ids: BTreeMap<&'static str, String>,
    /// The source that data is pushed to.
    pushed: String,
}

impl Victim {
    pub(crate) async fn create(app: &TestApp, email: &str) -> Self {
        let tenant = app.tenant(email).await;
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
        Self {
            tenant,
            ids,
            pushed: pushed["id"].to_string(),
        }
    }

    /// The ids for an operation: tokens belong to a source that data is pushed to.
    pub(crate) fn ids_for(&self, operation: &Operation) -> BTreeMap<&'static str, String> {
        let mut ids = self.ids.clone();
        if operation.path.contains("/tokens") {
            ids.insert("source_id", self.pushed.clone());
        }
        ids
    }

    /// Everything of the account that can be read.
    pub(crate) async fn state(&self, app: &TestApp) -> Vec<String> {
        let mut state = Vec::new();
        for operation in operations(app).await {
            if operation.method == Method::GET && !operation.open {
                let (path, _) = operation.request(&self.ids_for(&operation));
                state.push(format!(
                    "{path}: {}",
                    app.get(&self.tenant, &path).await.text
                ));
            }
        }
        state
    }
}
