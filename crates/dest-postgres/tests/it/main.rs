//! The destination against a real server.

mod append;
mod check;
mod conformance;
mod evolve;
mod first_load;
mod golden;
mod last_commit;
mod limits;
mod nested;
mod nested_model;
mod refusals;
mod rejected;
mod replace;
mod severed;
mod support;
mod upsert;
mod values;
