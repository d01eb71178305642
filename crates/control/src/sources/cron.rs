//! What is said about a `cron_expression`, which this build stores for nobody.

use selvedge_catalog::PropertyChange;
use serde_json::Value;

use crate::ControlError;

/// Refuses a change that sets a cron expression; taking one away is fine.
pub(super) fn refuse(change: &PropertyChange) -> Result<(), ControlError> {
    match change.plain.get("cron_expression").and_then(Value::as_str) {
        None => Ok(()),
        Some(expression) => Err(ControlError::InvalidCronExpression {
            expression: expression.to_owned(),
            reason: reason(expression),
        }),
    }
}

/// Why, as the text after `is invalid: `.
fn reason(expression: &str) -> &'static str {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    match fields[..] {
        [_, _, _, day_of_month, _, day_of_week] | [_, _, _, day_of_month, _, day_of_week, _]
            if day_of_month != "?" && day_of_week != "?" =>
        {
            "Support for specifying both a day-of-week AND a day-of-month parameter is not implemented."
        }
        [_, _, _, _, _, _] | [_, _, _, _, _, _, _] => {
            "Cron scheduling is not available in this build; use frequency_in_minutes and anchor_time."
        }
        _ => {
            "A cron expression has six fields (seconds, minutes, hours, day-of-month, month, day-of-week) and optionally a year."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[test]
    fn two_day_fields_are_named_before_anything_else() {
        for both in ["* * * * * *", "0 15 6 1 * MON", "0 0 12 1 * 2 *"] {
            assert!(
                reason(both).starts_with("Support for specifying both"),
                "{both}"
            );
        }
        assert!(reason("0 15 6 ? * MON-FRI").starts_with("Cron scheduling is not available"));
        for malformed in ["", "daily", "* * * * *"] {
            assert!(reason(malformed).contains("six fields"), "{malformed}");
        }
    }
}
