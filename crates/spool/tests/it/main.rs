//! The intake log as its callers see it, on directories of its own and on disks that fail.

mod damage;
mod faults;
mod life;
mod model;
mod sim_disk;
mod story;
mod support;
mod tidying;
