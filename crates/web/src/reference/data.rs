//! The reference for programs.

use selvedge_catalog::reference::Reference;

/// One entry per connection, in the order of the page, each with its object.
pub fn json(reference: &Reference) -> String {
    let entries: Vec<_> = reference.entries().collect();
    serde_json::to_string(&entries).expect("the reference has text keys only")
}
