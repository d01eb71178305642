//! Report cards as the document describes them; the catalogue makes them.

#![expect(dead_code, reason = "they describe selvedge_catalog::ReportCard")]

use utoipa::ToSchema;

/// What a connection needs, and how far its configuration has come.
#[derive(ToSchema)]
pub(crate) struct ReportCard {
    /// Name of the type.
    #[serde(rename = "type")]
    type_name: String,
    /// The first step that is not complete; counts from 1.
    #[schema(required, nullable = false, minimum = 1)]
    current_step: i64,
    current_step_type: StepType,
    steps: Vec<Step>,
}

/// What connections of a type need. Types that are only known by name have no steps.
#[derive(ToSchema)]
pub(crate) struct TypeCard {
    /// Name of the type.
    #[serde(rename = "type")]
    type_name: String,
    /// The first step that needs something; counts from 1.
    #[schema(nullable = false, minimum = 1)]
    current_step: Option<i64>,
    #[schema(nullable = false)]
    current_step_type: Option<StepType>,
    #[schema(nullable = false)]
    steps: Option<Vec<Step>>,
    details: Details,
    /// Source types only: a better type to use, if there is one.
    upgrade_available: Option<Upgrade>,
}

/// `form` and `oauth` are complete when their required properties are provided, `discover_schema` when a connection check has
/// succeeded, `field_selection` when a stream with at least one field is selected. `fully_configured` is the end.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepType {
    Form,
    Oauth,
    Profile,
    DiscoverSchema,
    FieldSelection,
    FullyConfigured,
}

#[derive(ToSchema)]
pub(crate) struct Step {
    #[serde(rename = "type")]
    step_type: StepType,
    /// Empty except for `form` and `oauth`.
    properties: Vec<Property>,
}

/// One setting of a connection.
#[derive(ToSchema)]
#[schema(examples(json!({
    "name": "port", "is_required": true, "is_credential": false, "system_provided": false, "property_type": "user_provided",
    "json_schema": {"type": "string", "pattern": "^\\d+$"}, "provided": true, "tap_mutable": false
})))]
pub(crate) struct Property {
    /// Its key in `properties`.
    name: String,
    /// Needed to complete the step.
    is_required: bool,
    /// Never in an answer.
    is_credential: bool,
    /// Older form of `property_type`.
    system_provided: bool,
    property_type: PropertyType,
    /// JSON Schema of the value; null: not checked.
    #[schema(required, value_type = Option<Object>)]
    json_schema: (),
    /// A value is stored.
    provided: bool,
    /// Sources only: the extractor itself may replace the value.
    #[schema(nullable = false)]
    tap_mutable: Option<bool>,
}

/// Who sets the value: the user; the user, once; the user, with care; the server, unless the user does; the server alone.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PropertyType {
    UserProvided,
    UserProvidedImmutable,
    UserProvidedAdvanced,
    SystemProvidedByDefault,
    ReadOnly,
}

#[derive(ToSchema)]
pub(crate) struct Details {
    pricing_tier: PricingTier,
    /// `alpha` and `deprecated` types cannot be created.
    pipeline_state: PipelineState,
    /// Sources only: relative to today, for user interfaces.
    #[schema(examples("-1 year"))]
    default_start_date: Option<String>,
    /// Sources only: minutes.
    default_scheduling_interval: Option<i64>,
    /// Implementation behind the type.
    protocol: String,
    /// Whether the caller may use the type.
    access: bool,
    /// Sources only.
    #[schema(examples("1.latest"))]
    image_version: Option<String>,
    /// What runs the type on this server.
    runs: Runs,
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PricingTier {
    Standard,
    Premium,
    Enterprise,
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PipelineState {
    Alpha,
    Beta,
    Released,
    Deprecated,
}

/// A built-in connector, a Singer tap, nothing because data is pushed, or nothing yet: such a type can be configured, and its
/// connection checks fail with a sentence that says why.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Runs {
    Native,
    Singer,
    Push,
    NotYet,
}

#[derive(ToSchema)]
pub(crate) struct Upgrade {
    /// Name of the better type.
    #[serde(rename = "type")]
    type_name: String,
}
