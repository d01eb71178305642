//! Which texts are instants.

use selvedge_json::literal;

/// Whether a text is a date-time of RFC 3339, or one whose offset is written without colon or minutes (`+0000`, `+00`). What
/// has no offset, or no time, names no instant.
pub(crate) fn is_instant(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has_offset = matches!(bytes.last(), Some(b'Z' | b'z'))
        || bytes
            .get(19..)
            .is_some_and(|rest| rest.iter().any(|byte| matches!(byte, b'+' | b'-')));
    has_offset
        && matches!(bytes.get(10), Some(b'T' | b't'))
        && bytes.get(19) != Some(&b',')
        && literal::is_instant(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_a_time_and_an_offset() {
        for text in [
            "2020-01-13T21:25:03Z",
            "2020-01-13t21:25:03.123456789z",
            "2020-01-13T21:25:03-11:30",
            "2020-01-13T21:25:03+0000",
            "2020-01-13T21:25:03.5+00",
            "2016-12-31T23:59:60Z",
        ] {
            assert!(is_instant(text), "{text}");
        }
        for text in [
            "",
            "2020-01-13",
            "2020-01-13T21:25:03",
            "2020-01-13T21:25:03.5",
            "2020-01-13 21:25:03Z",
            "2020-01-13T21:25:03,5Z",
            "2020-01-13T21:25Z",
            "2021-02-29T00:00:00Z",
            "yesterday, at half past seven Z",
        ] {
            assert!(!is_instant(text), "{text}");
        }
    }
}
