//! What push, validate and webhooks answer to bodies that are not taken. All texts are documented; clients compare them.

use std::fmt::Display;

use selvedge_types::AccountId;
use serde_json::{Map, Value, json};

use crate::Refusal;

/// So many offending records are listed.
pub(crate) const MAX_ERRORS: usize = 100;

/// The body is no JSON, or no Transit.
pub(crate) fn malformed(problem: impl Display) -> Refusal {
    let body = json!({
        "status": "ERROR",
        "message": "Malformed json in the body!",
        "error": problem.to_string(),
        "input": null,
    });
    Refusal::new(400, body)
}

/// The body is JSON, but not what is expected.
pub(crate) fn unexpected(message: &str) -> Refusal {
    Refusal::new(400, json!({"status": "ERROR", "message": message}))
}

/// The body, once it is decoded, has more bytes than are taken.
pub(super) fn too_large(bytes: usize) -> Refusal {
    let message = format!("Request rejected: request size ({bytes}s bytes) exceeds the maximum");
    Refusal::new(413, json!({"status": "ERROR", "message": message}))
}

/// A record does not say whose it is.
pub(super) fn no_client() -> Refusal {
    let body = json!({"status": "ERROR", "error": "Not Authenticated.", "errors": null});
    Refusal::new(401, body)
}

/// The records are for somebody else.
pub(super) fn foreign_client() -> Refusal {
    let errors = json!({"error": "Access token is not associated with this client."});
    let body = json!({"status": "ERROR", "error": "Forbidden", "errors": errors});
    Refusal::new(403, body)
}

/// Some of the records are for somebody else.
pub(super) fn several_clients(account: AccountId) -> Refusal {
    let reason = format!(
        "The batch contains data points for multiple clients. Only client_id {account} is allowed"
    );
    unprocessable(vec![Value::from(reason)])
}

/// Records that are not as they should be: a reason for each of them.
pub(super) fn unprocessable(reasons: Vec<Value>) -> Refusal {
    let errors: Vec<Value> = reasons
        .into_iter()
        .map(|reason| json!({"reason": reason}))
        .collect();
    let body = json!({
        "status": "ERROR",
        "error": "Request cannot be processed; see errors.",
        "errors": errors,
    });
    Refusal::new(422, body)
}

/// What is wrong with one record, by argument.
#[derive(Debug, Default)]
pub(super) struct Reason(Map<String, Value>);

impl Reason {
    /// Adds texts about an argument behind those that are there.
    pub(super) fn add(&mut self, argument: &str, texts: &[&str]) {
        let known = self.0.entry(argument).or_insert_with(|| json!([]));
        if let Value::Array(known) = known {
            known.extend(texts.iter().map(|text| Value::from(*text)));
        }
    }

    /// `None` when nothing is wrong.
    pub(super) fn into_value(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Object(self.0))
    }
}
