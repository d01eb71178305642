//! Report cards: what a connection needs, and how far its configuration has come. Field order is the documented one.

use serde::Serialize;
use serde_json::Value;

use crate::{
    ConnectionKind, ConnectionType, PipelineState, PricingTier, Property, PropertyType, SetupFacts,
    StepType, StoredProperties,
};

/// What runs a type on this server; the caller knows from its registry of connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Runs {
    /// A connector built into the server.
    Native,
    /// A Singer tap.
    Singer,
    /// Nothing: the data is pushed.
    Push,
    /// Nothing yet; its connection checks fail with a sentence that says so.
    NotYet,
}

impl Runs {
    pub fn as_str(self) -> &'static str {
        match self {
            Runs::Native => "native",
            Runs::Singer => "singer",
            Runs::Push => "push",
            Runs::NotYet => "not_yet",
        }
    }
}

/// The report card of a type, with `details`, or of one source or destination, without.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportCard<'a> {
    #[serde(rename = "type")]
    pub type_name: &'a str,
    /// Counts from 1. Absent on stubs, as the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_step: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_step_type: Option<StepType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepCard<'a>>>,
    /// Types only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<DetailsCard<'a>>,
    /// Source types only; the inner `None` is null on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_available: Option<Option<Upgrade<'a>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepCard<'a> {
    #[serde(rename = "type")]
    pub step_type: StepType,
    pub properties: Vec<PropertyCard<'a>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PropertyCard<'a> {
    pub name: &'a str,
    pub is_required: bool,
    pub is_credential: bool,
    pub system_provided: bool,
    pub property_type: PropertyType,
    pub json_schema: Option<&'a Value>,
    /// A value is stored.
    pub provided: bool,
    /// Sources only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tap_mutable: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetailsCard<'a> {
    pub pricing_tier: PricingTier,
    pub pipeline_state: PipelineState,
    /// Source types only, as the other optional fields; the inner `None` is null on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_start_date: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_scheduling_interval: Option<Option<u32>>,
    pub protocol: &'a str,
    pub access: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_version: Option<Option<&'a str>>,
    pub runs: Runs,
}

/// The better type to use.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Upgrade<'a> {
    #[serde(rename = "type")]
    pub type_name: &'a str,
}

impl ConnectionType {
    /// The card of the type itself: nothing provided.
    pub fn type_card(&self, runs: Runs) -> ReportCard<'_> {
        let is_source = self.kind() == ConnectionKind::Source;
        ReportCard {
            details: Some(self.details_card(runs)),
            upgrade_available: is_source
                .then(|| self.replacement().map(|type_name| Upgrade { type_name })),
            ..self.report_card(StoredProperties::none(), SetupFacts::default())
        }
    }

    /// The card of one source or destination of this type.
    pub fn report_card(&self, stored: StoredProperties<'_>, facts: SetupFacts) -> ReportCard<'_> {
        let current = self.current_step_index(self.setup_state(stored, facts));
        ReportCard {
            type_name: self.name(),
            current_step: current.map(|index| index + 1),
            current_step_type: current.map(|index| self.steps()[index].step_type()),
            steps: (!self.is_stub()).then(|| self.step_cards(stored)),
            details: None,
            upgrade_available: None,
        }
    }

    fn step_cards(&self, stored: StoredProperties<'_>) -> Vec<StepCard<'_>> {
        let card = |property| self.property_card(property, stored);
        self.steps()
            .iter()
            .map(|step| StepCard {
                step_type: step.step_type(),
                properties: step.properties().iter().map(card).collect(),
            })
            .collect()
    }

    fn property_card<'a>(
        &self,
        property: &'a Property,
        stored: StoredProperties<'_>,
    ) -> PropertyCard<'a> {
        PropertyCard {
            name: &property.name,
            is_required: property.is_required,
            is_credential: property.is_credential,
            system_provided: property.system_provided,
            property_type: property.property_type,
            json_schema: property.json_schema.as_ref(),
            provided: stored.provides(&property.name),
            tap_mutable: (self.kind() == ConnectionKind::Source).then_some(property.tap_mutable),
        }
    }

    fn details_card(&self, runs: Runs) -> DetailsCard<'_> {
        let details = self.details();
        let is_source = self.kind() == ConnectionKind::Source;
        DetailsCard {
            pricing_tier: details.pricing_tier,
            pipeline_state: details.pipeline_state,
            default_start_date: is_source.then_some(details.default_start_date.as_deref()),
            default_scheduling_interval: is_source.then_some(details.default_scheduling_interval),
            protocol: &details.protocol,
            access: details.access,
            image_version: is_source.then_some(details.image_version.as_deref()),
            runs,
        }
    }
}
