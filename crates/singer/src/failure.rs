//! What the end of a tap means: a sentence for the customer, and a kind.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::LazyLock;

use regex::Regex;
use selvedge_connector::{ConnectorError, ErrorKind};

use crate::limits::{TapLimits, spoken, spoken_bytes};
use crate::log::LastWords;

/// What clearly says so, and nothing that a row or a table's name could be.
static KINDS: LazyLock<Vec<(ErrorKind, Regex)>> = LazyLock::new(|| {
    const STATUS: &str = r"(?:https?|status|code|error|response)\W{1,3}(?:\w+\W{1,3}){0,2}";
    let kinds = [
        (
            ErrorKind::Authentication,
            format!(
                r"(?ix) {STATUS}401\b | \b401\W{{1,3}}(?:client\ error|unauthori[sz]ed) | \bunauthori[sz]ed\b | \bunauthenticated\b
                | invalid[_\ ](?:grant|credentials|client|api[_\ ]key|(?:access[_\ ]|refresh[_\ ])?token|login|password)
                | (?:authentication|log[- ]?in)\ (?:has\ )?failed | could\ not\ authenticate | bad\ credentials
                | access\ denied\ for\ user | token\ (?:has\ |is\ )?(?:been\ )?(?:expired|revoked|invalid)"
            ),
        ),
        (
            ErrorKind::RateLimit,
            format!(
                r"(?ix) {STATUS}429\b | \b429\W{{1,3}}client\ error | too\ many\ requests | rate[- ]?limit(?:ed|ing)?\b.*(?:exceed|reach|hit) | quota\ (?:has\ been\ )?exceeded"
            ),
        ),
        (
            ErrorKind::Permission,
            format!(
                r"(?ix) {STATUS}403\b | \b403\W{{1,3}}(?:client\ error|forbidden) | insufficient[_\ ](?:scope|permission|privilege)s? | permission\ denied\ for"
            ),
        ),
        (
            ErrorKind::Unreachable,
            r"(?ix) connection\ (?:refused|reset|timed\ out|aborted) | name\ or\ service\ not\ known | no\ route\ to\ host
              | temporary\ failure\ in\ name\ resolution | max\ retries\ exceeded | could\ not\ connect | \b50[234]\W{1,3}server\ error"
                .to_owned(),
        ),
    ];
    kinds
        .into_iter()
        .map(|(kind, shape)| {
            let shape = Regex::new(&shape).expect("the shapes are regular expressions");
            (kind, shape)
        })
        .collect()
});

/// What programs say whose memory is refused. A database that ran out of its own says it otherwise.
static OUT_OF_MEMORY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^MemoryError|Cannot allocate memory|memory exhausted$|std::bad_alloc")
        .expect("the shape is a regular expression")
});

/// Why a tap ended with another status than 0. `usually` is the kind of failures that say nothing of their kind.
pub(crate) fn failure(
    status: ExitStatus,
    words: &LastWords,
    limits: &TapLimits,
    usually: ErrorKind,
) -> ConnectorError {
    let said = words.explanation();
    let by_limit = reached_limit(status, said, limits);
    // As shells count the end by a signal.
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    let code = code.unwrap_or(1).to_string();
    if let Some(sentence) = by_limit {
        let error = ConnectorError::new(ErrorKind::Data, sentence).with_code(code);
        return match said {
            Some(said) => error.with_detail(said),
            None => error,
        };
    }
    if let Some(signal) = status.signal() {
        let name = signal_name(signal);
        let error = ConnectorError::new(usually, format!("the tap was ended by {name}"));
        let error = error.with_code(code);
        return match said {
            Some(said) => error.with_detail(format!("its last words: {said}")),
            None => error,
        };
    }
    match said {
        Some(said) => ConnectorError::new(kind(said).unwrap_or(usually), said).with_code(code),
        None => {
            let sentence = format!("the tap ended with exit status {code} and said nothing");
            ConnectorError::new(usually, sentence).with_code(code)
        }
    }
}

fn kind(said: &str) -> Option<ErrorKind> {
    let mut kinds = KINDS.iter();
    kinds.find_map(|(kind, shape)| shape.is_match(said).then_some(*kind))
}

