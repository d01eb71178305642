//! Connection checks, version 4: read only, the server starts them itself.

pub(crate) mod find_destination;
pub(crate) mod find_source;
mod view;
