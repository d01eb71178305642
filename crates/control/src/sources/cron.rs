//! Whether a cron expression may be stored.

use selvedge_catalog::PropertyChange;
use selvedge_types::Timestamp;
use selvedge_types::schedule::{CronError, CronSchedule};
use serde_json::Value;

use crate::ControlError;
use crate::plans::Features;

/// Refuses a change that sets an expression where the plan allows none, or one which cannot be read or has no time to come;
/// taking one away is fine.
pub(super) fn judge(
    features: &Features,
    change: &PropertyChange,
    now: Timestamp,
) -> Result<(), ControlError> {
    let Some(expression) = change.plain.get("cron_expression").and_then(Value::as_str) else {
        return Ok(());
    };
    if !features.cron_scheduling {
        return Err(ControlError::NoAccessToCron);
    }
    let fires = CronSchedule::parse(expression)
        .and_then(|schedule| schedule.next_after(now).ok_or(CronError::Never));
    match fires {
        Ok(_) => Ok(()),
        Err(reason) => Err(ControlError::InvalidCronExpression {
            expression: expression.to_owned(),
            reason,
        }),
    }
}
