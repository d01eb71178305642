//! Values that are accepted, for samples: the first of a list of likely ones that the type's own rules take.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::accepted::{alternatives, branches, resolve};
use crate::{ConnectionKind, ConnectionType, Property};

/// Texts that schemas with a form of their own ask for.
const LIKELY: [&str; 9] = [
    "false",
    "60",
    "2030-01-01T00:00:00Z",
    "db.example.com",
    "https://www.example.com",
    "ada@example.com",
    "123456789012",
    "jdbc:spark://cluster.example.com:443/default",
    "stitch-challenge-file-1",
];

/// A value for the property that its type accepts, the same every time.
pub(super) fn of(connection_type: &ConnectionType, property: &Property) -> Option<Value> {
    let schema = property.json_schema();
    let by_schema = schema
        .into_iter()
        .flat_map(|schema| from_schema(schema, schema));
    candidates(connection_type, property)
        .into_iter()
        .chain(by_schema)
        .chain([json!(placeholder(property.name()))])
        .chain(LIKELY.map(Value::from))
        .find(|value| is_accepted(connection_type, property, value))
}

/// Whether a request with this value alone passes.
pub(super) fn is_accepted(
    connection_type: &ConnectionType,
    property: &Property,
    value: &Value,
) -> bool {
    let sent = Map::from_iter([(property.name().to_owned(), value.clone())]);
    connection_type.validate_create(&sent, Uuid::nil()).is_ok()
}

/// What the name suggests.
fn candidates(connection_type: &ConnectionType, property: &Property) -> Vec<Value> {
    let text = match property.name() {
        "anchor_time" => "2030-01-01T17:00:00Z",
        "cron_expression" => "0 0 12 ? * MON-FRI *",
        "frequency_in_minutes" => "60",
        "host" => "db.example.com",
        "encryption_host" | "ssh_host" => "bastion.example.com",
        "encryption_port" | "ssh_port" => "22",
        // Direct: whatever else there is needs a host to go through.
        "encryption_type" => "none",
        "database" | "dbname" => "shop",
        "user" | "username" | "encryption_username" | "ssh_user" => "selvedge",
        "shop" => "acme-tiles",
        "subdomain" => "acme",
        "repository" => "acme/tiles",
        "path" => "/srv/data/shop.db",
        "warehouse" => "LOADING",
        "s3_key_format_string" => {
            "[integration_name]/[table_name]/[table_version]_[timestamp_loaded].csv"
        }
        "port" => {
            let port = connection_type.default_port().unwrap_or(5432);
            // Destinations are shown typed, sources as text.
            return match connection_type.kind() {
                ConnectionKind::Source => vec![json!(port.to_string()), json!(port)],
                ConnectionKind::Destination => vec![json!(port), json!(port.to_string())],
            };
        }
        _ => return Vec::new(),
    };
    vec![json!(text)]
}

/// What the schema itself names or implies, the plainest first. Switches are off: what they switch on asks for more.
fn from_schema(schema: &Value, root: &Value) -> Vec<Value> {
    let schema = resolve(schema, root);
    let mut values: Vec<Value> = Vec::new();
    if let Some(listed) = schema.get("enum").and_then(Value::as_array) {
        values.extend(listed.iter().cloned());
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        let texts = alternatives(pattern).unwrap_or_default();
        values.extend(texts.into_iter().map(Value::from));
    }
    for branch in branches(schema) {
        values.extend(from_schema(branch, root));
    }
    if let Some(items) = schema.get("items") {
        values.extend(
            from_schema(items, root)
                .into_iter()
                .map(|item| json!([item])),
        );
    }
    if let Some(keys) = schema.get("properties").and_then(Value::as_object) {
        values.push(
            keys.iter()
                .map(|(name, schema)| (name.clone(), below(name, schema, root)))
                .collect(),
        );
    }
    values.sort_by_key(|value| !is_off(value));
    values
}

/// `false`, or an object in which something is.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Object(keys) => keys.values().any(is_off),
        value => value == "false",
    }
}

/// The value of a key inside an object, which no property of the type can judge alone.
fn below(name: &str, schema: &Value, root: &Value) -> Value {
    match schema.get("format").and_then(Value::as_str) {
        Some("uri") => return json!("https://www.example.com"),
        Some("email") => return json!("loader@acme.example"),
        _ => {}
    }
    match name {
        "ssh_port" => json!("22"),
        "bucket_name" => json!("acme-staging"),
        _ => from_schema(schema, root)
            .into_iter()
            .next()
            .unwrap_or_else(|| json!(placeholder(name))),
    }
}

/// `<ACCESS_TOKEN>`: for the reader to replace.
fn placeholder(name: &str) -> String {
    format!("<{}>", name.to_uppercase())
}
