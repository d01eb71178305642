//! What clients of version 3 send about destinations, as the document describes it.

#![expect(
    dead_code,
    reason = "control reads bodies itself, to answer with the documented texts"
)]

use utoipa::ToSchema;

use crate::openapi::properties::NewProperties;

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "type": "postgres",
    "connection": {"host": "pg.example.net", "port": "5432", "username": "loader", "password": "secret", "database": "dw"}
})))]
pub(crate) struct NewDestinationV3 {
    /// One of `GET /v4/destination-types`.
    #[serde(rename = "type")]
    #[schema(min_length = 1)]
    type_name: String,
    connection: NewProperties,
}

/// Other keys are ignored.
#[derive(ToSchema)]
#[schema(examples(json!({"type": "postgres", "connection": {"host": "pg2.example.net"}})))]
pub(crate) struct DestinationChangeV3 {
    /// The destination's own; it does not change.
    #[serde(rename = "type")]
    type_name: String,
    /// Merged into the stored ones key by key.
    connection: NewProperties,
}
