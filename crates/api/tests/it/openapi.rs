//! This part of the OpenAPI document is complete.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::app::TestApp;

async fn document() -> Value {
    let app = TestApp::start().await;
    app.send("GET", "/openapi.json", None, None).await.ok()
}

fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter()
            .map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

/// A handler that is routed without `routes!` would be served and not be in the document.
#[tokio::test]
async fn every_handler_is_in_the_document() {
    let document = document().await;
    let documented: BTreeSet<String> = operations(&document)
        .map(|(_, operation)| operation["operationId"].as_str().unwrap().to_owned())
        .collect();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut handlers = BTreeSet::new();
    collect_handlers(&sources.join("routes"), &mut handlers);
    assert!(handlers.len() > 20, "handlers are found: {handlers:?}");
    assert_eq!(documented, handlers);

    let router = std::fs::read_to_string(sources.join("router.rs")).unwrap();
    for bypass in [".route(", ".route_service(", ".nest(", ".nest_service("] {
        assert!(!router.contains(bypass), "{bypass} bypasses the document");
    }
}

/// Names of the functions that a file `routes/<resource>/<verb>.rs` is about.
fn collect_handlers(folder: &Path, handlers: &mut BTreeSet<String>) {
    let entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for path in entries {
        if path.is_dir() {
            collect_handlers(&path, handlers);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let names = text.lines().filter_map(|line| {
            let rest = line.strip_prefix("pub(crate) async fn ")?;
            rest.split(['(', '<']).next()
        });
        handlers.extend(names.map(str::to_owned));
    }
}

#[tokio::test]
async fn every_operation_is_described() {
    let document = document().await;
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let mut names = BTreeSet::new();
    for (name, operation) in operations(&document) {
        assert!(operation["summary"].is_string(), "{name} has no summary");
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(tags.contains(tag), "{name}: {tag} is no section");
        assert!(
            names.insert(operation["operationId"].as_str().unwrap()),
            "{name}: its operationId is not unique"
        );
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.contains_key("200") || responses.contains_key("302"),
            "{name}: no success"
        );
        assert!(responses.contains_key("500"), "{name}");
        let open = operation.get("security").is_some();
        assert_eq!(responses.contains_key("401"), !open, "{name}");
        if operation["requestBody"].is_object() {
            let content = operation["requestBody"]["content"].as_object().unwrap();
            for body in content.values() {
                let schema = body["schema"]["$ref"].as_str().unwrap();
                let schema = document.pointer(schema.trim_start_matches('#')).unwrap();
                assert!(schema["examples"].is_array(), "{name}: no example body");
            }
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"].is_string(),
                "{name}: {} has no description",
                parameter["name"]
            );
        }
    }
}
