//! The SQLite destination against real files.

mod checking;
mod evolution;
mod fencing;
mod first_load;
mod merging;
mod rejections;
mod replacing;
mod round_trip;
mod stopping;
mod support;
