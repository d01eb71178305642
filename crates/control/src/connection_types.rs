//! What can be connected: the report cards of the types themselves.

use selvedge_catalog::{ConnectionType, ReportCard};

use crate::Control;

/// Cards of all source types, old ones without steps included.
pub fn list_sources(control: &Control) -> Vec<ReportCard<'static>> {
    let card = |connection_type| card(control, connection_type);
    control.catalog().source_types().map(card).collect()
}

/// Cards of all destination types.
pub fn list_destinations(control: &Control) -> Vec<ReportCard<'static>> {
    let card = |connection_type| card(control, connection_type);
    control.catalog().destination_types().map(card).collect()
}

/// The card of one source type.
pub fn find_source(control: &Control, name: &str) -> Option<ReportCard<'static>> {
    let found = control.catalog().source_type(name)?;
    Some(card(control, found))
}

/// The card of one destination type.
pub fn find_destination(control: &Control, name: &str) -> Option<ReportCard<'static>> {
    let found = control.catalog().destination_type(name)?;
    Some(card(control, found))
}

fn card(control: &Control, connection_type: &'static ConnectionType) -> ReportCard<'static> {
    connection_type.type_card(control.runs(connection_type))
}
