//! The two limits on how often somebody may ask. Both answer 429 and say when to come back.
//!
//! - [`requests`]: every request with a valid token, per token. It protects the server, so its default is generous.
//! - [`jobs_group`]: the documented 30 requests in 10 minutes on the lists of jobs, per account. Clients are told in headers
//!   where they stand; nobody is refused unless the operator wants it.
//!
//! Requests without a valid token are not limited by their address: tokens are 256 random bits, so nothing can be guessed,
//! and all calls of a platform's customers come from the platform's one address, which a single revoked token would lock out.

mod jobs_group;
mod requests;

pub(crate) use jobs_group::{JobsGroup, count_jobs_request};
pub(crate) use requests::RequestLimit;