/// The sentence for a tap that took more than it may.
fn reached_limit(status: ExitStatus, said: Option<&str>, limits: &TapLimits) -> Option<String> {
    const SIGXCPU: i32 = 24;
    const SIGXFSZ: i32 = 25;
    if let (Some(SIGXCPU), Some(time)) = (status.signal(), limits.processor) {
        let time = spoken(time);
        return Some(format!(
            "the tap used more than {time} of processor time, its limit"
        ));
    }
    let said = said.unwrap_or_default();
    if let Some(bytes) = limits.file_size
        && (status.signal() == Some(SIGXFSZ) || said.contains("[Errno 27]"))
    {
        let bytes = spoken_bytes(bytes);
        return Some(format!(
            "the tap wrote a file of more than {bytes}, its limit"
        ));
    }
    if let Some(bytes) = limits.memory
        && OUT_OF_MEMORY.is_match(said)
    {
        let bytes = spoken_bytes(bytes);
        return Some(format!(
            "the tap needed more than {bytes} of memory, its limit"
        ));
    }
    None
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL; the machine may have run out of memory",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    format!("signal {signal} ({name})")
}

#[cfg(test)]
mod tests {
    use selvedge_connector::LogLevel;

    use super::*;

    fn failed(raw_status: i32, level: LogLevel, said: &str) -> ConnectorError {
        let mut words = LastWords::default();
        words.hear(level, said);
        let limits = TapLimits {
            processor: Some(std::time::Duration::from_secs(60)),
            ..TapLimits::default()
        };
        let status = ExitStatus::from_raw(raw_status);
        failure(status, &words, &limits, ErrorKind::Data)
    }

    #[test]
    fn the_last_words_are_the_message_and_the_status_the_code() {
        let error = failed(3 << 8, LogLevel::Critical, "the account is closed");
        assert_eq!(error.message, "the account is closed");
        assert_eq!(error.code.as_deref(), Some("3"));
        let error = failed(1 << 8, LogLevel::Info, "");
        assert_eq!(
            error.message,
            "the tap ended with exit status 1 and said nothing"
        );
    }

    #[test]
    fn a_signal_is_named() {
        let error = failed(11, LogLevel::Info, "reading");
        assert_eq!(error.message, "the tap was ended by signal 11 (SIGSEGV)");
        assert_eq!(error.code.as_deref(), Some("139"));
        assert_eq!(error.detail.as_deref(), Some("its last words: reading"));
    }

    #[test]
    fn a_limit_is_named() {
        for (status, said, expected) in [
            (1 << 8, "MemoryError", "more than 4 GiB of memory"),
            (
                1 << 8,
                "OSError: [Errno 27] File too large",
                "a file of more than 8 GiB",
            ),
            (25, "", "a file of more than 8 GiB"),
            (24, "", "more than 1 minute of processor time"),
        ] {
            let error = failed(status, LogLevel::Error, said);
            assert!(error.message.contains(expected), "{error}");
        }
    }

    #[test]
    fn kinds_are_told_only_where_the_text_is_clear() {
        use ErrorKind::{Authentication, Data, Permission, RateLimit, Unreachable};
        for (said, kind) in [
            (
                "401 Client Error: Unauthorized for url: https://a.example/b",
                Authentication,
            ),
            ("HTTP-error-code: 401, Error: bad key", Authentication),
            ("Request failed with status code 401", Authentication),
            ("{'error': 'invalid_grant'}", Authentication),
            (
                "FATAL:  password authentication failed for user \"x\"",
                Authentication,
            ),
            ("(1045, \"Access denied for user 'a'@'b'\")", Authentication),
            ("429 Client Error: Too Many Requests", RateLimit),
            ("403 Client Error: Forbidden for url", Permission),
            (
                "HTTPSConnectionPool(host='a'): Max retries exceeded with url",
                Unreachable,
            ),
            ("503 Server Error: Service Unavailable", Unreachable),
            ("row 401 of orders cannot be read", Data),
            ("invalid value 'token' in column", Data),
            ("KeyError: 'authorized_at'", Data),
            ("found 403 rows", Data),
        ] {
            assert_eq!(
                failed(1 << 8, LogLevel::Critical, said).kind,
                kind,
                "{said}"
            );
        }
    }
}
