//! Import API access tokens, version 4: a part of the source they push to.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
