//! Sessions, version 3.

pub(crate) mod create_ephemeral;
