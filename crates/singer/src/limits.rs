//! What a tap may use.

use std::time::Duration;

use selvedge_connector::{ConnectorError, ErrorKind};

use crate::MessageLimits;

/// Limits of one run of one tap. `None` is no limit of ours.
#[derive(Clone, Debug)]
pub struct TapLimits {
    /// From start to end. None by default: the time limit of jobs holds.
    pub total: Option<Duration>,
    /// Without a byte on stdout or stderr, an hour by default. Time in which nobody took what the tap wrote does not count.
    pub idle: Duration,
    /// After this time without a byte the log says that the tap is silent, and again each time it passes. A minute by default.
    pub heartbeat: Duration,
    /// From SIGTERM to SIGKILL, 10 seconds by default.
    pub grace: Duration,
    /// Bytes of private memory of each of its processes (`RLIMIT_DATA`), 4 GiB by default.
    pub memory: Option<u64>,
    /// Processor time of each of its processes. None by default.
    pub processor: Option<Duration>,
    /// Bytes of a file that it writes, 8 GiB by default.
    pub file_size: Option<u64>,
    /// Files that each of its processes has open, 4,096 by default.
    pub open_files: Option<u64>,
    /// Bytes of a line of its log, 16 KiB by default. The rest of the line is left out.
    pub log_line: usize,
    /// Lines of its log in a second, 500 by default; it may have saved up ten seconds' worth. What is more is counted.
    pub log_lines_per_second: u32,
    /// Bytes of its log in all, 64 MiB by default.
    pub log_bytes: u64,
    /// Bytes of the catalogue that it prints, 256 MiB by default.
    pub catalog_bytes: usize,
    pub messages: MessageLimits,
}

impl Default for TapLimits {
    fn default() -> Self {
        Self {
            total: None,
            idle: Duration::from_secs(60 * 60),
            heartbeat: Duration::from_secs(60),
            grace: Duration::from_secs(10),
            memory: Some(4 << 30),
            processor: None,
            file_size: Some(8 << 30),
            open_files: Some(4096),
            log_line: 16 << 10,
            log_lines_per_second: 500,
            log_bytes: 64 << 20,
            catalog_bytes: 256 << 20,
            messages: MessageLimits::default(),
        }
    }
}

/// The end of a tap that took longer than it may.
pub(crate) fn ran_too_long(total: Duration) -> ConnectorError {
    let total = spoken(total);
    ConnectorError::new(
        ErrorKind::Unreachable,
        format!("the tap was ended because it ran for more than {total}, its time limit"),
    )
}

/// A length of time as people say it.
pub(crate) fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0 => return format!("{} ms", duration.as_millis()),
        _ if seconds.is_multiple_of(3600) => (seconds / 3600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// A number of bytes in the largest unit that keeps it whole.
pub(crate) fn spoken_bytes(bytes: u64) -> String {
    const UNITS: [(u32, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fitting = UNITS
        .into_iter()
        .find(|(shift, _)| bytes > 0 && bytes.trailing_zeros() >= *shift);
    match fitting {
        Some((shift, unit)) => format!("{} {unit}", bytes >> shift),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_said_in_whole_units() {
        assert_eq!(spoken(Duration::from_secs(3600)), "1 hour");
        assert_eq!(spoken(Duration::from_secs(600)), "10 minutes");
        assert_eq!(spoken(Duration::from_secs(90)), "90 seconds");
        assert_eq!(spoken(Duration::from_millis(250)), "250 ms");
        assert_eq!(spoken_bytes(4 << 30), "4 GiB");
        assert_eq!(spoken_bytes(1536 << 10), "1536 KiB");
        assert_eq!(spoken_bytes(1001), "1001 bytes");
    }
}
