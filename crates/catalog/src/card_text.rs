//! Report cards as JSON text. Most of a card is its type's: schemas, names, kinds of properties. What differs between two
//! connections of a type is the step they stand on and which properties have a value, and there are few ways for that to
//! be; so the text of each is made once and given to many.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{ConnectionType, ReportCard, SetupFacts, StoredProperties};

/// States whose text a type keeps. With all of them, the texts of a type take some hundred kilobytes.
const KEPT: usize = 16;

/// The text of a [`ReportCard`]: serialises to the same bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CardText(Arc<RawValue>);

impl CardText {
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    fn new(card: &ReportCard<'_>) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(card).map(|text| Self(text.into()))
    }
}

impl Serialize for CardText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// What decides about the text of a type's card: index of the current step, and which properties have a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    step: Option<usize>,
    provided: Vec<bool>,
}

/// The texts that a type keeps.
#[derive(Default)]
pub(crate) struct CardTexts(RwLock<HashMap<State, CardText>>);

impl fmt::Debug for CardTexts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CardTexts")
    }
}

impl ConnectionType {
    /// The text of [`ConnectionType::report_card`].
    ///
    /// # Errors
    /// When the card cannot be written as JSON, which no catalogue test has seen.
    pub fn card_text(
        &self,
        stored: StoredProperties<'_>,
        facts: SetupFacts,
    ) -> Result<CardText, serde_json::Error> {
        let provided = self
            .properties()
            .map(|property| stored.provides(&property.name));
        let state = State {
            step: self.current_step_index(self.setup_state(stored, facts)),
            provided: provided.collect(),
        };
        let texts = &self.card_texts().0;
        // Entries are complete or absent, whoever panicked meanwhile.
        let known = texts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(&state) {
            return Ok(text.clone());
        }
        drop(known);
        let text = CardText::new(&self.report_card(stored, facts))?;
        let mut known = texts.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            // What is still asked for comes back.
            known.clear();
        }
        known.insert(state, text.clone());
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::{Catalog, Properties};

    #[test]
    fn the_text_is_the_cards_for_every_type_and_state() {
        let catalog = Catalog::global();
        for connection_type in catalog.source_types().chain(catalog.destination_types()) {
            let names: Vec<&str> = connection_type
                .properties()
                .map(|found| found.name())
                .collect();
            for provided in [0, names.len() / 2, names.len()] {
                let (plain, credentials) = names[..provided].split_at(provided / 2);
                let plain: Properties = plain
                    .iter()
                    .map(|name| ((*name).to_owned(), json!("x")))
                    .collect();
                let credential_names: BTreeSet<String> =
                    credentials.iter().map(|name| (*name).to_owned()).collect();
                let stored = StoredProperties {
                    plain: &plain,
                    credential_names: &credential_names,
                };
                for discovered in [false, true] {
                    let facts = SetupFacts {
                        discovered,
                        selection_complete: discovered,
                    };
                    let card = connection_type.report_card(stored, facts);
                    let expected = serde_json::to_string(&card).unwrap();
                    for _ in 0..2 {
                        let text = connection_type.card_text(stored, facts).unwrap();
                        assert_eq!(text.as_str(), expected);
                        assert_eq!(serde_json::to_string(&text).unwrap(), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn a_type_keeps_few_texts() {
        let connection_type = Catalog::global().source_type("platform.netsuite").unwrap();
        let names: Vec<&str> = connection_type
            .properties()
            .map(|found| found.name())
            .collect();
        let none = BTreeSet::new();
        let mut states = 0;
        for (index, first) in names.iter().enumerate() {
            for second in &names[index..] {
                let plain: Properties = [first, second]
                    .map(|name| ((*name).to_owned(), json!("x")))
                    .into();
                let stored = StoredProperties {
                    plain: &plain,
                    credential_names: &none,
                };
                connection_type
                    .card_text(stored, SetupFacts::default())
                    .unwrap();
                states += 1;
                let kept = connection_type.card_texts().0.read().unwrap().len();
                assert!(kept <= KEPT);
            }
        }
        assert!(states > KEPT, "{states}");
    }
}
