//! Every state, every event.

use super::*;
use crate::{Catalog, Step};

/// A type with all five steps.
fn longest() -> &'static ConnectionType {
    let connection_type = Catalog::global().source_type("platform.hubspot").unwrap();
    let steps: Vec<_> = connection_type
        .steps()
        .iter()
        .map(Step::step_type)
        .collect();
    assert_eq!(steps, StepType::ALL);
    connection_type
}

/// The state in which every step before `step_type` is complete and nothing else is.
fn standing_on(step_type: StepType) -> SetupState {
    SetupState {
        form_complete: step_type > StepType::Form,
        oauth_complete: step_type > StepType::Oauth,
        facts: SetupFacts {
            discovered: step_type > StepType::DiscoverSchema,
            selection_complete: step_type > StepType::FieldSelection,
        },
    }
}

#[test]
fn every_event_moves_every_step_as_the_table_says() {
    use SetupEvent as Event;
    use StepType::{
        DiscoverSchema as Discover, FieldSelection as Select, Form, FullyConfigured as Done, Oauth,
    };
    // Rows: the event. Columns: the step after it, when the setup stood on each of the five steps.
    let table = [
        (Event::FormCompleted, [Oauth, Oauth, Discover, Select, Done]),
        (Event::FormReopened, [Form, Form, Form, Form, Form]),
        (Event::Authorized, [Form, Discover, Discover, Select, Done]),
        (Event::AuthorizationLost, [Form, Oauth, Oauth, Oauth, Oauth]),
        (Event::CheckSucceeded, [Form, Oauth, Select, Select, Done]),
        (Event::CheckFailed, [Form, Oauth, Discover, Select, Done]),
        (Event::StreamSelected, [Form, Oauth, Discover, Done, Done]),
        (
            Event::SelectionEmptied,
            [Form, Oauth, Discover, Select, Select],
        ),
    ];
    assert_eq!(table.map(|(event, _)| event), Event::ALL);
    let connection_type = longest();
    for (event, after) in table {
        for (before, expected) in StepType::ALL.into_iter().zip(after) {
            let state = standing_on(before);
            assert_eq!(connection_type.current_step(state), Some(before));
            assert_eq!(
                connection_type.current_step(next(state, event)),
                Some(expected),
                "{event:?} on {before:?}"
            );
        }
    }
}

#[test]
fn an_event_changes_at_most_its_own_step_and_repeats_change_nothing() {
    for bits in 0..16_u8 {
        let state = SetupState {
            form_complete: bits & 1 != 0,
            oauth_complete: bits & 2 != 0,
            facts: SetupFacts {
                discovered: bits & 4 != 0,
                selection_complete: bits & 8 != 0,
            },
        };
        for event in SetupEvent::ALL {
            let after = next(state, event);
            let changed = StepType::ALL
                .into_iter()
                .filter(|step| state.completes(*step) != after.completes(*step))
                .count();
            assert!(
                changed <= 1,
                "{event:?} changed {changed} steps of {state:?}"
            );
            assert_eq!(next(after, event), after, "{event:?} twice on {state:?}");
        }
    }
}

#[test]
fn a_reopened_form_leads_straight_back() {
    let state = next(
        standing_on(StepType::FullyConfigured),
        SetupEvent::FormReopened,
    );
    let state = next(state, SetupEvent::FormCompleted);
    assert_eq!(
        longest().current_step(state),
        Some(StepType::FullyConfigured)
    );
}

#[test]
fn step_names_are_those_on_the_wire() {
    for step_type in StepType::ALL {
        assert_eq!(serde_json::to_value(step_type).unwrap(), step_type.as_str());
    }
}
