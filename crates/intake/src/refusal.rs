//! Why a body is not taken.

use serde_json::Value;

/// The documented answer to a body that is not taken. Nothing of it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// JSON body of the answer, members in the documented order.
    pub body: Value,
}

impl Refusal {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }
}
