//! What clients send about sources, as the document describes it.

#![expect(
    dead_code,
    reason = "control reads bodies itself, to answer with the documented texts"
)]

use utoipa::ToSchema;

use crate::openapi::properties::NewProperties;

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "type": "platform.postgres", "display_name": "Web Shop",
    "properties": {"host": "db.example.net", "port": "5432", "user": "reader", "password": "secret", "dbname": "shop",
                   "frequency_in_minutes": "60"}
})))]
pub(crate) struct NewSource {
    /// One of `GET /v4/source-types` that has steps.
    #[serde(rename = "type")]
    #[schema(min_length = 1)]
    type_name: String,
    /// The label. The schema in the destination is named after it: `Web Shop` becomes `web_shop`.
    #[schema(min_length = 1, max_length = 255)]
    display_name: String,
    /// May be partial: the report card in the answer says what is missing.
    properties: Option<NewProperties>,
    /// The destination that gets the data. Left out: the account's destination, if it has exactly one.
    destination_id: Option<i64>,
    /// Name of the schema in the destination, instead of one derived from the label: under 50 of `a` to `z`, `0` to `9`, `_` and
    /// `$`, and the first one a letter or `_`. Never changes later.
    #[schema(max_length = 49, pattern = "^([a-z_][a-z0-9_$]*)?$")]
    name: Option<String>,
}

/// What is to change; the rest stays.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"paused_at": "2031-02-03T00:00:00Z"}), json!({"paused_at": null}), json!({"properties": {"frequency_in_minutes": "360"}})))]
pub(crate) struct SourceChange {
    /// Changes the label only, never the name of the schema.
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    display_name: Option<String>,
    /// Any instant pauses at once, `null` unpauses.
    #[schema(format = DateTime)]
    paused_at: Option<String>,
    /// The destination that gets the data from now on; `null`: none. A source that had another one is paused by this.
    destination_id: Option<i64>,
    /// Merged into the stored ones key by key.
    #[schema(nullable = false)]
    properties: Option<NewProperties>,
}
