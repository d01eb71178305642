//! Answers held against the OpenAPI document, so that the document cannot drift from the server: status, headers, media type,
//! and the body with no key that the document does not name.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

/// An answer to be held against the document.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    pub method: &'a Method,
    /// With or without a query.
    pub path: &'a str,
    pub status: StatusCode,
    pub headers: &'a HeaderMap,
    pub text: &'a str,
}

/// The document, as the server gives it out.
pub struct Described {
    document: Value,
    /// By the schema's text: compiling one takes longer than most requests.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
    /// Hashes of bodies that are as documented: the long ones are asked for often.
    seen: Mutex<HashSet<u64>>,
}

impl Described {
    pub fn new(mut document: Value) -> Self {
        let schemas = document["components"]["schemas"].as_object_mut();
        for schema in schemas.expect("components have schemas").values_mut() {
            forbid_unnamed_keys(schema);
        }
        Self {
            document,
            validators: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// Panics when the document does not say that this request may get this answer.
    #[track_caller]
    pub fn check(&self, answered: Answered<'_>) {
        let Answered {
            method,
            path,
            status,
            headers,
            text,
        } = answered;
        let asked = format!("{method} {path}");
        if *method == Method::OPTIONS && status == StatusCode::OK {
            // A browser's question before it calls; the document is about the calls.
            return;
        }
        let Some(operation) = self.operation(method, path) else {
            assert_eq!(
                status,
                StatusCode::NOT_FOUND,
                "{asked} is answered, but is not in the OpenAPI document: the handler needs #[utoipa::path] and routes!"
            );
            return;
        };
        let response = self.resolve(&operation["responses"][status.as_str()]);
        assert!(
            response.is_object(),
            "{asked}: the document knows no answer {status}: {text}"
        );
        for name in keys(&response["headers"]) {
            assert!(
                headers.contains_key(name),
                "{asked}: {status} has no header {name}"
            );
        }
        let Some(contents) = response["content"].as_object() else {
            assert_eq!(text, "", "{asked}: {status} is documented without a body");
            return;
        };
        let found = headers["content-type"].to_str().unwrap();
        let content = contents
            .iter()
            .find(|(media_type, _)| found.starts_with(media_type.as_str()));
        let Some((media_type, content)) = content else {
            panic!(
                "{asked}: {status} is {found}, not one of {:?}",
                contents.keys()
            );
        };
        let known = || {
            let mut hasher = DefaultHasher::new();
            (content["schema"].to_string(), text).hash(&mut hasher);
            !self.seen.lock().unwrap().insert(hasher.finish())
        };
        if media_type == "application/json" && *method != Method::HEAD && !known() {
            let body: Value = serde_json::from_str(text).unwrap();
            self.validate(&format!("{asked}: {status}"), &content["schema"], &body);
        }
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let path = path.split('?').next().unwrap_or_default();
        let method = match *method {
            Method::HEAD => "get".to_owned(),
            _ => method.as_str().to_lowercase(),
        };
        let paths = self.document["paths"].as_object()?;
        paths
            .iter()
            .filter(|(template, item)| matches(template, path) && item.get(&method).is_some())
            .min_by_key(|(template, _)| template.matches('{').count())
            .map(|(_, item)| &item[&method])
    }

    /// Follows a reference.
    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self
                .document
                .pointer(reference.trim_start_matches('#'))
                .expect("references lead somewhere"),
            None => value,
        }
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let compiled = validators.entry(schema.to_string()).or_insert_with(|| {
            let mut whole = schema.as_object().cloned().unwrap_or_default();
            whole.insert("components".to_owned(), self.document["components"].clone());
            let compiled = jsonschema::draft202012::new(&Value::Object(whole));
            Arc::new(compiled.unwrap_or_else(|error| panic!("{schema}: {error}")))
        });
        Arc::clone(compiled)
    }

    #[track_caller]
    fn validate(&self, what: &str, schema: &Value, value: &Value) {
        let validator = self.validator(schema);
        let errors: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(
            errors.is_empty(),
            "{what} is not as documented: {errors:#?}\n{value:#}"
        );
    }
}

/// `/v4/sources/{source_id}` has `/v4/sources/7`.
fn matches(template: &str, path: &str) -> bool {
    let (mut expected, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return true,
            (Some(expected), Some(found)) if expected == found => {}
            (Some(expected), Some(found)) if expected.starts_with('{') && !found.is_empty() => {}
            _ => return false,
        }
    }
}

fn keys(object: &Value) -> impl Iterator<Item = &str> {
    object
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
}

/// Clients have to expect new keys; tests must not.
fn forbid_unnamed_keys(schema: &mut Value) {
    if schema["properties"].is_object() && schema.get("additionalProperties").is_none() {
        schema["additionalProperties"] = json!(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Described {
        Described::new(json!({
            "paths": {"/things/{id}": {"get": {"responses": {"200": {
                "headers": {"X-Count": {}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
            }}}}},
            "components": {"schemas": {"Thing": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}}},
        }))
    }

    fn checked(path: &str, status: u16, body: &str) -> bool {
        let headers = [("content-type", "application/json"), ("x-count", "1")];
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        let answered = Answered {
            method: &Method::GET,
            path,
            status: StatusCode::from_u16(status).unwrap(),
            headers: &headers,
            text: body,
        };
        std::panic::catch_unwind(|| sample().check(answered)).is_ok()
    }

    #[test]
    fn what_the_document_does_not_say_fails_a_test() {
        assert!(checked("/things/7?page=1", 200, r#"{"id":7}"#));
        assert!(checked("/nowhere", 404, "{}"));
        for (path, status, body) in [
            ("/things/7", 200, r#"{"id":"7"}"#),
            ("/things/7", 200, "{}"),
            ("/things/7", 200, r#"{"id":7,"name":"new"}"#),
            ("/things/7", 201, r#"{"id":7}"#),
            ("/nowhere", 200, "{}"),
        ] {
            assert!(!checked(path, status, body), "{path} {status} {body}");
        }
    }
}
