//! What can be connected: the report cards of the types themselves.

use selvedge_catalog::{ConnectionType, ReportCard};

use crate::Control;
use crate::plans::Features;

/// Cards of all source types, old ones without steps included.
pub fn list_sources(control: &Control, features: &Features) -> Vec<ReportCard<'static>> {
    let card = |connection_type| card(control, features, connection_type);
    control.catalog().source_types().map(card).collect()
}

/// Cards of all destination types.
pub fn list_destinations(control: &Control, features: &Features) -> Vec<ReportCard<'static>> {
    let card = |connection_type| card(control, features, connection_type);
    control.catalog().destination_types().map(card).collect()
}

/// The card of one source type.
pub fn find_source(
    control: &Control,
    features: &Features,
    name: &str,
) -> Option<ReportCard<'static>> {
    let found = control.catalog().source_type(name)?;
    Some(card(control, features, found))
}

/// The card of one destination type.
pub fn find_destination(
    control: &Control,
    features: &Features,
    name: &str,
) -> Option<ReportCard<'static>> {
    let found = control.catalog().destination_type(name)?;
    Some(card(control, features, found))
}

/// The same for everybody but for one fact: whether whoever asks may use the type.
fn card(
    control: &Control,
    features: &Features,
    connection_type: &'static ConnectionType,
) -> ReportCard<'static> {
    let mut card = connection_type.type_card(control.runs(connection_type));
    if let Some(details) = &mut card.details {
        details.access = features.cover(connection_type);
    }
    card
}
