//! What clients send about destinations, as the document describes it.

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
    "properties": {"host": "pg.example.net", "port": "5432", "username": "loader", "password": "secret", "database": "dw"}
})))]
pub(crate) struct NewDestination {
    /// One of `GET /v4/destination-types`.
    #[serde(rename = "type")]
    #[schema(min_length = 1)]
    type_name: String,
    properties: NewProperties,
    /// A label; made from the type when left out.
    #[schema(min_length = 1, max_length = 255)]
    name: Option<String>,
    #[schema(max_length = 4000)]
    description: Option<String>,
    /// `false`, or left out: every source of the account that has no destination is mapped to this one.
    ignore_unmapped_sources: Option<bool>,
}

/// What is to change; the rest stays. For the sake of older clients, a body with none of these keys is taken as the properties
/// themselves.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(min_properties = 1, examples(json!({"properties": {"host": "pg2.example.net"}})))]
pub(crate) struct DestinationChange {
    /// Merged into the stored ones key by key.
    #[schema(nullable = false)]
    properties: Option<NewProperties>,
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    name: Option<String>,
    #[schema(max_length = 4000)]
    description: Option<String>,
}
