//! The OpenAPI document of the whole server.

use selvedge_testkit::server::ServerProcess;
use serde_json::Value;

use crate::platform::settings;

/// The copy that is read without a server.
pub(crate) const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

#[tokio::test]
async fn the_copy_in_docs_is_what_the_server_gives_out() {
    let server = ServerProcess::start(settings()).await;
    let document: Value = server.client().get("/openapi.json").await.status(200);
    assert_eq!(document["openapi"], "3.1.0");
    let text = format!("{document:#}\n");
    if std::env::var_os("SELVEDGE_UPDATE_OPENAPI").is_some() {
        std::fs::write(COPY, text).unwrap();
        return;
    }
    let copy = std::fs::read_to_string(COPY).unwrap_or_default();
    let same = copy == text;
    assert!(
        same,
        "docs/openapi.json is not what the server gives out; renew it, and look at what has changed:\n  \
         SELVEDGE_UPDATE_OPENAPI=1 cargo test -p selvedge --test it openapi && git diff docs/openapi.json"
    );
}

/// Both parts of the server describe themselves, and neither replaces what the other says.
#[tokio::test]
async fn every_operation_has_an_id_of_its_own_and_every_reference_leads_somewhere() {
    let server = ServerProcess::start(settings()).await;
    let document: Value = server.client().get("/openapi.json").await.status(200);
    let mut ids = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            ids.push(operation["operationId"].as_str().unwrap());
        }
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    assert!(ids.contains(&"import_batch") && ids.contains(&"create_source"));
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let (pointer, _) = reference.split_once('"').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
