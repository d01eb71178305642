//! What can be connected: the report cards of the types themselves.

use selvedge_catalog::{ConnectionKind, ConnectionType, ReportCard};

use crate::Control;

/// Cards of all types of the kind, old ones without steps included.
pub fn list_cards(control: &Control, kind: ConnectionKind) -> Vec<ReportCard<'static>> {
    let card = |connection_type| card(control, connection_type);
    match kind {
        ConnectionKind::Source => control.catalog().source_types().map(card).collect(),
        ConnectionKind::Destination => control.catalog().destination_types().map(card).collect(),
    }
}

/// The card of one type.
pub fn find_card(
    control: &Control,
    kind: ConnectionKind,
    name: &str,
) -> Option<ReportCard<'static>> {
    let found = find(control, kind, name)?;
    Some(card(control, found))
}

/// One type, without the work of making its card.
pub fn find(
    control: &Control,
    kind: ConnectionKind,
    name: &str,
) -> Option<&'static ConnectionType> {
    match kind {
        ConnectionKind::Source => control.catalog().source_type(name),
        ConnectionKind::Destination => control.catalog().destination_type(name),
    }
}

fn card(control: &Control, connection_type: &'static ConnectionType) -> ReportCard<'static> {
    connection_type.type_card(control.runs(connection_type))
}
