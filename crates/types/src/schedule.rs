//! When a source runs next: interval, anchored and cron schedules, as pure arithmetic in UTC.

mod cron;
mod interval;

pub use cron::{CronError, CronSchedule};
pub use interval::IntervalSchedule;
