//! A request that can be sent as it stands, once its placeholders are filled in.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::property::ReferenceProperty;
use crate::{ConnectionKind, ConnectionType};

/// Creates a connection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleRequest {
    pub method: &'static str,
    pub path: &'static str,
    pub body: Value,
}

impl SampleRequest {
    pub(super) fn new<'a>(
        connection_type: &ConnectionType,
        properties: impl Iterator<Item = &'a ReferenceProperty>,
    ) -> Self {
        let properties: Map<String, Value> = properties
            .filter_map(|property| Some((property.name.to_owned(), property.example.clone()?)))
            .collect();
        let name = connection_type.name();
        let (path, body) = match connection_type.kind() {
            ConnectionKind::Source => (
                "/v4/sources",
                json!({
                    "type": name,
                    "display_name": label(connection_type.display_name()),
                    "properties": properties,
                }),
            ),
            ConnectionKind::Destination => (
                "/v4/destinations",
                json!({ "type": name, "properties": properties }),
            ),
        };
        Self {
            method: "POST",
            path,
            body,
        }
    }

    /// The body, indented by two spaces.
    pub fn json(&self) -> String {
        format!("{:#}", self.body)
    }

    /// The request for a shell, with the access token in the variable `ACCESS_TOKEN`.
    pub fn curl(&self, public_url: &str) -> String {
        // Inside single quotes a shell reads everything but a single quote as it is.
        let body = self.json().replace('\'', r"'\''");
        format!(
            "curl -X {} {public_url}{} \\\n  -H \"Authorization: Bearer $ACCESS_TOKEN\" \\\n  \
             -H 'Content-Type: application/json' \\\n  -d '{body}'",
            self.method, self.path
        )
    }
}

/// A label that a name can be derived from: names begin with a letter.
fn label(display_name: &str) -> String {
    if display_name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        display_name.to_owned()
    } else {
        format!("Our {display_name}")
    }
}
