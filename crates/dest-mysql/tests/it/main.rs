//! The destination against a real server.

mod append;
mod check;
mod conformance;
mod evolve;
mod first_load;
mod last_commit;
mod limits;
mod refusals;
mod rejected;
mod replace;
mod severed;
mod strict;
mod support;
mod upsert;
mod values;
