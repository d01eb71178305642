//! Settings of connections, in general: which there are is up to each type.

#![expect(dead_code, reason = "they describe maps of JSON values")]

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

/// Settings by name, as they are set or changed. Which names a type has, which of them are required and what their values have
/// to look like is in its report card (`GET /v4/source-types/{type}`, `GET /v4/destination-types/{type}`). Most values are
/// strings; numbers and booleans are taken for them too (`5432` for `"5432"`). `null` takes the value away. Names
/// that the type does not have, and names with `property_type` `read_only`, are refused.
#[derive(ToSchema)]
pub(crate) struct NewProperties(BTreeMap<String, Value>);

/// Settings by name, as they are now, sorted. Never with credentials (`is_credential` in the report card); optional ones that were
/// never set are absent.
#[derive(ToSchema)]
pub(crate) struct CurrentProperties(BTreeMap<String, Value>);
