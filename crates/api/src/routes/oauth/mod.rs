//! Partner authentication. The page that asks a user for consent belongs to the pages of the server.

mod body;
pub(crate) mod exchange;

/// Larger bodies are no token requests.
pub(crate) const BODY_LIMIT_BYTES: usize = 64 * 1024;
