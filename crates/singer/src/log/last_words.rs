//! What a tap said before it failed: the part that explains the failure.

use std::sync::LazyLock;

use regex::Regex;
use selvedge_connector::LogLevel;

/// A name as exceptions have it, and what it says: `requests.exceptions.HTTPError: 401 Client Error`.
static EXCEPTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Fault|Failure|Timeout|Warning)?(?:: .*)?$")
        .expect("the shape of exceptions is a regular expression")
});

/// Remembers the last lines of each kind. Texts are redacted already.
#[derive(Debug, Default)]
pub(crate) struct LastWords {
    critical: Option<String>,
    exception: Option<String>,
    any: Option<String>,
    in_traceback: bool,
}

impl LastWords {
    /// A line with the level it has or was given.
    pub(crate) fn hear(&mut self, level: LogLevel, text: &str) {
        let text = text.trim_end();
        if text.trim().is_empty() {
            return;
        }
        if self.in_traceback && !text.starts_with([' ', '\t']) {
            // The first line that is not indented says what was raised.
            self.in_traceback = false;
            if EXCEPTION.is_match(text) {
                self.exception = Some(text.to_owned());
            }
        }
        if is_traceback(text) {
            self.in_traceback = true;
        } else if level == LogLevel::Critical {
            self.critical = Some(text.to_owned());
        }
        self.any = Some(text.to_owned());
    }

    /// The last critical line, else what was raised last, else the last line.
    pub(crate) fn explanation(&self) -> Option<&str> {
        let words = self.critical.as_ref().or(self.exception.as_ref());
        words.or(self.any.as_ref()).map(String::as_str)
    }
}

/// Whether a stack of calls follows.
pub(crate) fn is_traceback(text: &str) -> bool {
    text.ends_with("Traceback (most recent call last):")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation(lines: &[(LogLevel, &str)]) -> Option<String> {
        let mut words = LastWords::default();
        for (level, text) in lines {
            words.hear(*level, text);
        }
        words.explanation().map(str::to_owned)
    }

    #[test]
    fn a_critical_line_explains_best() {
        let said = explanation(&[
            (LogLevel::Critical, "first"),
            (LogLevel::Critical, "the account is closed"),
            (LogLevel::Error, "Traceback (most recent call last):"),
            (LogLevel::Error, "  File \"tap.py\", line 1, in <module>"),
            (LogLevel::Error, "Exception: the account is closed"),
            (LogLevel::Info, "bye"),
        ]);
        assert_eq!(said.as_deref(), Some("the account is closed"));
    }

    #[test]
    fn else_what_was_raised_last() {
        let said = explanation(&[
            (LogLevel::Error, "Traceback (most recent call last):"),
            (LogLevel::Error, "  File \"tap.py\", line 1, in <module>"),
            (LogLevel::Error, "KeyError: 'a'"),
            (LogLevel::Error, ""),
            (
                LogLevel::Error,
                "During handling of the above exception, another exception occurred:",
            ),
            (LogLevel::Error, "Traceback (most recent call last):"),
            (LogLevel::Error, "  File \"tap.py\", line 2, in <module>"),
            (
                LogLevel::Error,
                "requests.exceptions.HTTPError: 500 Server Error",
            ),
            (LogLevel::Error, "sentry is attempting to send 1 event"),
        ]);
        assert_eq!(
            said.as_deref(),
            Some("requests.exceptions.HTTPError: 500 Server Error")
        );
    }

    #[test]
    fn else_the_last_line() {
        let said = explanation(&[
            (LogLevel::Info, "usage: tap"),
            (LogLevel::Info, "tap: error: no config"),
            (LogLevel::Info, " "),
        ]);
        assert_eq!(said.as_deref(), Some("tap: error: no config"));
        assert_eq!(explanation(&[]), None);
    }
}
