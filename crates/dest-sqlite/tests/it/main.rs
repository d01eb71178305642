//! The SQLite destination against real files.

mod checking;
mod conformance;
mod documented;
mod evolution;
mod fencing;
mod first_load;
mod killed;
mod merging;
mod ownership;
mod refusals;
mod rejections;
mod replacing;
mod round_trip;
mod stopping;
mod subtables;
mod subtables_model;
mod support;
