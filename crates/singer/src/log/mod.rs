//! What a tap says on stderr, on its way into the job's log.

mod allowance;
mod attendant;
mod last_words;
mod level;
mod lines;

use std::sync::Arc;

use selvedge_connector::{LogLevel, LogSink};

use crate::redact::Redactor;

pub(crate) use attendant::{Attendant, AttendantSettings};
pub(crate) use last_words::LastWords;

/// A job's log that no secret gets into.
#[derive(Clone)]
pub(crate) struct TapLog {
    pub(crate) sink: LogSink,
    pub(crate) redactor: Arc<Redactor>,
}

impl TapLog {
    pub(crate) fn say(&self, level: LogLevel, text: &str) {
        (self.sink)(level, &self.redactor.redact(text));
    }
}
