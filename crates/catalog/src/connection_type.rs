//! One source or destination type: its facts, steps and properties.

use serde::{Deserialize, Serialize};

use crate::card_text::CardTexts;
use crate::fill::Fill;
use crate::{Property, StepType};

/// Which end of a pipeline a type is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    #[default]
    Source,
    Destination,
}

/// What sort of system a type connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    Database,
    Saas,
    /// Files on a server or in a bucket.
    File,
    /// Events that the other side sends.
    Webhook,
    /// Records pushed by the user's own programs.
    ImportApi,
    /// Old types that cannot be connected any more.
    Legacy,
    // Destinations only, beside `Database`.
    Warehouse,
    ObjectStore,
    Lake,
    Catalog,
}

/// Where a type stands with its maintainers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Alpha,
    Beta,
    Released,
    Deprecated,
    /// Gone for good.
    Sunset,
}

/// `details.pipeline_state` of a report card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PipelineState {
    Alpha,
    Beta,
    Released,
    Deprecated,
}

/// The plan a type needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PricingTier {
    Standard,
    Enterprise,
}

/// General facts about a type, shown in its report card.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    pub pricing_tier: PricingTier,
    pub pipeline_state: PipelineState,
    /// Sources only; relative text such as `-1 year`, a hint for user interfaces.
    #[serde(default)]
    pub default_start_date: Option<String>,
    /// Sources only; minutes between runs when the user sets none.
    #[serde(default)]
    pub default_scheduling_interval: Option<u32>,
    /// The implementation behind the type; equals its name except for aliases.
    pub protocol: String,
    /// Whether it can be connected.
    pub access: bool,
    /// Sources only; version line of the extractor, such as `1.latest`.
    #[serde(default)]
    pub image_version: Option<String>,
}

/// One step of the setup, with the properties it asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    #[serde(rename = "type")]
    pub(crate) step_type: StepType,
    #[serde(default)]
    pub(crate) properties: Vec<Property>,
}

impl Step {
    pub fn step_type(&self) -> StepType {
        self.step_type
    }

    /// Empty except for `form` and `oauth`.
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }
}

/// A type that can be connected, or the stub of an old one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionType {
    #[serde(rename = "type")]
    name: String,
    #[serde(skip)]
    kind: ConnectionKind,
    #[serde(skip)]
    own: bool,
    display_name: String,
    category: Category,
    status: Status,
    #[serde(default)]
    default_port: Option<u16>,
    #[serde(default)]
    replacement: Option<String>,
    details: Details,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(skip)]
    card_texts: CardTexts,
}

impl ConnectionType {
    /// The API's name, for example `platform.hp-postgres`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn kind(&self) -> ConnectionKind {
        self.kind
    }

    /// A type that only this server has.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// The name to show to people.
    pub fn display_name(&self) -> &str {
        &self.display_name
    }

    pub fn category(&self) -> Category {
        self.category
    }

    pub fn status(&self) -> Status {
        self.status
    }

    /// TCP port that servers of this type usually listen on.
    pub fn default_port(&self) -> Option<u16> {
        self.default_port
    }

    /// The type to use instead of this one.
    pub fn replacement(&self) -> Option<&str> {
        self.replacement.as_deref()
    }

    pub fn details(&self) -> &Details {
        &self.details
    }

    /// Whether a connection of this type may be created.
    pub fn has_access(&self) -> bool {
        self.details.access
    }

    /// The implementation behind the type, for example `platform.hp-postgres` for `platform.hp-heroku-pg`.
    pub fn protocol(&self) -> &str {
        &self.details.protocol
    }

    /// Name of the extractor in extraction records: `tap-` and the protocol without `platform.`.
    pub fn tap_name(&self) -> String {
        let protocol = self.protocol();
        format!(
            "tap-{}",
            protocol.strip_prefix("platform.").unwrap_or(protocol)
        )
    }

    /// An old type without steps: listed, but not connectable.
    pub fn is_stub(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether others push its data (Import API, webhooks).
    pub fn is_pushed(&self) -> bool {
        matches!(self.category, Category::ImportApi | Category::Webhook)
    }

    /// Whether jobs of this type run on a schedule. What is pushed never does.
    pub fn is_scheduled(&self) -> bool {
        self.kind == ConnectionKind::Source && !self.is_stub() && !self.is_pushed()
    }

    /// Minutes between runs when the user sets none; `None` for destinations and where nothing runs on a schedule.
    pub fn default_scheduling_interval(&self) -> Option<u32> {
        self.details
            .default_scheduling_interval
            .filter(|_| self.is_scheduled())
    }

    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub fn has_step(&self, step_type: StepType) -> bool {
        self.steps.iter().any(|step| step.step_type == step_type)
    }

    /// The properties of all steps.
    pub fn properties(&self) -> impl Iterator<Item = &Property> {
        self.steps.iter().flat_map(|step| &step.properties)
    }

    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties().find(|property| property.name == name)
    }

    pub(crate) fn card_texts(&self) -> &CardTexts {
        &self.card_texts
    }

    /// What `image_version` is filled with at creation.
    pub(crate) fn image_version(&self) -> &str {
        self.details.image_version.as_deref().unwrap_or("1.latest")
    }

    pub(crate) fn set_kind(&mut self, kind: ConnectionKind) {
        self.kind = kind;
    }

    pub(crate) fn set_own(&mut self) {
        self.own = true;
    }

    /// Serves a deprecated type as released, with access and without an upgrade.
    pub(crate) fn offer(&mut self) {
        self.status = Status::Released;
        self.details.pipeline_state = PipelineState::Released;
        self.details.access = true;
        self.replacement = None;
    }

    /// Puts a property before the first one of its step with a greater name; false when there is no such step.
    pub(crate) fn add_property(&mut self, step_type: StepType, property: Property) -> bool {
        let step = self
            .steps
            .iter_mut()
            .find(|step| step.step_type == step_type);
        let Some(step) = step else { return false };
        let position = step
            .properties
            .iter()
            .position(|other| other.name > property.name)
            .unwrap_or(step.properties.len());
        step.properties.insert(position, property);
        true
    }

    /// Lets the server fill the property; false when there is no such property.
    pub(crate) fn set_fill(&mut self, name: &str, fill: &Fill) -> bool {
        let properties = self.steps.iter_mut().flat_map(|step| &mut step.properties);
        let mut found = false;
        for property in properties.filter(|property| property.name == name) {
            property.fill = Some(fill.clone());
            found = true;
        }
        found
    }
}
