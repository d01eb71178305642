//! The server itself: is it there, is it ready, and what it is.

pub(crate) mod document;
pub(crate) mod health;
pub(crate) mod readiness;
