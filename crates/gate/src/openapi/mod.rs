//! What the gate answers, described for the server's OpenAPI document. Handlers describe themselves (`#[utoipa::path]`); the
//! shapes of bodies and the refusals that endpoints share are here.

mod bodies;
mod refusals;

use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

pub(crate) use bodies::{
    Accepted, BatchBody, BatchProblem, ErrorMessage, Forbidden, PushBody, PushRefusal,
    RecordRefusal, Status, Valid, WebhookBody, WebhookPath,
};
pub(crate) use refusals::{Common, NeedsToken, OfRecords};

use crate::routes;

/// Name of the security scheme.
const IMPORT_TOKEN: &str = "import_token";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Selvedge", description = "", license(name = "Apache-2.0")),
    paths(
        routes::status::status,
        routes::batch::batch,
        routes::push::push,
        routes::push::validate,
        routes::webhook::webhook,
    ),
    // What only shared refusals refer to.
    components(schemas(refusals::Unauthorized, ErrorMessage, PushRefusal, Forbidden, RecordRefusal)),
    tags(
        (name = "Import API", description = include_str!("import_api.md")),
        (name = "Incoming webhooks", description = include_str!("webhooks.md")),
    ),
)]
struct Described;

/// The gate's part of the document. What holds for the rest of the server does not hold for it.
pub fn describe() -> OpenApi {
    let mut document = Described::openapi();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of one `import_api` source: from `POST /v4/sources/{source_id}/tokens`.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    components
        .security_schemes
        .insert(IMPORT_TOKEN.to_owned(), SecurityScheme::Http(token).into());
    document
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    /// Addresses as the router tells them apart.
    fn routed() -> BTreeSet<String> {
        let router = include_str!("../router.rs");
        let (router, _) = router.split_once("#[cfg(test)]").unwrap();
        let texts = router.split('"').skip(1).step_by(2);
        let known = texts.filter_map(|text| match text {
            "webhooks/" => Some("/v2/webhooks/{token}".to_owned()),
            text => text.starts_with("import/").then(|| format!("/v2/{text}")),
        });
        known.collect()
    }

    fn document() -> Value {
        serde_json::to_value(super::describe()).unwrap()
    }

    #[test]
    fn every_address_is_described() {
        let document = document();
        let described = document["paths"].as_object().unwrap();
        let described: BTreeSet<String> = described.keys().cloned().collect();
        assert!(described.len() > 4, "{described:?}");
        assert_eq!(described, routed());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let text = document.to_string();
        let mut references = text.split("\"$ref\":\"#").skip(1).peekable();
        assert!(references.peek().is_some());
        for reference in references {
            let (pointer, _) = reference.split_once('"').unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn every_operation_says_what_it_takes_and_how_it_refuses() {
        let document = document();
        for (path, item) in document["paths"].as_object().unwrap() {
            let mut operations = item.as_object().unwrap().values();
            let (operation, rest) = (operations.next().unwrap(), operations.next());
            assert_eq!(rest, None, "{path}");
            assert!(operation["summary"].is_string(), "{path}");
            let responses = operation["responses"].as_object().unwrap();
            let is_open = path.ends_with("/status");
            let takes_token = operation["security"] == json!([{ "import_token": [] }]);
            let is_webhook = path.starts_with("/v2/webhooks/");
            assert_eq!(takes_token, !is_open && !is_webhook, "{path}");
            assert_eq!(responses.contains_key("401"), !is_open, "{path}");
            assert!(responses.contains_key("503"), "{path}");
            let body = &operation["requestBody"]["content"]["application/json"];
            let resolve = |schema: &Value| {
                let name = schema["$ref"].as_str()?;
                let schema = document.pointer(name.trim_start_matches('#'));
                Some(schema.expect("references lead somewhere"))
            };
            let schema = resolve(&body["schema"]);
            assert_eq!(schema.is_some(), !is_open, "{path}");
            // An array's example is that of its items.
            let item = schema.map(|schema| resolve(&schema["items"]).unwrap_or(schema));
            let exemplified = item.is_none_or(|item| item["examples"].is_array());
            assert!(exemplified, "{path}: {schema:?}");
        }
    }
}
