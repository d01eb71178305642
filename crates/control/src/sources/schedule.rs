//! When a source starts next, from its settings and its newest job.

use selvedge_catalog::Properties;
use selvedge_types::Timestamp;
use selvedge_types::schedule::{CronError, CronSchedule, IntervalSchedule};
use serde_json::Value;

/// What the last job says about the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewestRun {
    pub(crate) started_at: Timestamp,
    /// `None` while the job is pending or running.
    pub(crate) completed_at: Option<Timestamp>,
}

/// What the source itself says about its next job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// When it became fully configured, was unpaused or got new schedule settings.
    pub(crate) ready_at: Timestamp,
    /// When streams last started over at the user's wish.
    pub(crate) reset_at: Option<Timestamp>,
}

/// The schedule of a source, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub method: Method,
    /// The next planned start, after the present.
    pub next_fire_time: Timestamp,
}

/// How the starts of a source are set. An anchor shows in the next start only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Interval { minutes: u32 },
    Cron { expression: String },
}

/// The rule that the starts of a source follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    Interval(IntervalSchedule),
    Cron(CronSchedule),
}

/// The rule that the properties ask for: a cron expression goes before a frequency and its anchor. Sources without a
/// frequency follow the default of their type. Stored expressions have been judged; an error means that another version
/// of this program did.
pub(crate) fn planned(properties: &Properties, default_minutes: u32) -> Result<Plan, CronError> {
    let text = |name: &str| properties.get(name).and_then(Value::as_str);
    if let Some(expression) = text("cron_expression") {
        return CronSchedule::parse(expression).map(Plan::Cron);
    }
    Ok(Plan::Interval(IntervalSchedule {
        interval_minutes: text("frequency_in_minutes")
            .and_then(|minutes| minutes.parse().ok())
            .filter(|minutes| *minutes > 0)
            .unwrap_or(default_minutes),
        anchor: text("anchor_time").and_then(|anchor| Timestamp::parse(anchor).ok()),
    }))
}

/// When the next job is to start; in the past when it is due, `None` when it never is.
pub(crate) fn next_start(
    plan: &Plan,
    now: Timestamp,
    newest: Option<NewestRun>,
    readiness: Readiness,
) -> Option<Timestamp> {
    let Readiness { ready_at, reset_at } = readiness;
    // What starts over waits for no slot. A source that has never run has nothing to start over.
    let reset_since = reset_at.filter(|at| newest.is_some_and(|newest| newest.started_at < *at));
    if let Some(reset_at) = reset_since {
        return Some(reset_at.max(ready_at));
    }
    // Starts that passed while a job ran are skipped, also once it has ended: from its end on, the next one counts.
    let passed = match newest {
        None => ready_at,
        Some(newest) => newest
            .completed_at
            .map_or(now, |completed_at| completed_at.max(ready_at)),
    };
    match plan {
        Plan::Cron(schedule) => schedule.next_after(passed),
        Plan::Interval(schedule) => Some(match newest {
            None => schedule.next_fire(now, None, ready_at, false),
            Some(newest) => {
                // Without an anchor the newest start sets the following ones, however long ago it was.
                let reference = match newest.completed_at {
                    Some(completed_at) if !schedule.anchored() => completed_at,
                    _ => passed,
                };
                schedule.next_fire(reference, Some(newest.started_at), ready_at, true)
            }
        }),
    }
}

/// The schedule as it is shown; `None` when the source never starts again by itself.
pub(crate) fn shown(
    properties: &Properties,
    default_minutes: u32,
    now: Timestamp,
    newest: Option<NewestRun>,
    readiness: Readiness,
) -> Option<Schedule> {
    // An expression that cannot be read starts nothing; whoever looks for due sources says so in the log.
    let plan = planned(properties, default_minutes).ok()?;
    let next_start = next_start(&plan, now, newest, readiness)?;
    let method = match plan {
        Plan::Interval(schedule) => Method::Interval {
            minutes: schedule.interval_minutes,
        },
        Plan::Cron(_) => Method::Cron {
            expression: properties.get("cron_expression")?.as_str()?.to_owned(),
        },
    };
    Some(Schedule {
        method,
        next_fire_time: ahead(next_start, now),
    })
}

/// A planned start lies ahead, also when it is due, and also in whole seconds, which is what answers show.
fn ahead(next_start: Timestamp, now: Timestamp) -> Timestamp {
    let second = next_start.as_micros().div_euclid(1_000_000);
    if second.saturating_mul(1_000_000) > now.as_micros() {
        next_start
    } else {
        now.plus_seconds(1)
    }
}

#[cfg(test)]
mod tests;
