//! The setup of a connection as a state machine.
//!
//! A state says which steps are complete, [`next`] says what an event does to it, and the step a connection stands on is
//! the first one of its type that is not complete. A later step's completion is kept while an earlier step is open
//! again: a source whose type starts to ask for one more value goes back to `form`, and from there straight to where
//! it was.

use serde::{Deserialize, Serialize};

use crate::{ConnectionType, StoredProperties};

/// A step of the setup. Clients refuse any name they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepType {
    /// Settings.
    Form,
    /// Tokens and client credentials of a third party.
    Oauth,
    /// Finding the streams of a source.
    DiscoverSchema,
    /// Choosing streams and fields.
    FieldSelection,
    /// Done: replication is scheduled, or loading may begin.
    FullyConfigured,
}

impl StepType {
    /// All steps in the order they stand in.
    pub const ALL: [StepType; 5] = [
        StepType::Form,
        StepType::Oauth,
        StepType::DiscoverSchema,
        StepType::FieldSelection,
        StepType::FullyConfigured,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            StepType::Form => "form",
            StepType::Oauth => "oauth",
            StepType::DiscoverSchema => "discover_schema",
            StepType::FieldSelection => "field_selection",
            StepType::FullyConfigured => "fully_configured",
        }
    }
}

/// What the properties do not tell about a source. Destinations have neither step: use the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetupFacts {
    /// A connection check succeeded, its discovery included. A later failure does not take that back.
    pub discovered: bool,
    /// At least one stream is selected and at least one of its fields is replicated.
    pub selection_complete: bool,
}

/// Which steps are complete; those that a type does not have count as whatever they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetupState {
    /// Every required property of `form` has a value.
    pub form_complete: bool,
    /// Every required property of `oauth` has a value.
    pub oauth_complete: bool,
    pub facts: SetupFacts,
}

/// What can happen to a setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupEvent {
    /// The last missing value of `form` was provided.
    FormCompleted,
    /// A required value of `form` is missing (again), for example because the type asks for a new one.
    FormReopened,
    /// The last missing value of `oauth` was provided.
    Authorized,
    /// A required value of `oauth` is missing (again).
    AuthorizationLost,
    /// A connection check succeeded, its discovery included.
    CheckSucceeded,
    /// A connection check failed.
    CheckFailed,
    /// A stream with a field is selected.
    StreamSelected,
    /// No stream with a field is selected any more.
    SelectionEmptied,
}

impl SetupEvent {
    pub const ALL: [SetupEvent; 8] = [
        SetupEvent::FormCompleted,
        SetupEvent::FormReopened,
        SetupEvent::Authorized,
        SetupEvent::AuthorizationLost,
        SetupEvent::CheckSucceeded,
        SetupEvent::CheckFailed,
        SetupEvent::StreamSelected,
        SetupEvent::SelectionEmptied,
    ];
}

/// The state after `event`. Every event is allowed in every state.
pub fn next(mut state: SetupState, event: SetupEvent) -> SetupState {
    match event {
        SetupEvent::FormCompleted => state.form_complete = true,
        SetupEvent::FormReopened => state.form_complete = false,
        SetupEvent::Authorized => state.oauth_complete = true,
        SetupEvent::AuthorizationLost => state.oauth_complete = false,
        SetupEvent::CheckSucceeded => state.facts.discovered = true,
        // A source that was discovered once keeps its streams; one that was not stays where it is.
        SetupEvent::CheckFailed => {}
        SetupEvent::StreamSelected => state.facts.selection_complete = true,
        SetupEvent::SelectionEmptied => state.facts.selection_complete = false,
    }
    state
}

impl SetupState {
    /// Whether a step is done. `fully_configured` never is: it is where a setup comes to rest.
    pub fn completes(self, step_type: StepType) -> bool {
        match step_type {
            StepType::Form => self.form_complete,
            StepType::Oauth => self.oauth_complete,
            StepType::DiscoverSchema => self.facts.discovered,
            StepType::FieldSelection => self.facts.selection_complete,
            StepType::FullyConfigured => false,
        }
    }
}

impl ConnectionType {
    /// The state of a connection of this type, from what is stored and what is known.
    pub fn setup_state(&self, stored: StoredProperties<'_>, facts: SetupFacts) -> SetupState {
        let complete = |step_type| {
            self.steps()
                .iter()
                .filter(|step| step.step_type == step_type)
                .flat_map(|step| &step.properties)
                .all(|property| !property.is_required || stored.provides(&property.name))
        };
        SetupState {
            form_complete: complete(StepType::Form),
            oauth_complete: complete(StepType::Oauth),
            facts,
        }
    }

    /// Index in [`ConnectionType::steps`] of the first step that is not complete; `None` for stubs.
    pub(crate) fn current_step_index(&self, state: SetupState) -> Option<usize> {
        let steps = self.steps();
        steps
            .iter()
            .position(|step| !state.completes(step.step_type))
    }

    /// The step that a connection of this type stands on; `None` for stubs.
    pub fn current_step(&self, state: SetupState) -> Option<StepType> {
        self.current_step_index(state)
            .map(|index| self.steps()[index].step_type)
    }

    /// Whether a connection of this type is ready to be used.
    pub fn is_fully_configured(&self, stored: StoredProperties<'_>, facts: SetupFacts) -> bool {
        self.current_step(self.setup_state(stored, facts)) == Some(StepType::FullyConfigured)
    }

    /// Whether `form` and `oauth` are complete, so that a connection check makes sense.
    pub fn can_be_checked(&self, stored: StoredProperties<'_>) -> bool {
        let state = self.setup_state(stored, SetupFacts::default());
        !self.is_stub() && state.form_complete && state.oauth_complete
    }
}

#[cfg(test)]
#[path = "setup/tests.rs"]
mod tests;
