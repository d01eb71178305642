//! One connection property object: what a type asks for, and how to send it.

use serde::Serialize;

use super::documented::Documented;
use super::property::ReferenceProperty;
use super::sample::SampleRequest;
use crate::{Category, ConnectionKind, ConnectionType, PipelineState, Runs, Step, StepType};

/// Everything about one type that a request to create or update a connection needs.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectionObject {
    /// The `type` in requests, for example `platform.shopify`.
    pub property: &'static str,
    pub display_name: &'static str,
    pub connection_type: ConnectionKind,
    pub category: Category,
    #[serde(flatten)]
    pub availability: Availability,
    /// Settings, by name.
    pub form: Vec<ReferenceProperty>,
    /// Tokens and client credentials, for integrators who perform the OAuth handshake themselves. Empty
    /// without OAuth.
    pub oauth: Vec<ReferenceProperty>,
    /// Creates a connection with its settings. `None` where none can be created.
    pub sample: Option<SampleRequest>,
    /// As `sample`, with the OAuth properties in the same request; `None` without any.
    pub oauth_sample: Option<SampleRequest>,
}

/// Whether a type can be connected, and what runs it.
#[derive(Clone, Debug, Serialize)]
pub struct Availability {
    pub state: PipelineState,
    /// Whether a connection can be created.
    pub access: bool,
    /// The type to use instead.
    pub replacement: Option<&'static str>,
    pub runs: Runs,
}

impl ConnectionObject {
    pub(super) fn new(
        connection_type: &'static ConnectionType,
        runs: Runs,
        documented: &'static Documented,
    ) -> Self {
        let properties = |step_type| {
            let mut properties: Vec<_> = steps(connection_type, step_type)
                .flat_map(Step::properties)
                .map(|property| ReferenceProperty::new(connection_type, property, documented))
                .collect();
            properties.sort_by_key(|property| property.name);
            properties
        };
        let (form, oauth) = (properties(StepType::Form), properties(StepType::Oauth));
        let access = connection_type.has_access();
        let sample = access
            .then(|| SampleRequest::new(connection_type, form.iter().filter(|p| p.is_in_sample())));
        let oauth_sample = (access && !oauth.is_empty()).then(|| {
            let sent = form.iter().filter(|property| property.is_in_sample());
            SampleRequest::new(
                connection_type,
                sent.chain(oauth.iter().filter(|property| property.can_be_sent())),
            )
        });
        Self {
            property: connection_type.name(),
            display_name: connection_type.display_name(),
            connection_type: connection_type.kind(),
            category: connection_type.category(),
            availability: Availability {
                state: connection_type.details().pipeline_state,
                access,
                replacement: connection_type.replacement(),
                runs,
            },
            form,
            oauth,
            sample,
            oauth_sample,
        }
    }

    /// The samples that there are, each with a title.
    pub fn samples(&self) -> impl Iterator<Item = (&'static str, &SampleRequest)> {
        [
            ("Sample request", &self.sample),
            ("Sample request with OAuth properties", &self.oauth_sample),
        ]
        .into_iter()
        .filter_map(|(title, sample)| Some((title, sample.as_ref()?)))
    }

    /// All properties, form first.
    pub fn properties(&self) -> impl Iterator<Item = &ReferenceProperty> {
        self.form.iter().chain(&self.oauth)
    }
}

fn steps(
    connection_type: &'static ConnectionType,
    step_type: StepType,
) -> impl Iterator<Item = &'static Step> {
    connection_type
        .steps()
        .iter()
        .filter(move |step| step.step_type() == step_type)
}
