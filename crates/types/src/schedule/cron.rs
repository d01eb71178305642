//! Exact start times: cron expressions in the dialect of the Quartz scheduler.
//!
//! The grammar is the parser crate's, and nobody beyond this module knows which one that is. What it lets through and we
//! do not, and the search for the next time, are ours.

mod items;
mod reason;
mod search;

use std::borrow::Cow;

use cronp::{Calendar, Quartz, Schedule};

pub use reason::CronError;

use crate::Timestamp;

/// Longest expression that is looked at, in bytes. Every value of every field written out needs less.
const MAX_LENGTH: usize = 1_024;

/// Six fields (seconds, minutes, hours, day of month, month, day of week) and optionally a year up to 2099, in UTC.
///
/// Fires at most once a minute: its seconds are a single value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CronSchedule {
    /// Two words of bits, which reach beyond the last year of the dialect.
    calendar: Calendar<Quartz, 2>,
    /// The one second of a minute that it fires at.
    second: u8,
}

impl CronSchedule {
    /// Reads an expression. The error says what is wrong with it in a sentence for its author.
    pub fn parse(expression: &str) -> Result<Self, CronError> {
        if expression.len() > MAX_LENGTH {
            return Err(CronError::TooLong);
        }
        // Other blanks than these two separate no fields.
        if let Some(other) = expression
            .chars()
            .find(|character| !character.is_ascii_graphic() && !matches!(character, ' ' | '\t'))
        {
            return Err(CronError::Character(other));
        }
        let expression = with_stars(expression);
        let parsed = Schedule::<Quartz, 2>::parse(&expression)
            .map_err(|error| CronError::of_parser(&expression, &error))?;
        let calendar = *parsed.calendar().ok_or(CronError::FieldCount)?;
        items::check(&expression)?;
        let mut seconds = (0..60).filter(|second| calendar.admits_second(*second));
        match (seconds.next(), seconds.next()) {
            (Some(second), None) => Ok(Self { calendar, second }),
            _ => Err(CronError::ManySeconds),
        }
    }

    /// The first fire time strictly after `instant`; `None` when there is none until the end of the year 2099.
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        search::next_after(&self.calendar, self.second, instant)
    }
}

/// A step without a start is one from the first value of its field: `/5` is `*/5`.
fn with_stars(expression: &str) -> Cow<'_, str> {
    let bytes = expression.as_bytes();
    let bare = |&(at, _): &(usize, &str)| at == 0 || matches!(bytes[at - 1], b' ' | b'\t' | b',');
    if !expression.match_indices('/').any(|found| bare(&found)) {
        return Cow::Borrowed(expression);
    }
    let mut text = String::with_capacity(expression.len() + 8);
    let mut copied = 0;
    for (at, _) in expression.match_indices('/').filter(bare) {
        text.push_str(&expression[copied..at]);
        text.push('*');
        copied = at;
    }
    text.push_str(&expression[copied..]);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests;
