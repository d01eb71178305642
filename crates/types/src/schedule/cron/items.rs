//! Items that the parser takes and Quartz refuses or reads otherwise. Nobody means what they would do.

use super::CronError;

/// Every field with the largest step that Quartz takes in it.
const LARGEST_STEP: [(&str, u32); 7] = [
    ("seconds", 59),
    ("minutes", 59),
    ("hours", 23),
    ("day-of-month", 31),
    ("month", 12),
    ("day-of-week", 7),
    ("year", u32::MAX),
];

/// Looks through the items of an expression that has been parsed.
pub(super) fn check(expression: &str) -> Result<(), CronError> {
    let fields = expression
        .split([' ', '\t'])
        .filter(|field| !field.is_empty());
    for (field, (name, largest)) in fields.zip(LARGEST_STEP) {
        for item in field.split(',') {
            check_item(item, largest).map_err(|problem| CronError::field(name, problem))?;
        }
    }
    Ok(())
}

fn check_item(item: &str, largest_step: u32) -> Result<(), String> {
    let (values, step) = match item.split_once('/') {
        Some((values, step)) => (values, Some(step)),
        None => (item, None),
    };
    let named = |text: &str| text.contains(|character: char| character.is_ascii_alphabetic());
    if let Some(step) = step {
        // `0/90` in the minutes would fire every hour.
        if !step.parse().is_ok_and(|step: u32| step <= largest_step) {
            return Err(format!("takes steps of up to {largest_step}, not {step}"));
        }
        // Quartz does not look at the step of `MON-FRI/2`.
        if named(values) {
            return Err("takes steps after numbers and * only, not after names".to_owned());
        }
    }
    match values.split_once('-') {
        // The days before the last one: `L-3`.
        Some((first, last)) if named(first) != named(last) && !first.eq_ignore_ascii_case("l") => {
            Err(format!("has a range of a name and a number, {values}"))
        }
        _ => Ok(()),
    }
}
