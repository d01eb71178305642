//! Destinations, version 3: outdated, still served.

mod body;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod update;
mod view;
