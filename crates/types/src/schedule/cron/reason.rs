//! Why an expression is refused, in words for whoever wrote it.

use cronp::{ErrorKind, FieldKind, ParseError};

/// What is wrong with an expression. `Display` is the text behind `is invalid: ` in answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// The documented refusal, word for word.
    #[error(
        "Support for specifying both a day-of-week AND a day-of-month parameter is not implemented."
    )]
    BothDays,
    #[error("One of day-of-month and day-of-week must say which days; both are ?.")]
    NoDays,
    #[error(
        "A cron expression has six fields (seconds, minutes, hours, day-of-month, month, day-of-week) and optionally a year."
    )]
    FieldCount,
    #[error("A cron expression has no more than 1024 characters.")]
    TooLong,
    #[error("A cron expression has no character {0:?}.")]
    Character(char),
    /// A field that does not follow the grammar, by its name.
    #[error("The {field} field {problem}.")]
    Field {
        field: &'static str,
        problem: String,
    },
    #[error(
        "The seconds field must be a single value: a source starts no more often than once a minute."
    )]
    ManySeconds,
    /// Well-formed, and without a time to come.
    #[error("It never fires.")]
    Never,
}

impl CronError {
    pub(super) fn field(field: &'static str, problem: impl Into<String>) -> Self {
        CronError::Field {
            field,
            problem: problem.into(),
        }
    }

    /// Our words for the parser's.
    pub(super) fn of_parser(expression: &str, error: &ParseError) -> Self {
        let problem = match error.kind() {
            ErrorKind::QuestionMarkRequired { .. } => return CronError::BothDays,
            ErrorKind::QuestionMarkInBothDayFields { .. } => return CronError::NoDays,
            ErrorKind::ValueOutOfRange { value, min, max } => {
                format!("goes from {min} to {max}, which {value} is outside of")
            }
            ErrorKind::YearNotRepresentable {
                year,
                max_representable,
                ..
            } => format!("goes up to {max_representable}, which {year} is beyond"),
            ErrorKind::NumberTooLarge => "has a number that is too large".to_owned(),
            ErrorKind::UnknownName => "has a name that it does not know".to_owned(),
            ErrorKind::ZeroStep => "has a step of 0".to_owned(),
            ErrorKind::ReversedRange { start, end } => {
                format!("has a range that runs backwards, from {start} to {end}")
            }
            ErrorKind::QuestionMarkNotValidHere => "cannot be ?".to_owned(),
            ErrorKind::QuestionMarkMustBeAlone { .. } => {
                "has a ? that does not stand alone".to_owned()
            }
            ErrorKind::ModifierNotValidHere => {
                "has an L, W or # that does not belong there".to_owned()
            }
            ErrorKind::ModifierMustBeAlone => {
                "has an L, W or # that does not stand alone".to_owned()
            }
            _ => {
                let from = expression.get(error.span().start()..).unwrap_or_default();
                match from.split([' ', '\t']).next() {
                    None | Some("") => "ends too early".to_owned(),
                    Some(rest) => format!("cannot be understood from {rest} on"),
                }
            }
        };
        match error.field() {
            Some(field) => CronError::field(name(field), problem),
            None => CronError::FieldCount,
        }
    }
}

/// The name of a field as documentation writes it.
fn name(field: FieldKind) -> &'static str {
    match field {
        FieldKind::Second => "seconds",
        FieldKind::Minute => "minutes",
        FieldKind::Hour => "hours",
        FieldKind::DayOfMonth => "day-of-month",
        FieldKind::Month => "month",
        FieldKind::DayOfWeek => "day-of-week",
        FieldKind::Year => "year",
        // The parser crate may learn of more fields; this dialect has seven.
        _ => "last",
    }
}
