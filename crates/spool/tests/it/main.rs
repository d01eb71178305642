//! The intake log as its callers see it, on directories of its own and on disks that fail.

mod life;
mod support;
