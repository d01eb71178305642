//! When and where runs happen: schedule, claim, lease, stop.
