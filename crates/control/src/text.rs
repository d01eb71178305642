//! What texts from outside may hold.

use email_address::{EmailAddress, Options};
use selvedge_types::Timestamp;

/// Whether `text` can be stored as it is: PostgreSQL keeps no NUL.
pub(crate) fn storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Whether `text` has at most `limit` characters and can be stored.
pub(crate) fn fits(text: &str, limit: usize) -> bool {
    storable(text) && text.chars().nth(limit).is_none()
}

/// Whether `text` is an email address that a mail server can be given: neither a display name around it nor an address
/// literal behind the `@`.
pub(crate) fn is_email(text: &str) -> bool {
    let options = Options::default()
        .without_display_text()
        .without_domain_literal();
    // Longer ones do not fit into the envelope of a mail.
    text.len() <= 254 && storable(text) && EmailAddress::parse_with_options(text, options).is_ok()
}

/// The instant that an ISO 8601 text names: with a zone, without one (then UTC), or a date alone (then its beginning).
pub(crate) fn parse_instant(text: &str) -> Option<Timestamp> {
    // No form of an instant is longer; longer texts are not worth reading.
    if text.len() > 64 || !storable(text) {
        return None;
    }
    let parse = |text: &str| Timestamp::parse(text).ok();
    parse(text)
        .or_else(|| parse(&format!("{text}Z")))
        .or_else(|| parse(&format!("{text}T00:00:00Z")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_local_part_and_a_host() {
        for good in [
            "a@b",
            "ops@acme.example",
            "first.last+tag@mail.acme.co.uk",
            "ü@bücher.example",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "ops",
            "@acme.example",
            "ops@",
            "a b@c.d",
            "a@b@c.d",
            "a@.d",
            "a@c..d",
            "a@c d",
            "a@b\0",
            "a@b\r\n",
            "a@-b.d",
            "a..b@c.d",
            "Ops <ops@acme.example>",
            "a@[127.0.0.1]",
            "mailto:ops@acme@example",
        ] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }

    #[test]
    fn lengths_count_characters() {
        assert!(fits("äöü", 3));
        assert!(!fits("äöüß", 3));
        assert!(!fits("a\0", 3));
    }
}
