//! What texts from outside may hold.

/// Whether `text` can be stored as it is: PostgreSQL keeps no NUL.
pub(crate) fn storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Whether `text` has at most `limit` characters and can be stored.
pub(crate) fn fits(text: &str, limit: usize) -> bool {
    storable(text) && text.chars().nth(limit).is_none()
}

/// Whether `text` looks like an email address: something before the last `@`, a host name behind it.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= 254
        && !local.is_empty()
        && !text
            .chars()
            .any(|character| character.is_whitespace() || character.is_control())
        && !local.contains('@')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label
                    .chars()
                    .all(|character| character.is_alphanumeric() || character == '-')
        })
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
